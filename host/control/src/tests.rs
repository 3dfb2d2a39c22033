//! The tests of this crate: over the real storage, with an engine in memory.

mod answers;
mod audit;
mod audit_crash;
mod audit_files;
mod components;
mod connections;
mod deletion;
mod directories;
mod endpoints;
mod events;
mod events_crash;
mod events_left;
mod live;
mod operators;
mod organizations;
mod quarantine;
mod queue;
mod queue_crash;
mod scheduler;
mod sessions;
mod syncs;
mod tokens;
mod users;
mod world;
mod zones;
