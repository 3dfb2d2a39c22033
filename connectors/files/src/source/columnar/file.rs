//! One Parquet file: opened, its fields known.

use std::fs::File;

use cofferdam_sdk::{Error, Result};
use parquet::{
    basic::Compression,
    errors::ParquetError,
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
};

use super::{
    chunks::Chunks,
    plan::{RootField, plan},
};
use crate::{
    config::SourceConfig,
    input::{Snapshot, explain},
};

pub(crate) struct ParquetFile {
    pub(crate) path: String,
    pub(crate) snapshot: Snapshot,
    pub(crate) reader: SerializedFileReader<Chunks>,
    pub(crate) fields: Vec<RootField>,
}

impl ParquetFile {
    pub(crate) fn open(config: &SourceConfig, path: &str) -> Result<Self> {
        let snapshot = Snapshot::of(path)?;
        let file = File::open(path).map_err(|fault| explain("opening", path, fault))?;
        let chunks = Chunks::new(file, snapshot.size);
        let reader = SerializedFileReader::new(chunks).map_err(|fault| unreadable(path, snapshot, &fault))?;
        check_compression(path, &reader)?;
        let fields = plan(reader.metadata().file_metadata().schema_descr())
            .map_err(|fault| Error::data(format!("`{path}`: {fault}")))?;
        let fields = fields.into_iter().map(|field| {
            let wanted = config.columns.get(&field.name);
            field.with_kind(wanted)
        });
        Ok(Self { path: path.to_owned(), snapshot, reader, fields: fields.collect::<Result<_>>()? })
    }

    pub(crate) fn unreadable(&self, fault: &ParquetError) -> Error {
        unreadable(&self.path, self.snapshot, fault)
    }
}

/// A file that changes is told from one that is broken.
fn unreadable(path: &str, snapshot: Snapshot, fault: &ParquetError) -> Error {
    match snapshot.verify(path, false) {
        Err(changed) => changed,
        Ok(()) => Error::data(format!("`{path}` is no sound Parquet: {fault}")),
    }
}

/// Said before the first row, and in plain words.
fn check_compression(path: &str, reader: &SerializedFileReader<Chunks>) -> Result<()> {
    for group in reader.metadata().row_groups() {
        for column in group.columns() {
            let name = match column.compression() {
                Compression::BROTLI(_) => "brotli",
                Compression::LZO => "lzo",
                Compression::ZSTD(_) => "zstd",
                _ => continue,
            };
            return Err(Error::data(format!(
                "`{path}` is compressed with {name}, which is not read here: snappy, gzip, lz4 and none are"
            )));
        }
    }
    Ok(())
}
