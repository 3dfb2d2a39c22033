//! The tests of this crate: the real routes over the real `control` and storage, with an engine in memory.

mod asked;
mod attacks;
mod bad_input;
mod certificates;
mod connecting;
mod connections;
mod connectors;
mod deletion;
mod described;
mod errors;
mod events;
mod glass;
mod kept;
mod live;
mod matrix;
mod once;
mod operations;
mod origins;
mod records;
mod shop;
mod story;
mod syncs;
mod works;
mod world;
mod wrong;
