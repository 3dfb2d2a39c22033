//! Turns the engine's error into what happened, in the user's words: a limit, a crash with its place, a broken contract.

use crate::engine::STACK_BYTES;
use crate::logs::Logs;
use crate::meter::{LimitHit, Meter};
use crate::text::clean;
use egress::Caps;
use pipeline::failure::{Cause, Frame, GuestError};
use rustix::io::Errno;
use std::fmt;
use wasmtime::component::ResourceTableError;
use wasmtime::{OutOfMemory, PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Frames shown; the innermost say most.
const FRAMES_MAX: usize = 16;
/// Functions named where the stack overflowed: enough to see the circle of a recursion.
const OVERFLOW_FRAMES: usize = 4;
/// Frames of the panic machinery, which say nothing about the connector.
const MACHINERY: [&str; 8] = ["std::", "core::", "alloc::", "__rust", "rust_", "abort", "__rustc", "cabi_"];
/// The stack stands at the start of memory: running out of it wraps around to the end of the address space, by as much as one
/// frame; 16 MiB is the largest that a compiler lets pass.
const STACK_WRAP: u64 = 0xff00_0000;

/// Marks what fails while an instance is made.
#[derive(Debug)]
pub(crate) struct Instantiating;

impl fmt::Display for Instantiating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed to make an instance")
    }
}

/// Whether the machine had no memory, or no addresses, to give.
pub(crate) fn is_out_of_memory(error: &wasmtime::Error) -> bool {
    if let Some(errno) = error.downcast_ref::<Errno>() {
        return matches!(*errno, Errno::NOMEM | Errno::AGAIN);
    }
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return error.kind() == std::io::ErrorKind::OutOfMemory;
    }
    error.downcast_ref::<OutOfMemory>().is_some()
}

pub(crate) fn explain(error: &wasmtime::Error, meter: &Meter, logs: &Logs) -> Cause {
    if let Some(hit) = error.downcast_ref::<LimitHit>().cloned().or_else(|| meter.first_hit()) {
        return limit(hit);
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        let message = format!("it ended the process with status {}; a connector returns instead", exit.0);
        return Cause::Guest(GuestError::Bug(message));
    }
    if let Some(full) = error.downcast_ref::<PoolConcurrencyLimitError>() {
        return Cause::NoRoom(full.to_string());
    }
    if is_out_of_memory(error) {
        return Cause::OutOfMemory(error.root_cause().to_string());
    }
    let text = format!("{:#}", error);
    let root = error.root_cause().to_string();
    if let Some(hit) = engine_limit(error, &root, meter) {
        return limit(hit);
    }
    let frames = frames(error);
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => limit(stack_overflow(&frames, meter)),
        Some(trap) => Cause::Trap { message: meter.told(&trap_message(*trap, &text, logs)), frames },
        // The guest's own code was on the stack: it ran into something that the host refused.
        None if !frames.is_empty() => Cause::Contract(meter.told(&root)),
        // Types and sizes were judged when it was loaded, and no line of it ran: it is not for the connector to explain.
        None if error.downcast_ref::<Instantiating>().is_some() => {
            Cause::Host(format!("an instance cannot be made: {root}"))
        }
        None => Cause::Contract(format!("it returned a malformed value: {}", meter.told(&root))),
    }
}

/// A limit as the failure tells it.
pub(crate) fn limit(hit: LimitHit) -> Cause {
    Cause::Limit { name: hit.name.into(), allowed: hit.allowed, message: hit.message }
}

/// An error that the guest returned. A limit that its call hit explains it better; and where the host refused something
/// during the call, trying again would be refused again, whatever the guest takes it for.
pub(crate) fn explain_returned(error: GuestError, meter: &Meter) -> Cause {
    match (meter.first_hit(), error) {
        (Some(hit), _) => limit(hit),
        (None, GuestError::Transient { message, .. }) if meter.was_denied() => {
            Cause::Guest(GuestError::Denied(message))
        }
        (None, error) => Cause::Guest(error),
    }
}

/// Limits that the engine counts itself and reports in words of its own.
fn engine_limit(error: &wasmtime::Error, root: &str, meter: &Meter) -> Option<LimitHit> {
    let handles = || {
        let allowed = format!("{} handles", meter.limits.handles);
        meter.hit("handles", allowed, root.to_owned())
    };
    if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        return Some(handles());
    }
    if root.contains("handle") && root.contains("limit") || root.contains("resource table has no free keys") {
        return Some(handles());
    }
    if root.contains("fuel allocated for hostcalls") || root.contains("hostcall") && root.contains("fuel") {
        let message = "one call passed more than the host may allocate for it".to_owned();
        return Some(meter.hit("hostcall_bytes", "32 MiB".into(), message));
    }
    if root.contains("total size of fields exceeds limit") {
        // The engine allows twice as much, before egress counts.
        let allowed = format!("{} bytes", Caps::default().request_head_bytes);
        return Some(meter.hit("request_head_bytes", allowed, "the headers of one request".into()));
    }
    if root.contains("resource limit exceeded") || root.contains("count too high") {
        let allowed = format!("{} of each kind", meter.limits.instances);
        return Some(meter.hit("instances", allowed, root.to_owned()));
    }
    None
}

/// The stack on which the engine runs a guest, the same for all; where it ends says more than that it does.
fn stack_overflow(frames: &[Frame], meter: &Meter) -> LimitHit {
    let mut functions: Vec<&str> = frames.iter().map(|frame| frame.function.as_str()).collect();
    functions.dedup();
    functions.truncate(OVERFLOW_FRAMES);
    let place =
        if functions.is_empty() { String::new() } else { format!(" in {}", functions.join(", called by ")) };
    meter.hit("stack_bytes", format!("{STACK_BYTES} bytes"), format!("its stack overflowed{place}"))
}

fn trap_message(trap: Trap, text: &str, logs: &Logs) -> String {
    match trap {
        Trap::UnreachableCodeReached => {
            logs.panic_message().unwrap_or_else(|| "it aborted without a message".into())
        }
        Trap::MemoryOutOfBounds if wrapped_stack(text) => {
            "its stack overflowed (the one in its memory, as large as its linker made it)".into()
        }
        Trap::MemoryOutOfBounds => "it read or wrote outside of its memory".into(),
        other => other.to_string(),
    }
}

/// Whether the fault is at an address that only a stack pointer below zero reaches.
fn wrapped_stack(text: &str) -> bool {
    let Some((_, address)) = text.split_once("memory fault at wasm address 0x") else { return false };
    let digits: String = address.chars().take_while(char::is_ascii_hexdigit).collect();
    u64::from_str_radix(&digits, 16).is_ok_and(|address| address >= STACK_WRAP)
}

fn frames(error: &wasmtime::Error) -> Vec<Frame> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let mut frames = Vec::new();
    for frame in backtrace.frames() {
        let symbols = frame.symbols();
        let symbol = symbols.first();
        let raw = symbol.and_then(|symbol| symbol.name()).or(frame.func_name()).unwrap_or("unnamed function");
        let function = format!("{:#}", rustc_demangle::demangle(raw));
        if MACHINERY.iter().any(|prefix| function.starts_with(prefix)) {
            continue;
        }
        let place = symbol.and_then(|symbol| Some(format!("{}:{}", symbol.file()?, symbol.line()?)));
        frames.push(Frame { function: clean(&function, 256), place });
    }
    frames.truncate(FRAMES_MAX);
    frames
}
