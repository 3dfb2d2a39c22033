//! Parquet files: column by column, a block of rows at a time.

mod annotation;
mod chunks;
mod convert;
mod decimal;
mod file;
mod leaf;
mod nested;
mod plan;
mod rows;

pub(crate) use file::ParquetFile;
pub(crate) use plan::RootField;
pub(crate) use rows::ParquetRows;
