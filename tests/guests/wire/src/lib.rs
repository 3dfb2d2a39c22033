//! Makes requests as its configuration says, some of them as no sane connector would, and tells in log lines what came back.

mod duplex;
mod outgoing;

use std::{
    io::{self, Read},
    time::Duration,
};

use cofferdam_sdk::{
    Budget, Catalog, Layout, OpenRead, Page, Reader, Result, Schema, Source, Step, StreamInfo, StreamSchema,
    export,
    http::{Client, Response},
};
use serde::Deserialize;
use wasip2::http::types::FutureIncomingResponse;

/// What to do.
#[derive(Deserialize)]
struct Config {
    /// Scheme, host and port.
    base_url: String,
    act: Act,
    #[serde(default = "root")]
    path: String,
    /// How often, or how many bytes.
    #[serde(default = "once")]
    count: u64,
    /// The time that the connector itself allows.
    timeout_ms: Option<u64>,
}

fn root() -> String {
    "/".to_owned()
}

fn once() -> u64 {
    1
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    /// GET, one after the other, each read whole.
    Get,
    /// POST so many bytes.
    Upload,
    /// POST, and write nothing into the body again and again.
    UploadNothing,
    /// POST so many bytes to a server that sends them back, both ways at once.
    Duplex,
    /// Set headers that only the host may set.
    ForbiddenHeaders,
    /// Begin a GET and leave it.
    Leave,
}

struct Wire;

impl Source for Wire {
    type Config = Config;
    type Reader = WireReader;

    fn check(_: &Config) -> Result<()> {
        Ok(())
    }

    fn discover(_: &Config) -> Result<Catalog> {
        let schema = StreamSchema::new("rows", Schema::open(), Layout::JsonLines);
        Ok(Catalog::new([StreamInfo::new(schema)]))
    }

    fn open(config: Config, _: OpenRead) -> Result<WireReader> {
        Ok(WireReader { config, left: None })
    }
}

struct WireReader {
    config: Config,
    /// A request that is still on its way.
    left: Option<FutureIncomingResponse>,
}

impl Reader for WireReader {
    fn next(&mut self, _: &Budget) -> Result<Step> {
        let Config { base_url, path, count, timeout_ms, act } = &self.config;
        let client =
            timeout_ms.map_or_else(Client::new, |ms| Client::new().timeout(Duration::from_millis(ms)));
        let url = format!("{base_url}{path}");
        match act {
            Act::Get => {
                for _ in 0..*count {
                    tell(client.get(&url).send()?)?;
                }
            }
            Act::Upload => tell(client.post(&url).body_from(io::repeat(b'x').take(*count)).send()?)?,
            Act::UploadNothing => outgoing::write_nothing(base_url, path)?,
            Act::Duplex => duplex::echo(base_url, path, *count)?,
            Act::ForbiddenHeaders => outgoing::forbidden_headers(),
            Act::Leave => self.left = Some(outgoing::send("GET", base_url, path)?.without_body()?),
        }
        let page =
            Page { batches: Vec::new(), rejects: Vec::new(), checkpoint: None, transaction_end: false };
        Ok(if self.left.is_some() { Step::Page(page) } else { Step::End })
    }
}

/// Status, headers, and the body as text or by its length.
fn tell(mut answer: Response) -> Result<()> {
    log::info!("status {}", answer.status());
    for (name, value) in answer.headers() {
        log::info!("header {name}: {}", String::from_utf8_lossy(value));
    }
    let mut body = Vec::new();
    answer.read_to_end(&mut body)?;
    match std::str::from_utf8(&body) {
        Ok(text) if text.len() < 1000 => log::info!("body {text}"),
        _ => log::info!("body of {} bytes", body.len()),
    }
    Ok(())
}

export!(source = Wire, manifest = "connector.toml");
