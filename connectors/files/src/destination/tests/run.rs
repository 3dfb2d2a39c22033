//! A run as the host would do it: rows are numbers, and a token is how many of them were committed.

use std::{collections::BTreeMap, io::Read};

use cofferdam_sdk::{
    Batch, ColumnsBuilder, DataType, Error, Field, Incoming, Layout, Mode, OpenWrite, Operation, Result,
    Schema, StreamPlan, StreamSchema,
};
use serde_json::{Value, json};

use super::memory_disk::MemoryDisk;
use crate::{config::DestinationConfig, destination::writer::UnitWriter};

/// What is written.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) config: Value,
    pub(super) mode: Mode,
    pub(super) generation: u64,
    /// These numbers are rows.
    pub(super) rows: std::ops::Range<i64>,
    pub(super) streams: &'static [&'static str],
}

impl Job {
    pub(super) fn new(config: Value, mode: Mode, rows: std::ops::Range<i64>) -> Self {
        Self { config, mode, generation: 1, rows, streams: &["a"] }
    }

    pub(super) fn open(&self, disk: MemoryDisk, fence: Option<u64>) -> Result<UnitWriter<MemoryDisk>> {
        let mut config = self.config.clone();
        config["directory"] = json!("/out");
        let config: DestinationConfig = cofferdam_sdk::parse_config(&config.to_string())?;
        UnitWriter::open(disk, config, &OpenWrite { unit: "u".to_owned(), fence })
    }

    pub(super) fn plans(&self) -> Vec<StreamPlan> {
        let plan = |stream: &&str| StreamPlan {
            schema: schema(stream),
            mode: self.mode,
            generation: self.generation,
        };
        self.streams.iter().map(plan).collect()
    }

    /// Write the rows that are not committed yet: three to a batch, four batches to a commit.
    pub(super) fn run(&self, disk: &MemoryDisk, fence: u64) -> Result<()> {
        let mut writer = self.open(disk.clone(), Some(fence))?;
        let committed = writer.committed()?.map_or(self.rows.start, |last| last.token.parse().unwrap());
        let mut next = committed.max(self.rows.start);
        writer.prepare(&self.plans(), false)?;
        while next < self.rows.end {
            for number in 0..4 {
                let until = (next + 3).min(self.rows.end);
                for (place, stream) in self.streams.iter().enumerate() {
                    let schema = schema(stream);
                    let rows = columns(next..until);
                    let incoming =
                        Incoming { schema: &schema, batch: Batch::new(&schema, Operation::Insert, rows) };
                    let report = writer.write(number * self.streams.len() as u64 + place as u64, incoming)?;
                    assert_eq!(report.rejected, []);
                }
                next = until;
            }
            writer.commit(&next.to_string(), next == self.rows.end)?;
        }
        Ok(())
    }
}

pub(super) fn schema(stream: &str) -> StreamSchema {
    StreamSchema::new(stream, Schema::new([Field::new("n", DataType::Int64)]), Layout::Columns)
}

pub(super) fn columns(numbers: std::ops::Range<i64>) -> cofferdam_sdk::Columns {
    let mut columns = ColumnsBuilder::new(&schema("").schema.fields);
    numbers.for_each(|number| columns.column(0).push_i64(number));
    columns.finish().unwrap()
}

/// The numbers in the visible files of each stream, in the order of files. A file that is not whole is an error.
pub(super) fn visible(disk: &MemoryDisk) -> Result<BTreeMap<String, Vec<i64>>> {
    let mut found: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (name, bytes) in disk.visible() {
        let mut text = String::new();
        if name.ends_with(".gz") {
            flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text)?;
        } else {
            text = String::from_utf8(bytes).unwrap();
        }
        let stream = name.split(['-', '.']).next().unwrap().to_owned();
        let numbers = found.entry(stream).or_default();
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(Error::data(format!("`{name}` ends in the middle of a row")));
        }
        for line in text.lines().filter(|line| *line != "n") {
            let number = line.trim_start_matches("{\"n\":").trim_end_matches('}');
            numbers.push(number.parse().map_err(|_| Error::data(format!("`{name}` holds `{line}`")))?);
        }
    }
    Ok(found)
}
