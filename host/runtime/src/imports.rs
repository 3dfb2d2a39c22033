//! The host's side of each import, one file each, and the linker that joins them.

pub(crate) mod chance;
pub(crate) mod clocks;
pub(crate) mod directory;
pub(crate) mod errors;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod recorded;
pub(crate) mod replayed;
pub(crate) mod sockets;
pub(crate) mod stdio;
pub(crate) mod told;
pub(crate) mod waits;
pub(crate) mod wasi;

use crate::state::State;
use wasmtime::component::Linker;

/// All of WASI 0.2 that the contract has; each contract's adapter adds its own imports to it.
pub(crate) fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    linker.allow_shadowing(true);
    files::refuse_what_is_no_file(&mut linker)?;
    sockets::refuse_name_lookups(&mut linker)?;
    http::free_request_options(&mut linker)?;
    http::tell_body_errors(&mut linker)?;
    errors::hide_backtraces(&mut linker)?;
    waits::taped(&mut linker)?;
    linker.allow_shadowing(false);
    Ok(linker)
}
