//! Columns being filled: typed, appended to in place, and taken back by the row when a value does not fit.
//!
//! The SDK's builder reports a wrong value at its end; a reader of files must take back the row and go on.

mod bits;
mod column;
mod parse;
mod table;

pub(crate) use bits::push_bit;
pub(crate) use column::{Column, push_decimal, push_variable};
pub(crate) use parse::{is_float, is_integer, parse_integer};
pub(crate) use table::Table;

#[cfg(test)]
mod tests;
