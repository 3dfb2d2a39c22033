//! What the benchmarks measure and no connector does: pages that are all there before the first is asked for, so that
//! nothing but the boundary is left to measure, and requests of which nothing is made.

mod page;

use std::io::{Read, copy, sink};

use cofferdam_sdk::{
    Batch, Budget, Catalog, Error, JsonLinesBuilder, Layout, OpenRead, Operation, PageBuilder, Reader,
    Result, Schema, Source, Step, StreamInfo, StreamSchema, export, http::Client,
};
use serde::{Deserialize, Serialize};

/// The configuration.
#[derive(Deserialize)]
pub struct Config {
    base_url: Option<String>,
    #[serde(default)]
    requests: usize,
    #[serde(default = "one")]
    in_flight: usize,
    #[serde(default = "one")]
    rows: usize,
    #[serde(default = "one")]
    pages: usize,
    #[serde(default)]
    json_lines: bool,
}

fn one() -> usize {
    1
}

fn schema(config: &Config) -> StreamSchema {
    match (&config.base_url, config.json_lines) {
        (Some(_), _) => StreamSchema::new("requests", Schema::open(), Layout::JsonLines),
        (None, true) => StreamSchema::new("pages", page::schema(), Layout::JsonLines),
        (None, false) => StreamSchema::new("pages", page::schema(), Layout::Columns),
    }
}

struct Measured;

impl Source for Measured {
    type Config = Config;
    type Reader = MeasuredReader;

    fn check(_: &Config) -> Result<()> {
        Ok(())
    }

    fn discover(config: &Config) -> Result<Catalog> {
        Ok(Catalog::new([StreamInfo::new(schema(config))]))
    }

    fn open(config: Config, _: OpenRead) -> Result<MeasuredReader> {
        if config.base_url.is_some() {
            return Ok(MeasuredReader { config, batches: Vec::new() });
        }
        let batch = page::batch(&schema(&config), config.rows)?;
        // Copied here: the copy of a page must not be part of what is measured.
        let batches = vec![batch; config.pages];
        Ok(MeasuredReader { config, batches })
    }
}

struct MeasuredReader {
    config: Config,
    batches: Vec<Batch>,
}

impl Reader for MeasuredReader {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        let mut page = PageBuilder::new(budget);
        if let Some(base_url) = &self.config.base_url {
            let answers = send(base_url, &self.config)?;
            let mut rows = JsonLinesBuilder::new();
            rows.push(&answers)?;
            page.add(Batch::new(&schema(&self.config), Operation::Insert, rows.finish()));
            return Ok(page.finish());
        }
        let Some(batch) = self.batches.pop() else { return Ok(Step::End) };
        page.add(batch);
        Ok(page.finish())
    }
}

/// What came of a page's requests.
#[derive(Default, Serialize)]
struct Answers {
    requests: u64,
    bytes: u64,
}

fn send(base_url: &str, config: &Config) -> Result<Answers> {
    let client = Client::new();
    let requests = (0..config.requests).map(|_| client.get(base_url));
    let mut answers = Answers::default();
    if config.in_flight == 1 {
        for request in requests {
            add(request.send()?, &mut answers)?;
        }
        return Ok(answers);
    }
    for (_, response) in client.send_all(requests, config.in_flight) {
        add(response?, &mut answers)?;
    }
    Ok(answers)
}

fn add(mut body: impl Read, answers: &mut Answers) -> Result<()> {
    answers.requests += 1;
    answers.bytes += copy(&mut body, &mut sink()).map_err(Error::from)?;
    Ok(())
}

export!(source = Measured, manifest = "connector.toml");
