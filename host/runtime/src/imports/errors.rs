//! `wasi:io/error`: what a guest may read of a failed stream. The engine's own answer prints an error with everything that
//! hangs on it, a backtrace of the host among it.

use crate::state::State;
use crate::text::clean;
use wasmtime::component::{Linker, Resource};

/// An error's text says what failed; a connector needs no more of it.
const TEXT_BYTES_MAX: usize = 1 << 10;

pub(crate) fn hide_backtraces(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut error = linker.instance("wasi:io/error@0.2.12")?;
    error.func_wrap("[method]error.to-debug-string", |store, (error,): (Resource<wasmtime::Error>,)| {
        let error = store.data().table.get(&error)?;
        Ok((clean(&format!("{error:#}"), TEXT_BYTES_MAX),))
    })
}
