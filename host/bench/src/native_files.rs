//! CSV to JSON Lines as a plain program would do it: types found from the first rows, values parsed and written again.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::{Context, Result};
use csv::{ByteRecord, ReaderBuilder};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Serialize, Serializer};

/// Rows that are looked at to find the types, as `files` does.
const INFERRED_ROWS: usize = 1_000;
const BUFFER_BYTES: usize = 1 << 20;

/// From where and whither.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    from: PathBuf,
    to: PathBuf,
}

pub(crate) fn convert(arguments: &Arguments) -> Result<()> {
    let open = || -> Result<_> {
        let file = File::open(&arguments.from)
            .with_context(|| format!("failed to open `{}`", arguments.from.display()))?;
        Ok(ReaderBuilder::new().buffer_capacity(BUFFER_BYTES).from_reader(file))
    };
    let mut reader = open()?;
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let mut kinds = vec![Kind::Integer; names.len()];
    for record in reader.byte_records().take(INFERRED_ROWS) {
        for (kind, field) in kinds.iter_mut().zip(record?.iter()) {
            while !kind.holds(field) {
                *kind = kind.wider();
            }
        }
    }
    let mut reader = open()?;
    let mut to = BufWriter::with_capacity(BUFFER_BYTES, File::create(&arguments.to)?);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        serde_json::to_writer(&mut to, &Row { names: &names, kinds: &kinds, record: &record })?;
        to.write_all(b"\n")?;
    }
    to.flush()?;
    Ok(())
}

/// The type of a column.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Integer,
    Float,
    Boolean,
    Text,
}

impl Kind {
    fn wider(self) -> Self {
        match self {
            Self::Integer => Self::Float,
            Self::Float => Self::Boolean,
            Self::Boolean | Self::Text => Self::Text,
        }
    }

    fn holds(self, field: &[u8]) -> bool {
        match self {
            Self::Integer => parse::<i64>(field).is_some(),
            Self::Float => parse::<f64>(field).is_some(),
            Self::Boolean => parse::<bool>(field).is_some(),
            Self::Text => true,
        }
    }
}

fn parse<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

struct Row<'a> {
    names: &'a [String],
    kinds: &'a [Kind],
    record: &'a ByteRecord,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unfit = || S::Error::custom("a value does not fit its column");
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for ((name, kind), field) in self.names.iter().zip(self.kinds).zip(self.record) {
            match kind {
                Kind::Integer => map.serialize_entry(name, &parse::<i64>(field).ok_or_else(unfit)?)?,
                Kind::Float => map.serialize_entry(name, &parse::<f64>(field).ok_or_else(unfit)?)?,
                Kind::Boolean => map.serialize_entry(name, &parse::<bool>(field).ok_or_else(unfit)?)?,
                Kind::Text => {
                    map.serialize_entry(name, std::str::from_utf8(field).map_err(S::Error::custom)?)?
                }
            }
        }
        map.end()
    }
}
