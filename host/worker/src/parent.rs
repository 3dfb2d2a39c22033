//! The parent's half: starts workers, calls into connectors that run there, and does for them what needs trust.

mod component;
mod connection;
mod crew;
mod judge;
mod link;
mod listen;
mod losses;
mod process;
mod requests;
mod roles;
mod served;
mod sight;
pub(crate) mod tally;
#[cfg(test)]
mod tests;
mod used;
mod webhook;

pub use component::Loaded;
pub use connection::Connection;
pub use crew::Crew;
pub(crate) use judge::is_code;
pub use losses::{CRASHES_MAX, Losses, Passing};
pub use process::Program;
pub(crate) use process::{Ended, Process};
pub use roles::{Destination, Source, Transform};
pub use tally::{Tally, tally};
pub use webhook::Webhook;
