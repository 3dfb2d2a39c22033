//! What there is to read.

use cofferdam_sdk::{
    Catalog, Layout, OpenRead, Operation, Operations, Pushdown, Result, Schema, Source, StreamInfo,
    StreamSchema,
};

use crate::{
    config::{self, Config, Stream},
    preset::{self, KEY},
    reader::FakerReader,
};

/// The source.
#[derive(Debug)]
pub struct Faker;

impl Source for Faker {
    type Config = Config;
    type Reader = FakerReader;

    fn check(config: &Config) -> Result<()> {
        config.validate()
    }

    fn discover(config: &Config) -> Result<Catalog> {
        config.validate()?;
        let catalog = Catalog::new(config.streams.iter().map(|stream| stream_info(config, stream)));
        Ok(match &config.group {
            Some(group) if group.transaction_rows.is_some() => catalog.marks_transactions(&group.name),
            _ => catalog,
        })
    }

    fn open(config: Config, read: OpenRead) -> Result<FakerReader> {
        config.validate()?;
        FakerReader::open(&config, &read)
    }
}

fn stream_info(config: &Config, stream: &Stream) -> StreamInfo {
    let info = StreamInfo::new(stream_schema(config, stream)).incremental([KEY]).pushdown(Pushdown::FIELDS);
    let info = StreamInfo { estimated_rows: Some(stream.rows), ..info };
    match &config.group {
        Some(group) => info.group(&group.name),
        None => info,
    }
}

pub(crate) fn stream_schema(config: &Config, stream: &Stream) -> StreamSchema {
    let fields = preset::fields(stream.columns, config.null_rate).map(|(field, _)| field);
    let operations = match config.operation {
        config::Operation::Insert => Operations::INSERT,
        config::Operation::Upsert => Operations::UPSERT,
    };
    StreamSchema::new(&stream.name, Schema::new(fields), Layout::from(config.layout)).keyed([KEY], operations)
}

pub(crate) fn operation(config: &Config) -> Operation {
    match config.operation {
        config::Operation::Insert => Operation::Insert,
        config::Operation::Upsert => Operation::Upsert,
    }
}
