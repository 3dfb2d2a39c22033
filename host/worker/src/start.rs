//! What a worker's process does, from its first line on.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use crate::compiler::{Order, compile};
use crate::error::Error;
use crate::frame;
use crate::inside::serve;
use crate::message::{Beginning, Setup, VERSION};
use crate::selfcheck::{Attempt, attempts};
use crate::walls::Walls;

/// Host's threads of a worker: they pass frames on and read and write files.
const THREADS: usize = 2;
/// Half of all memory is added to what this process is taken to have.
const FIRST_TO_END: &str = "500";
const COMPILER_NICE: i32 = 10;
/// Memory of a process that only tries its walls.
const CHECK_MEMORY_BYTES: u64 = 1 << 30;

/// Serves the parent whose end of a socket is this process' standard input, until that is closed. To be called before any
/// thread is started.
///
/// # Errors
/// [`Error::NotAWorker`] where nobody is there, and [`Error::NotReady`] where nothing can be served.
pub fn run() -> Result<(), Error> {
    let not_ours = |problem: String| Error::NotAWorker { problem };
    let input = io::stdin().as_fd().try_clone_to_owned().map_err(|error| not_ours(error.to_string()))?;
    let mut socket = UnixStream::from(input);
    // A file or a terminal is no socket, and answers nothing.
    socket.local_addr().map_err(|_| not_ours("its standard input is no socket".into()))?;
    let beginning = frame::read_blocking(&mut socket).and_then(|bytes| frame::decoded::<Beginning>(&bytes));
    let beginning = beginning.map_err(|broken| not_ours(broken.to_string()))?;
    if beginning.version() != VERSION {
        return Err(not_ours(format!("it was started by version {}", beginning.version())));
    }
    give_way();
    match beginning {
        Beginning::Connectors(setup) => serves(socket, *setup),
        Beginning::Compiler(order) => compiles(socket, &order),
    }
}

/// Where memory runs out, the system is to end this process before the one that started it. A system that does not take the
/// wish ends whichever is larger.
fn give_way() {
    let _ = std::fs::write("/proc/self/oom_score_adj", FIRST_TO_END);
}

fn compiles(socket: UnixStream, order: &Order) -> Result<(), Error> {
    // What runs comes first. A system that refuses lets both be alike.
    let _ = rustix::process::nice(COMPILER_NICE);
    // Which of them stand the doctor says, and each worker that runs something.
    let _ = Walls::raise(&[], order.memory_bytes);
    compile(socket, order).map_err(|broken| Error::NotReady { said: broken.to_string() })
}

fn serves(socket: UnixStream, setup: Setup) -> Result<(), Error> {
    let walls = Walls::raise(&setup.directories, setup.memory_bytes);
    let not_ready = |said: String| Error::NotReady { said };
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build();
    let threads = threads.map_err(|error| not_ready(format!("no threads: {error}")))?;
    let served = threads.block_on(async {
        socket.set_nonblocking(true)?;
        let socket = tokio::net::UnixStream::from_std(socket)?;
        Ok::<_, io::Error>(serve(socket, setup, walls).await)
    });
    // Guests that still run end with the process.
    threads.shutdown_background();
    match served {
        Ok(Ok(())) => Ok(()),
        Ok(Err(broken)) => Err(not_ready(broken.to_string())),
        Err(error) => Err(not_ready(error.to_string())),
    }
}

/// Puts up the walls of a worker that sees no directory around this process, and tries to get past them. To be called before
/// any thread is started.
pub fn check() -> (Walls, Vec<Attempt>) {
    (Walls::raise(&[], CHECK_MEMORY_BYTES), attempts())
}
