//! Rust types for values, and how each of them travels in a column.

mod decimal;
mod moment;
pub(crate) mod text;
mod value;

pub use decimal::Decimal;
pub(crate) use decimal::fits;
pub use moment::{Date, LocalTime, LocalTimestamp, Time, Timestamp};
pub use value::{Patch, Value};

#[cfg(test)]
mod tests;
