//! Limits of the system on one process.

use super::Wall;
use rustix::process::{Resource, Rlimit, setrlimit};

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
    match refused.len() {
        0 => Wall::Holds,
        all if all == limits.len() => Wall::Missing(refused.join(", ")),
        _ => Wall::Partly(refused.join(", ")),
    }
}
