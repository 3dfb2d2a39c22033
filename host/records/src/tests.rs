//! The tests of this crate: over the real storage, with an engine in memory.

mod crash;
mod errors;
mod history;
mod log;
mod port;
mod positions;
mod retention;
mod rows;
mod world;
