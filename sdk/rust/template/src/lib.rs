//! Pages through a JSON API: `GET /records?page=3` answers `{"next": 4, "items": [{…}, …]}`.

use std::collections::VecDeque;

use cofferdam_sdk::{
    Budget, Catalog, Layout, OpenRead, Operation, Operations, PageBuilder, Reader, Result, Row, Source, Step,
    StreamInfo, StreamSchema, Timestamp, export, http::Client, row,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Config {
    base_url: String,
}

row! {
    #[derive(Debug, Deserialize)]
    struct Record {
        id: i64,
        title: Option<String>,
        updated_at: Timestamp,
    }
}

#[derive(Deserialize)]
struct Answer {
    next: Option<u64>,
    items: VecDeque<Record>,
}

fn fetch(config: &Config, page: u64) -> Result<Answer> {
    Client::new().get(format!("{}/records", config.base_url)).query("page", page).send()?.json()
}

fn schema() -> StreamSchema {
    StreamSchema::new("records", Record::schema(), Layout::Columns).keyed(["id"], Operations::UPSERT)
}

struct MySource;

impl Source for MySource {
    type Config = Config;
    type Reader = Pages;

    fn check(config: &Config) -> Result<()> {
        fetch(config, 1).map(drop)
    }

    fn discover(_: &Config) -> Result<Catalog> {
        Ok(Catalog::new([StreamInfo::new(schema())]))
    }

    fn open(config: Config, read: OpenRead) -> Result<Pages> {
        // The checkpoint is the page that comes next; null after the last one.
        let next = read.position()?.unwrap_or(Some(1));
        Ok(Pages { config, next, records: VecDeque::new() })
    }
}

struct Pages {
    config: Config,
    next: Option<u64>,
    records: VecDeque<Record>,
}

impl Reader for Pages {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        if self.records.is_empty() {
            let Some(page) = self.next else { return Ok(Step::End) };
            let answer = fetch(&self.config, page)?;
            (self.next, self.records) = (answer.next, answer.items);
        }
        let mut page = PageBuilder::new(budget);
        page.fill_rows(&schema(), Operation::Upsert, &mut self.records)?;
        if self.records.is_empty() {
            page.checkpoint(&self.next)?;
        }
        Ok(page.finish())
    }
}

export!(source = MySource, manifest = "connector.toml");
