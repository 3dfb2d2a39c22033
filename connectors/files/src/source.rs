//! Files as a source.

mod columnar;
mod csv;
mod csv_file;
mod cursor;
mod draft;
mod guess;
mod json;
mod json_file;
mod json_lines;
mod mark;
mod open_file;
mod open_json;
mod partitions;
mod reader;
mod rows;
mod shape;
mod splitter;
mod streams;

use cofferdam_sdk::{Catalog, Error, OpenRead, Result, Source};

pub use crate::config::SourceConfig;
pub use reader::FilesReader;
use shape::{Shape, unknown_columns};
pub(crate) use splitter::first_row;
use streams::streams;

/// Files as a source.
pub struct FilesSource;

impl Source for FilesSource {
    type Config = SourceConfig;
    type Reader = FilesReader;

    fn check(config: &SourceConfig) -> Result<()> {
        Self::discover(config).map(drop)
    }

    fn discover(config: &SourceConfig) -> Result<Catalog> {
        config.validate()?;
        let mut found = Vec::new();
        for stream in streams(config)? {
            let shape = Shape::of(config, &stream)?;
            // A file without a header says nothing of itself yet; others must not wait for it.
            if shape.fields.is_empty() && !shape.is_open {
                log::warn!("stream `{}` is left out: its files have no rows and no header", stream.name);
            } else {
                found.push((stream.name, shape));
            }
        }
        if found.is_empty() {
            return Err(Error::data(format!("the files `{}` have no rows and no header", config.path)));
        }
        if let Some(name) = unknown_columns(config, found.iter().map(|(_, shape)| shape)) {
            return Err(Error::config(format!("/columns/{name}"), "no file has a column of this name"));
        }
        Ok(Catalog::new(found.iter().map(|(stream, shape)| shape.info(stream))))
    }

    fn open(config: SourceConfig, read: OpenRead) -> Result<FilesReader> {
        FilesReader::open(config, &read)
    }
}
