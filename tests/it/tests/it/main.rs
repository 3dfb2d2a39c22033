//! One binary for everything that links the engine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests fail as tests do"
)]

mod baseline;
mod components;
mod contract;
mod covered;
mod directories;
mod fairness;
mod habits;
mod harness;
mod hostile;
mod hostile_wat;
mod interrupted;
mod limits;
mod machine;
mod network;
mod oracle;
mod runs;
mod sandbox;
mod tenants;
mod threads;
