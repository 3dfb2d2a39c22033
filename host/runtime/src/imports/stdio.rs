//! Standard output and standard error: cut into lines and logged. Neither is a terminal.

use crate::logs::{Logs, Output};
use bytes::Bytes;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// A guest may write so much at a time.
const WRITE_BYTES_MAX: usize = 64 << 10;
/// A line without an end is logged in pieces of this size, so that the host never keeps more of it.
const PIECE_BYTES: usize = 64 << 10;

/// One of the two streams. Clones are the same stream.
#[derive(Clone)]
pub(crate) struct LineStream {
    logs: Arc<Logs>,
    output: Output,
    open_line: Arc<Mutex<Vec<u8>>>,
}

impl LineStream {
    pub(crate) fn new(logs: Arc<Logs>, output: Output) -> Self {
        Self { logs, output, open_line: Arc::default() }
    }

    fn take(&self, bytes: &[u8]) -> Result<(), wasmtime::Error> {
        let mut open_line = self.open_line.lock().unwrap_or_else(PoisonError::into_inner);
        open_line.extend_from_slice(bytes);
        while let Some(end) = open_line.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = open_line.drain(..=end).collect();
            self.log(&line)?;
        }
        if open_line.len() >= PIECE_BYTES {
            let piece = std::mem::take(&mut *open_line);
            self.log(&piece)?;
        }
        Ok(())
    }

    fn log(&self, line: &[u8]) -> Result<(), wasmtime::Error> {
        let text = String::from_utf8_lossy(line);
        self.logs.output(self.output, text.trim_end_matches(['\n', '\r'])).map_err(wasmtime::Error::new)
    }
}

impl IsTerminal for LineStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LineStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes).map_err(StreamError::Trap)
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(
            self.take(bytes).map(|()| bytes.len()).map_err(|error| std::io::Error::other(error.to_string())),
        )
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
