//! A destination that counts rows and keeps none, for tests and benchmarks. It has no durability: what it says of a
//! commit is forgotten with its instance.

mod config;
mod destination;
mod totals;
mod touch;
mod writer;

pub use config::{Config, RowLayout};
pub use destination::Null;
pub use totals::{Totals, Values};
pub use writer::NullWriter;

cofferdam_sdk::export!(destination = Null, manifest = "connector.toml");
