//! Limits of the system on one process.

use super::Wall;
use rustix::io;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// A thousand handles for each of a few instances, and what the engine opens itself.
const OPEN_FILES: u64 = 8 << 10;

pub(super) fn raise(memory_bytes: u64) -> Wall {
    // Of memory only what may be written is counted: the engine reserves far more addresses than it ever uses.
    let limits = [(Resource::Core, 0), (Resource::Data, memory_bytes), (Resource::Nofile, OPEN_FILES)];
    let mut refused = Vec::new();
    for (resource, most) in limits {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        if let Err(error) = setrlimit(resource, limit) {
            refused.push(format!("{resource:?}: {error}"));
        }
    }
    if let Err(error) = never_before_others() {
        refused.push(format!("priority: {error}"));
    }
    match refused.len() {
        0 => Wall::Holds,
        all if all == limits.len() + 1 => Wall::Missing(refused.join(", ")),
        _ => Wall::Partly(refused.join(", ")),
    }
}

/// A server that root started may put threads before all others of the machine. A worker, which may say that a thread goes behind
/// them, may not.
fn never_before_others() -> io::Result<()> {
    let mut sets = capabilities(None)?;
    for set in [&mut sets.effective, &mut sets.permitted, &mut sets.inheritable] {
        set.remove(CapabilitySet::SYS_NICE);
    }
    set_capabilities(None, sets)
}
