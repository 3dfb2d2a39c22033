//! A source of made-up rows for tests and benchmarks. A value depends on the seed, the stream, the field and the number
//! of its row, and on nothing else: any row can be made without those before it.

mod column;
mod config;
mod pool;
mod preset;
mod random;
mod reader;
mod source;
#[cfg(test)]
mod tests;
mod words;

pub use config::{Config, Group, Operation, Preset, RejectAs, RowLayout, Stream};
pub use reader::FakerReader;
pub use source::Faker;

cofferdam_sdk::export!(source = Faker, manifest = "connector.toml");
