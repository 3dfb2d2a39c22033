//! The WASI context of one instance: empty but for what was granted.

use super::chance;
use super::clocks::{CoarseMonotonic, CoarseWall, StillMonotonic, StillWall, TapedMonotonic, TapedWall};
use super::directory::Directory;
use super::stdio::LineStream;
use crate::logs::{Logs, Output};
use cassette::Tape;
use std::sync::Arc;
use wasmtime_wasi::{FsPerms, WasiCtx};

/// More random bytes at once than any key needs is a mistake or an attack.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// Whether clocks and randomness are real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    /// They are.
    Real,
    /// They stand still: the same call gives the same answer.
    Still,
}

/// No environment, no arguments, no sockets, no terminal, the granted directories.
pub(crate) fn context(
    directories: &[Directory],
    logs: &Arc<Logs>,
    world: World,
    tape: Option<&Tape>,
) -> wasmtime::Result<WasiCtx> {
    let mut builder = WasiCtx::builder();
    builder
        .stdout(LineStream::new(logs.clone(), Output::Stdout))
        .stderr(LineStream::new(logs.clone(), Output::Stderr))
        .max_random_size(RANDOM_BYTES_MAX)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false);
    match world {
        World::Real => builder.wall_clock(CoarseWall).monotonic_clock(CoarseMonotonic::new()),
        World::Still => builder
            .wall_clock(StillWall)
            .monotonic_clock(StillMonotonic)
            .secure_random(wasmtime_wasi::random::Deterministic::new(vec![0x5c]))
            .insecure_random(wasmtime_wasi::random::Deterministic::new(vec![0x5c]))
            .insecure_random_seed(0x5c),
    };
    if let Some(tape) = tape {
        builder.wall_clock(TapedWall(tape.clone())).monotonic_clock(TapedMonotonic::new(tape.clone()));
        chance::of_tape(&mut builder, tape);
    }
    for directory in directories {
        let perms = if directory.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        let opened = directory.open()?;
        builder.preopened_dir(opened.path(), format!("/{}", directory.name), perms)?;
    }
    Ok(builder.build())
}
