//! The tests of this crate: over the real storage, with an engine in memory.

mod audit;
mod audit_crash;
mod audit_files;
mod users;
mod world;
