//! See `../README.md`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "the helpers of tests fail as tests do, and say how many cuts they made"
)]

mod bare;
mod campaign;
mod engine;
mod faults;
mod keyring;
mod recorder;
mod sealed;
mod shreds;
mod site;
mod steps;
