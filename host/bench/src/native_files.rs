//! CSV to JSON Lines as a plain program would do it: types found from the first rows, values parsed and written again.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use csv_core::{ReadRecordResult, Reader};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Serialize, Serializer};

/// Rows that are looked at to find the types, as `files` does.
const INFERRED_ROWS: usize = 1_000;
const BUFFER_BYTES: usize = 1 << 20;
const FIELDS_MAX: usize = 64;

/// From where and whither.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    from: PathBuf,
    to: PathBuf,
}

pub(crate) fn convert(arguments: &Arguments) -> Result<()> {
    let mut records = Records::open(&arguments.from)?;
    let header = records.next()?.context("the file is empty")?;
    let names = header.map(|name| Ok(std::str::from_utf8(name)?.to_owned())).collect::<Result<Vec<_>>>()?;
    let mut kinds = vec![Kind::Integer; names.len()];
    for _ in 0..INFERRED_ROWS {
        let Some(fields) = records.next()? else { break };
        for (kind, field) in kinds.iter_mut().zip(fields) {
            while !kind.holds(field) {
                *kind = kind.wider();
            }
        }
    }
    let mut records = Records::open(&arguments.from)?;
    records.next()?;
    let mut to = BufWriter::with_capacity(BUFFER_BYTES, File::create(&arguments.to)?);
    while records.next()?.is_some() {
        serde_json::to_writer(&mut to, &Row { names: &names, kinds: &kinds, records: &records })?;
        to.write_all(b"\n")?;
    }
    to.flush()?;
    Ok(())
}

/// The records of a file, one at a time.
struct Records {
    reader: Reader,
    file: BufReader<File>,
    bytes: Vec<u8>,
    ends: [usize; FIELDS_MAX],
    count: usize,
}

impl Records {
    fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("failed to open `{}`", path.display()))?;
        let file = BufReader::with_capacity(BUFFER_BYTES, file);
        Ok(Self { reader: Reader::new(), file, bytes: vec![0; 64 << 10], ends: [0; FIELDS_MAX], count: 0 })
    }

    /// Read the next record; none at the end.
    fn next(&mut self) -> Result<Option<impl Iterator<Item = &[u8]>>> {
        let (mut written, mut ended) = (0, 0);
        loop {
            let input = self.file.fill_buf()?;
            let (bytes, ends) = (self.bytes.get_mut(written..), self.ends.get_mut(ended..));
            let (result, read, more_bytes, more_ends) =
                self.reader.read_record(input, bytes.unwrap_or_default(), ends.unwrap_or_default());
            self.file.consume(read);
            written += more_bytes;
            ended += more_ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    bail!("a record is too large")
                }
            }
        }
        self.count = ended;
        Ok(Some(self.fields()))
    }

    fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.ends.iter().take(self.count);
        ends.scan(0, |start, end| {
            let field = self.bytes.get(*start..*end);
            *start = *end;
            field
        })
    }
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
    records: &'a Records,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unfit = || S::Error::custom("a value does not fit its column");
        let mut map = serializer.serialize_map(Some(self.names.len()))?;
        for ((name, kind), field) in self.names.iter().zip(self.kinds).zip(self.records.fields()) {
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
