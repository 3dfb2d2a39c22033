//! CSV, JSON Lines and Parquet files, as a source and as a destination.
//!
//! Everything here is ordinary `std::fs`: the host decides which directories exist.

mod columns;
mod config;
mod destination;
mod input;
mod kind;
mod source;
mod text;

pub use destination::{DestinationConfig, FilesDestination, FilesWriter};
pub use source::{FilesReader, FilesSource, SourceConfig};

cofferdam_sdk::export!(source = FilesSource, destination = FilesDestination, manifest = "connector.toml");
