//! The tests of this crate: over the real storage, with an engine in memory.

mod port;
mod world;
