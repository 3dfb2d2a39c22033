//! `wasi:sockets`: there, because every toolchain imports it, and refused. Creating a socket answers `access-denied` by
//! the default of the WASI context; looking up a name answers "no such name" there, so it is replaced.

use crate::state::State;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup::ResolveAddressStream;
use wasmtime_wasi::p2::bindings::sockets::network::{ErrorCode, Network};

pub(crate) fn refuse_name_lookups(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut lookup = linker.instance("wasi:sockets/ip-name-lookup@0.2.12")?;
    lookup.func_wrap("resolve-addresses", |_, _: (Resource<Network>, String)| {
        let refused: Result<Resource<ResolveAddressStream>, ErrorCode> = Err(ErrorCode::AccessDenied);
        Ok((refused,))
    })
}
