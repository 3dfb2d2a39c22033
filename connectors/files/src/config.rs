//! The configuration. One schema serves both roles; each takes the part that is its own.

mod dialect;

use std::collections::BTreeMap;

use cofferdam_sdk::{Error, Result};
use serde::Deserialize;

use crate::kind::Kind;

use dialect::CsvConfig;
pub(crate) use dialect::Dialect;

/// How rows are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    Csv,
    JsonLines,
    Parquet,
}

/// How bytes are made fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compression {
    None,
    Gzip,
    Snappy,
}

/// What the files of a pattern become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Streams {
    #[default]
    PerFile,
    One,
}

/// What to read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    pub(crate) path: String,
    pub(crate) format: Option<Format>,
    pub(crate) compression: Option<Compression>,
    #[serde(default)]
    pub(crate) streams: Streams,
    pub(crate) stream: Option<String>,
    #[serde(default)]
    pub(crate) partitions: bool,
    #[serde(default)]
    pub(crate) growing: bool,
    #[serde(default = "default_infer_rows")]
    pub(crate) infer_rows: usize,
    #[serde(default)]
    pub(crate) columns: BTreeMap<String, Kind>,
    #[serde(default)]
    csv: CsvConfig,
}

fn default_infer_rows() -> usize {
    1000
}

impl SourceConfig {
    /// What serde cannot see.
    pub(crate) fn validate(&self) -> Result<()> {
        if !self.path.starts_with('/') {
            return Err(Error::config("/path", "must begin with `/` and the name of a granted directory"));
        }
        if self.stream.is_some() && self.streams == Streams::PerFile && self.path.contains(['*', '?', '[']) {
            let message = "names one stream, but each file is one: add `streams = \"one\"`";
            return Err(Error::config("/stream", message));
        }
        if self.compression == Some(Compression::Snappy) {
            return Err(Error::config("/compression", "a source knows `none` and `gzip`"));
        }
        self.csv.dialect("").map(drop)
    }

    /// How CSV files of this name are written.
    pub(crate) fn dialect(&self, path: &str) -> Result<Dialect> {
        self.csv.dialect(path)
    }
}

/// Where to write, and how.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    pub(crate) directory: String,
    #[serde(default = "default_format")]
    pub(crate) format: Format,
    pub(crate) compression: Option<Compression>,
    #[serde(default = "default_name")]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) single_file: bool,
    #[serde(default)]
    csv: CsvConfig,
}

fn default_format() -> Format {
    Format::JsonLines
}

fn default_name() -> String {
    "{stream}".to_owned()
}

impl DestinationConfig {
    /// What serde cannot see.
    pub(crate) fn validate(&self) -> Result<()> {
        if !self.directory.starts_with('/') {
            let message = "must begin with `/` and the name of a granted directory";
            return Err(Error::config("/directory", message));
        }
        if self.directory.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(Error::config("/directory", "must not hold `.` or `..` as a part"));
        }
        if !self.name.contains("{stream}") {
            return Err(Error::config("/name", "must hold `{stream}`, or streams would share their files"));
        }
        if self.name.starts_with('.') || self.name.contains('/') {
            return Err(Error::config("/name", "must not begin with `.` nor hold `/`"));
        }
        if self.format != Format::Parquet && self.compression == Some(Compression::Snappy) {
            return Err(Error::config("/compression", "`snappy` is for Parquet only"));
        }
        if self.single_file && self.format == Format::Parquet {
            let message = "is not possible for Parquet: nothing can be added to a Parquet file";
            return Err(Error::config("/single_file", message));
        }
        self.csv.dialect("").map(drop)
    }

    /// How CSV files are written.
    pub(crate) fn dialect(&self) -> Result<Dialect> {
        self.csv.dialect("")
    }
}

#[cfg(test)]
mod tests;
