//! One binary for everything that links the engine.

mod components;
mod harness;
mod hostile;
mod limits;
mod sandbox;
