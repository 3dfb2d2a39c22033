//! Pages through a JSON API: `GET /movies?_page=3&_per_page=100` answers `{"next": 4, "data": [{…}, …]}`.

use std::collections::VecDeque;

use cofferdam_sdk::{
    Budget, Catalog, Layout, OpenRead, Operation, PageBuilder, Reader, Result, Schema, Source, Step,
    StreamInfo, StreamSchema, export, http::Client,
};
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Config {
    base_url: String,
    streams: Vec<String>,
    page_size: u32,
}

#[derive(Deserialize)]
struct Answer {
    next: Option<u64>,
    data: VecDeque<Map<String, Value>>,
}

fn fetch(config: &Config, stream: &str, page: u64) -> Result<Answer> {
    let url = format!("{}/{stream}", config.base_url);
    Client::new().get(url).query("_page", page).query("_per_page", config.page_size).send()?.json()
}

fn schema(stream: &str) -> StreamSchema {
    StreamSchema::new(stream, Schema::open(), Layout::JsonLines)
}

struct JsonApi;

impl Source for JsonApi {
    type Config = Config;
    type Reader = Pages;

    fn check(config: &Config) -> Result<()> {
        config.streams.iter().try_for_each(|stream| fetch(config, stream, 1).map(drop))
    }

    fn discover(config: &Config) -> Result<Catalog> {
        Ok(Catalog::new(config.streams.iter().map(|stream| StreamInfo::new(schema(stream)))))
    }

    fn open(config: Config, read: OpenRead) -> Result<Pages> {
        // The checkpoint is the page that comes next; null after the last one.
        let next = read.position()?.unwrap_or(Some(1));
        Ok(Pages { config, schema: schema(&read.group), next, rows: VecDeque::new() })
    }
}

struct Pages {
    config: Config,
    schema: StreamSchema,
    next: Option<u64>,
    rows: VecDeque<Map<String, Value>>,
}

impl Reader for Pages {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        if self.rows.is_empty() {
            let Some(page) = self.next else { return Ok(Step::End) };
            let answer = fetch(&self.config, &self.schema.stream, page)?;
            log::debug!("page {page} of `{}` has {} rows", self.schema.stream, answer.data.len());
            (self.next, self.rows) = (answer.next, answer.data);
        }
        let mut page = PageBuilder::new(budget);
        page.fill_json(&self.schema, Operation::Insert, &mut self.rows)?;
        if self.rows.is_empty() {
            page.checkpoint(&self.next)?;
        }
        Ok(page.finish())
    }
}

export!(source = JsonApi, manifest = "connector.toml");
