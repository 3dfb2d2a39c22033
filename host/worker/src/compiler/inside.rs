//! The process that compiles: it hears one component, answers with its code, and ends. It needs no thread but those of the
//! compiler, and waits for nothing but its parent.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use super::said::{FromCompiler, Order};
use crate::frame::{self, Broken, PART_BYTES};

/// Returns when all was said, or the parent is gone.
pub(crate) fn compile(mut socket: UnixStream, order: &Order) -> Result<(), Broken> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < order.bytes {
        let frame = frame::read_blocking(&mut socket)?;
        bytes.extend_from_slice(frame::decoded::<&serde_bytes::Bytes>(&frame)?);
    }
    end_with_parent(socket.try_clone()?)?;
    match order.compiling.compile(&bytes) {
        Ok(code) => {
            for part in code.chunks(PART_BYTES) {
                say(&mut socket, &FromCompiler::Part(part))?;
            }
            say(&mut socket, &FromCompiler::Done)
        }
        Err(error) => {
            let (code, message) = (error.code().to_owned(), error.to_string());
            say(&mut socket, &FromCompiler::Refused { code, message })
        }
    }
}

/// A compilation cannot be interrupted, and may be one that takes hours. Nothing more comes but the parent's end.
fn end_with_parent(mut socket: UnixStream) -> io::Result<()> {
    let wait = move || {
        let _ = socket.read(&mut [0]);
        std::process::exit(1);
    };
    thread::Builder::new().name("parent".into()).spawn(wait).map(drop)
}

fn say(socket: &mut UnixStream, what: &FromCompiler<'_>) -> Result<(), Broken> {
    Ok(socket.write_all(&frame::encoded(what)?)?)
}
