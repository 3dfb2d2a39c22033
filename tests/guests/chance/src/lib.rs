//! Rows that no two runs have alike: of clocks, of randomness, of the order of a map, and of which answer is there first.

mod race;

use std::{
    collections::{HashMap, VecDeque},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use cofferdam_sdk::{
    Budget, Catalog, Layout, OpenRead, Operation, PageBuilder, Reader, Result, Schema, Source, Step,
    StreamInfo, StreamSchema, export, http::Client,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wasip2::random::{insecure::get_insecure_random_u64, random::get_random_u64};

#[derive(Deserialize)]
struct Config {
    /// One row each, and a checkpoint of chance behind it.
    pages: u64,
    /// Before each row.
    #[serde(default)]
    sleep_ms: u64,
    /// Asked for several things at one time, before the first row.
    base_url: Option<String>,
}

struct Chance;

impl Source for Chance {
    type Config = Config;
    type Reader = Draws;

    fn check(_: &Config) -> Result<()> {
        Ok(())
    }

    fn discover(_: &Config) -> Result<Catalog> {
        Ok(Catalog::new([StreamInfo::new(schema())]))
    }

    fn open(config: Config, _: OpenRead) -> Result<Draws> {
        Ok(Draws { config, drawn: 0, began: Instant::now() })
    }
}

fn schema() -> StreamSchema {
    StreamSchema::new("draws", Schema::open(), Layout::JsonLines)
}

struct Draws {
    config: Config,
    drawn: u64,
    began: Instant,
}

impl Draws {
    fn row(&self) -> Result<Map<String, Value>> {
        thread::sleep(Duration::from_millis(self.config.sleep_ms));
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let names: HashMap<String, u32> = (0..16).map(|name| (format!("n{name}"), name)).collect();
        let order: Vec<&u32> = names.values().collect();
        let mut row = Map::new();
        row.insert("number".into(), json!(self.drawn));
        row.insert("wall_ms".into(), json!(u64::try_from(wall.as_millis()).unwrap_or_default()));
        row.insert(
            "passed_ms".into(),
            json!(u64::try_from(self.began.elapsed().as_millis()).unwrap_or_default()),
        );
        row.insert("random".into(), json!(get_random_u64().to_string()));
        row.insert("insecure".into(), json!(get_insecure_random_u64().to_string()));
        row.insert("order".into(), json!(order));
        if let Some(base_url) = self.config.base_url.as_deref().filter(|_| self.drawn == 0) {
            row.insert("answers".into(), json!(in_order_of_arrival(base_url)?));
            row.insert("first".into(), json!(race::first(base_url, Duration::from_millis(50))?));
        }
        Ok(row)
    }
}

/// The numbers of six requests in the order in which their answers came.
fn in_order_of_arrival(base_url: &str) -> Result<Vec<String>> {
    let client = Client::new();
    let requests = (0..6).map(|number| client.get(format!("{base_url}/number/{number}")));
    client.send_all(requests, 6).map(|(_, answer)| answer?.text()).collect()
}

impl Reader for Draws {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        if self.drawn == self.config.pages {
            return Ok(Step::End);
        }
        let mut rows = VecDeque::from([self.row()?]);
        self.drawn += 1;
        let mut page = PageBuilder::new(budget);
        page.fill_json(&schema(), Operation::Insert, &mut rows)?;
        page.checkpoint(&format!("{}-{}", self.drawn, get_random_u64()))?;
        Ok(page.finish())
    }
}

export!(source = Chance, manifest = "connector.toml");
