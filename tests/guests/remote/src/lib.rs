//! A destination whose rows are kept by a server: what was committed outlives every process of the host. Exactly once, with
//! fences; the server refuses whoever comes with a lower one than it has seen.

use std::collections::BTreeMap;

use cofferdam_sdk::{
    Capabilities, CommitReport, Destination, Error, Incoming, LastCommit, Layout, Layouts, Modes, OpenWrite,
    Operations, Result, StreamPlan, StreamVerdict, WriteReport, Writer, export, http::Client,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Config {
    /// Scheme, host and port.
    base_url: String,
}

struct Remote;

/// Writes one commit unit.
struct RemoteWriter {
    base_url: String,
    unit: String,
    fence: Option<u64>,
    /// Those of the next commit, by stream.
    rows: BTreeMap<String, Vec<Box<RawValue>>>,
}

/// Who speaks, as the server wants to know it.
#[derive(Serialize)]
struct Whose<'a> {
    unit: &'a str,
    fence: Option<u64>,
}

#[derive(Serialize)]
struct Commit<'a> {
    #[serde(flatten)]
    whose: Whose<'a>,
    token: &'a str,
    rows: &'a BTreeMap<String, Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
struct Committed {
    token: Option<String>,
}

#[derive(Deserialize)]
struct Done {}

fn ask<T: DeserializeOwned>(base_url: &str, path: &str, what: &impl Serialize) -> Result<T> {
    let answer = Client::new().post(format!("{base_url}{path}")).json(what).send()?;
    if answer.status() == 409 {
        return Err(Error::data("the server has seen a newer fence"));
    }
    answer.success()?.json()
}

impl Destination for Remote {
    type Config = Config;
    type Writer = RemoteWriter;

    fn check(config: &Config) -> Result<()> {
        ask::<Done>(&config.base_url, "/check", &()).map(drop)
    }

    fn open(config: Config, write: OpenWrite) -> Result<RemoteWriter> {
        let OpenWrite { unit, fence, .. } = write;
        let writer = RemoteWriter { base_url: config.base_url, unit, fence, rows: BTreeMap::new() };
        if fence.is_some() {
            writer.ask::<Done>("/open", &writer.whose())?;
        }
        Ok(writer)
    }
}

impl RemoteWriter {
    fn whose(&self) -> Whose<'_> {
        Whose { unit: &self.unit, fence: self.fence }
    }

    fn ask<T: DeserializeOwned>(&self, path: &str, what: &impl Serialize) -> Result<T> {
        ask(&self.base_url, path, what)
    }
}

impl Writer for RemoteWriter {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            exactly_once: true,
            transactions: true,
            fences: true,
            late_rejects: false,
            layouts: Layouts::JSON_LINES,
            modes: Modes::APPEND,
            operations: Operations::INSERT | Operations::UPSERT,
        }
    }

    fn committed(&mut self) -> Result<Option<LastCommit>> {
        let Committed { token } = self.ask("/committed", &self.whose())?;
        Ok(token.map(LastCommit::of_token))
    }

    fn prepare(&mut self, plans: &[StreamPlan], _dry_run: bool) -> Result<Vec<StreamVerdict>> {
        Ok(plans.iter().map(|plan| StreamVerdict::all_stored(plan, Layout::JsonLines)).collect())
    }

    fn write(&mut self, _number: u64, incoming: Incoming<'_>) -> Result<WriteReport> {
        let rows = incoming.json_lines()?.parse::<Box<RawValue>>().collect::<Result<Vec<_>>>()?;
        self.rows.entry(incoming.stream().to_owned()).or_default().extend(rows);
        Ok(WriteReport::all_taken())
    }

    fn commit(&mut self, token: &str, _last: bool) -> Result<CommitReport> {
        self.ask::<Done>("/commit", &Commit { whose: self.whose(), token, rows: &self.rows })?;
        self.rows.clear();
        Ok(CommitReport { rejected: Vec::new() })
    }
}

export!(destination = Remote, manifest = "connector.toml");
