//! Compiles components, each in a process of its own: behind the walls of a worker, with that component and nothing else.
//!
//! Compiled code is run by later workers as it is, so whoever compiles is trusted with it. One process that saw the components
//! of several publishers could put what one of them wants into the code of another; one that sees a single component can only
//! spoil that component's own. What comes back is kept under the digest of what was sent, by this half, which alone has the
//! key of the tags.

mod inside;
mod said;
#[cfg(test)]
pub(crate) mod tests;

use runtime::{Inspection, Runtime};
use std::os::unix::net::UnixStream as StdStream;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;

use crate::error::{Error, NotCompiled};
use crate::frame::{self, Broken, PART_BYTES};
use crate::message::{Beginning, VERSION};
use crate::parent::{Ended, Process, Program, is_code, tally};
pub(crate) use inside::compile;
use runtime::text::clean;
use said::FromCompiler;
pub(crate) use said::Order;

/// A component of 64 MiB, which is the largest, has some five times as much code.
const CODE_BYTES_MAX: usize = 512 << 20;
/// Of what a compiler says against a component.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

/// Compiles components for one engine. Cheap to clone.
#[derive(Clone)]
pub struct Compiler {
    inner: Arc<Inner>,
}

struct Inner {
    runtime: Runtime,
    program: Program,
    memory_bytes: u64,
    turns: Semaphore,
}

impl Compiler {
    /// Memory that one compilation may take. The largest connector that we know, Python's interpreter, takes a fifth of it.
    pub const MEMORY_BYTES: u64 = 2 << 30;

    /// A compiler for this engine, whose processes are of this program.
    pub fn new(runtime: Runtime, program: Program, memory_bytes: u64) -> Self {
        // One uses all processors where it can, and half of the machine is for what runs.
        let at_once = std::thread::available_parallelism().map_or(1, |all| (all.get() / 2).max(1));
        Self { inner: Arc::new(Inner { runtime, program, memory_bytes, turns: Semaphore::new(at_once) }) }
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.inner.runtime
    }

    pub(crate) fn program(&self) -> &Program {
        &self.inner.program
    }

    /// The code of a component: as it is kept, or compiled and kept. Dropping the future ends the process.
    ///
    /// # Errors
    /// As [`NotCompiled`] says.
    pub async fn code(&self, inspection: &Inspection, bytes: &[u8]) -> Result<Vec<u8>, NotCompiled> {
        let Inner { runtime, turns, .. } = &*self.inner;
        if let Some(code) = runtime.kept_code(&inspection.digest) {
            return Ok(code);
        }
        // Nobody closes it.
        let _turn = turns.acquire().await;
        // Whoever waited may find that another has compiled the same.
        if let Some(code) = runtime.kept_code(&inspection.digest) {
            return Ok(code);
        }
        let code = self.compiled(bytes).await?;
        runtime.keep_code(&inspection.digest, &code);
        Ok(code)
    }

    async fn compiled(&self, bytes: &[u8]) -> Result<Vec<u8>, NotCompiled> {
        let Inner { runtime, program, memory_bytes, .. } = &*self.inner;
        let (process, socket) = Process::start(program)
            .map_err(|source| Error::Start { action: "start a process that compiles", source })?;
        let order = Order {
            version: VERSION,
            memory_bytes: *memory_bytes,
            compiling: runtime.compiling(),
            bytes: bytes.len() as u64,
        };
        let allowed = runtime.compile_timeout();
        let said = tokio::time::timeout(allowed, exchanged(socket, order, bytes)).await;
        let ended = process.ended().await;
        match said {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(broken)) => Err(lost(&broken, &ended)),
            Err(_) => Err(NotCompiled::by(&runtime::Error::CompileTimeout { allowed })),
        }
    }
}

/// It ended, or said what no compiler says.
fn lost(broken: &Broken, ended: &Ended) -> NotCompiled {
    tally::lost();
    let (how, words) = (format!("{broken}; {}", ended.how), clean(&ended.words, MESSAGE_BYTES_MAX));
    tracing::warn!(how, words, "a process that compiled was lost");
    NotCompiled::Lost { how, words }
}

/// Gives a component to a process, and hears what comes of it.
async fn exchanged(
    socket: StdStream,
    order: Order,
    bytes: &[u8],
) -> Result<Result<Vec<u8>, NotCompiled>, Broken> {
    socket.set_nonblocking(true)?;
    let mut socket = UnixStream::from_std(socket)?;
    socket.write_all(&frame::encoded(&Beginning::Compiler(order))?).await?;
    for part in bytes.chunks(PART_BYTES) {
        socket.write_all(&frame::encoded(&serde_bytes::Bytes::new(part))?).await?;
    }
    let mut code = Vec::new();
    loop {
        let frame = frame::read(&mut socket).await?;
        match frame::decoded(&frame)? {
            FromCompiler::Part(part) => {
                code.extend_from_slice(part);
                if code.len() > CODE_BYTES_MAX {
                    return Err(Broken::Protocol(format!(
                        "it gave more than {CODE_BYTES_MAX} bytes of code"
                    )));
                }
            }
            FromCompiler::Done if code.is_empty() => {
                return Err(Broken::Protocol("it was done, and gave no code".into()));
            }
            FromCompiler::Done => return Ok(Ok(code)),
            FromCompiler::Refused { code, message } if is_code(&code) => {
                let message = clean(&message, MESSAGE_BYTES_MAX);
                return Ok(Err(NotCompiled::Refused { code, message }));
            }
            FromCompiler::Refused { .. } => {
                return Err(Broken::Protocol("it refused a component for no reason that there is".into()));
            }
        }
    }
}
