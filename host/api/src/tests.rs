//! The tests of this crate: the real routes over the real `control` and storage, with an engine in memory.

mod asked;
mod attacks;
mod connections;
mod connectors;
mod described;
mod errors;
mod matrix;
mod once;
mod origins;
mod story;
mod world;
