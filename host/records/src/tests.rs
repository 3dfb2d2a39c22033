//! The tests of this crate: over the real storage, with an engine in memory.

mod by_organization;
mod canary;
mod chunks;
mod crash;
mod credentials;
mod errors;
mod history;
mod log;
mod model;
mod port;
mod positions;
mod reprocess;
mod request;
mod retention;
mod rows;
mod superseded;
mod systems;
mod world;
