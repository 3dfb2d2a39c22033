//! Files as a destination.

pub use crate::config::DestinationConfig;
