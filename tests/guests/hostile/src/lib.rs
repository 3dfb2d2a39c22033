//! Does what a connector must not do: `attack` in its configuration names what, `at` in which call.
//!
//! Each attack is a function in the module of its kind. An attack that returns gives the step that `next` answers.

mod host_calls;
mod memory;
mod pages;
mod processor;
mod sight;
mod values;

use cofferdam_sdk::{
    Budget, Catalog, DataType, Error, Field, Layout, OpenRead, Reader, Result, Schema, Source, Step,
    StreamInfo, StreamSchema, export,
};
use serde::Deserialize;

/// What to do, and in which call.
#[derive(Deserialize)]
pub struct Config {
    attack: String,
    #[serde(default = "at_next")]
    at: String,
}

fn at_next() -> String {
    "next".into()
}

/// An attack: what it returns, if it returns at all, is what `next` answers.
type Attack = fn(&Context) -> Result<Step>;

/// What an attack may look at.
pub struct Context {
    calls: u32,
}

fn attacks() -> Vec<(&'static str, Attack)> {
    [
        memory::ATTACKS,
        processor::ATTACKS,
        host_calls::ATTACKS,
        pages::ATTACKS,
        sight::ATTACKS,
        values::ATTACKS,
    ]
    .concat()
}

fn run(config: &Config, context: &Context) -> Result<Step> {
    match attacks().into_iter().find(|(name, _)| *name == config.attack) {
        Some((_, attack)) => attack(context),
        None => Err(Error::bug(format!("there is no attack `{}`", config.attack))),
    }
}

struct Hostile;

impl Source for Hostile {
    type Config = Config;
    type Reader = HostileReader;

    fn check(config: &Config) -> Result<()> {
        if config.at == "check" {
            run(config, &Context { calls: 0 })?;
        }
        Ok(())
    }

    fn discover(config: &Config) -> Result<Catalog> {
        if config.at == "discover" {
            if config.attack.starts_with("catalog-") {
                return Ok(pages::catalog(&config.attack));
            }
            run(config, &Context { calls: 0 })?;
        }
        let schema = if config.attack.starts_with("extreme-") { values::schema() } else { schema() };
        Ok(Catalog::new([StreamInfo::new(schema)]))
    }

    fn open(config: Config, _read: OpenRead) -> Result<HostileReader> {
        if config.at == "open" {
            run(&config, &Context { calls: 0 })?;
        }
        Ok(HostileReader { config, calls: 0 })
    }
}

struct HostileReader {
    config: Config,
    calls: u32,
}

impl Reader for HostileReader {
    fn next(&mut self, _budget: &Budget) -> Result<Step> {
        self.calls += 1;
        run(&self.config, &Context { calls: self.calls })
    }
}

/// The one stream: a number and a text.
pub fn schema() -> StreamSchema {
    let fields = vec![field("number", DataType::Int64), field("text", DataType::Text)];
    let schema = Schema { fields, children: Vec::new(), additional_fields: false };
    StreamSchema::new("rows", schema, Layout::Columns)
}

fn field(name: &str, data_type: DataType) -> Field {
    Field { name: name.into(), data_type, nullable: true, logical_type: None, description: None }
}

export!(source = Hostile, manifest = "connector.toml");
