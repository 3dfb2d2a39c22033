//! Which files make which stream, and how each is written.

use std::collections::BTreeMap;

use cofferdam_sdk::{Error, Result};

use crate::{
    config::{Compression, Format, SourceConfig, Streams},
    input::{FoundFile, find},
};

/// One stream and its files.
#[derive(Debug)]
pub(crate) struct StreamFiles {
    pub(crate) name: String,
    pub(crate) format: Format,
    /// The folder below which the names of the files begin.
    pub(crate) root: String,
    pub(crate) files: Vec<FoundFile>,
}

impl StreamFiles {
    pub(crate) fn path(&self, file: &str) -> String {
        format!("{}/{file}", self.root)
    }
}

/// All streams of a configuration.
pub(crate) fn streams(config: &SourceConfig) -> Result<Vec<StreamFiles>> {
    let found = find(&config.path)?;
    let is_pattern = config.path.contains(['*', '?', '[']);
    let name_of = |file: &str| match (config.streams, &config.stream) {
        (_, Some(name)) => name.clone(),
        (Streams::One, None) if is_pattern => found.root.rsplit('/').next().unwrap_or("files").to_owned(),
        _ => bare_name(file).to_owned(),
    };
    let mut streams: BTreeMap<String, StreamFiles> = BTreeMap::new();
    for file in found.files {
        let (name, format) = (name_of(&file.name), format_of(config, &file.name)?);
        let stream = streams.entry(name.clone()).or_insert_with(|| StreamFiles {
            name: name.clone(),
            format,
            root: found.root.clone(),
            files: Vec::new(),
        });
        if let (Streams::PerFile, Some(other)) = (config.streams, stream.files.first()) {
            let message = format!(
                "`{}` and `{}` would both be the stream `{name}`: let the pattern match one of them, or say \
                 `streams = \"one\"`",
                other.name, file.name
            );
            return Err(Error::config("/path", message));
        }
        if stream.format != format {
            let message =
                format!("stream `{name}`: `{}` is of another format than the files before it", file.name);
            return Err(Error::data(message));
        }
        stream.files.push(file);
    }
    Ok(streams.into_values().collect())
}

/// Whether a file is packed.
pub(crate) fn is_gzip(config: &SourceConfig, file: &str) -> bool {
    match config.compression {
        Some(compression) => compression == Compression::Gzip,
        None => file.ends_with(".gz"),
    }
}

fn format_of(config: &SourceConfig, file: &str) -> Result<Format> {
    if let Some(format) = config.format {
        return Ok(format);
    }
    let (_, ending) = unpacked(file).rsplit_once('.').unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "tab" | "txt" => Ok(Format::Csv),
        "jsonl" | "ndjson" | "json" => Ok(Format::JsonLines),
        "parquet" | "parq" | "pq" => Ok(Format::Parquet),
        _ => Err(Error::config("/format", format!("must be said: the name `{file}` does not tell it"))),
    }
}

fn unpacked(file: &str) -> &str {
    file.strip_suffix(".gz").unwrap_or(file)
}

/// The name without its ending.
fn bare_name(file: &str) -> &str {
    let file = unpacked(file);
    let name_start = file.rfind('/').map_or(0, |slash| slash + 1);
    match file.rfind('.') {
        Some(point) if point > name_start => file.get(..point).unwrap_or(file),
        _ => file,
    }
}

#[cfg(test)]
mod tests {
    use super::bare_name;

    #[test]
    fn a_stream_is_called_as_its_file_without_the_endings() {
        assert_eq!(bare_name("movies.csv.gz"), "movies");
        assert_eq!(bare_name("2024/movies.old.jsonl"), "2024/movies.old");
        assert_eq!(bare_name("v1.0/movies"), "v1.0/movies");
    }
}
