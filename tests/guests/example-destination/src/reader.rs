//! The source: each file is a stream, its checkpoint is a place in the file.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{BufRead as _, BufReader, Seek as _, SeekFrom},
    path::Path,
};

use cofferdam_sdk::{
    Budget, Catalog, Layout, OpenRead, Operation, PageBuilder, Reader, Result, Schema, Source, Step,
    StreamInfo, StreamSchema,
};
use serde_json::value::RawValue;

use crate::{Config, Directory, ledger::stream_path};

fn schema(stream: &str) -> StreamSchema {
    StreamSchema::new(stream, Schema::open(), Layout::JsonLines)
}

impl Source for Directory {
    type Config = Config;
    type Reader = LinesReader;

    fn check(config: &Config) -> Result<()> {
        Ok(fs::read_dir(&config.directory).map(drop)?)
    }

    fn discover(config: &Config) -> Result<Catalog> {
        let mut streams = Vec::new();
        for entry in fs::read_dir(&config.directory)? {
            let name = entry?.file_name();
            if let Some(stream) = name.to_str().and_then(|name| name.strip_suffix(".jsonl")) {
                streams.push(StreamInfo { incremental: true, ..StreamInfo::new(schema(stream)) });
            }
        }
        streams.sort_by(|one, other| one.schema.stream.cmp(&other.schema.stream));
        Ok(Catalog::new(streams))
    }

    fn open(config: Config, read: OpenRead) -> Result<LinesReader> {
        let mut file = File::open(stream_path(Path::new(&config.directory), &read.group))?;
        let offset = read.position()?.unwrap_or(0);
        file.seek(SeekFrom::Start(offset))?;
        let (lines, rows) = (BufReader::new(file), VecDeque::new());
        Ok(LinesReader { schema: schema(&read.group), lines, offset, rows, ended: false })
    }
}

pub(crate) struct LinesReader {
    schema: StreamSchema,
    lines: BufReader<File>,
    offset: u64,
    rows: VecDeque<Box<RawValue>>,
    ended: bool,
}

impl Reader for LinesReader {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        if self.ended && self.rows.is_empty() {
            return Ok(Step::End);
        }
        let mut page = PageBuilder::new(budget);
        if self.rows.is_empty() {
            self.read(budget, &mut page)?;
        }
        page.fill_json(&self.schema, Operation::Insert, &mut self.rows)?;
        if self.rows.is_empty() {
            page.checkpoint(&self.offset)?;
        }
        Ok(page.finish())
    }
}

impl LinesReader {
    /// Read about as many lines as a page holds.
    fn read(&mut self, budget: &Budget, page: &mut PageBuilder) -> Result<()> {
        let mut bytes = 0;
        while self.rows.len() < budget.rows_max && bytes < budget.bytes_max && !budget.is_over() {
            let mut line = String::new();
            let length = self.lines.read_line(&mut line)?;
            if length == 0 {
                self.ended = true;
                break;
            }
            (bytes, self.offset) = (bytes + length, self.offset + length as u64);
            match serde_json::from_str::<Box<RawValue>>(&line) {
                Ok(row) if row.get().starts_with('{') => self.rows.push_back(row),
                _ => {
                    page.reject_raw(&self.schema.stream, line.into_bytes(), "not_an_object", "no JSON object")
                }
            }
        }
        Ok(())
    }
}
