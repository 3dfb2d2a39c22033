//! Requests of a guest, every check of egress on, beside a native client of the same library with kept connections.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use egress::{Caps, ClientSettings, Egress, Settings};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use pipeline::model::{Rows, Step};
use runtime::{Grants, Limits};
use serde_json::{Value, json};

use crate::clock::{Took, Watch};
use crate::house::{House, budget, told};
use crate::measured::Pair;
use crate::report::{Goal, Report};
use crate::upstream::{Counting, Upstream};

const REPETITIONS: usize = 7;
const BODY_BYTES: usize = 2_000;
pub(crate) const REQUESTS: usize = 8_000;

pub(crate) fn run(house: &House, report: &mut Report) -> Result<()> {
    let server = Upstream::answering(BODY)?;
    for (in_flight, goal) in [(1, 0.45), (16, 0.6)] {
        let guest = Guest::open(house, &server, in_flight)?;
        let native = native_client();
        let ours = || guest.send(house, &server);
        let reference = || send_natively(house, &server, &native, in_flight);
        let pair = Pair::of(REPETITIONS, ours, reference)?;
        let what = format!("GETs of 2 kB from a guest, {in_flight} in flight");
        report.add(pair.row(&what, REQUESTS as f64 / 1e3, "k requests/s", Goal::RatioAtLeast(goal)));
        let cpu = pair.cpu_ratio();
        report.note(format!("{what}: ratio by processor time, the server's part included, {cpu:.2}."));
    }
    Ok(())
}

pub(crate) const BODY: Bytes = Bytes::from_static(&[b'x'; BODY_BYTES]);

/// A guest that sends requests, with rights that allow this server and nothing else.
struct Guest {
    source: runtime::Source,
    schema: pipeline::model::StreamSchema,
    ledger: Arc<Counting>,
}

impl Guest {
    fn open(house: &House, server: &Upstream, in_flight: usize) -> Result<Self> {
        let ledger = Arc::new(Counting::default());
        let component = house.component(&house.components, "measured")?;
        let (source, schema) =
            house.source(component, &config(server, in_flight), grants(server, ledger.clone())?)?;
        Ok(Self { source, schema, ledger })
    }

    fn send(&self, house: &House, server: &Upstream) -> Result<Took> {
        let mut reader = house.reader(&self.source, &self.schema)?;
        let recorded = self.ledger.0.load(Ordering::Relaxed);
        let mut step = None;
        let took = server.expecting(REQUESTS, || {
            let watch = Watch::start()?;
            step = Some(house.tokio.block_on(reader.next(budget(1_000))).map_err(told)?);
            watch.stop()
        })?;
        let Some(Step::Page(page)) = step else { anyhow::bail!("the guest gave no page") };
        let batch = page.batches.first().context("the guest gave no row")?;
        let Rows::JsonLines(lines) = &batch.rows else { anyhow::bail!("the guest gave columns") };
        let answers: Value = serde_json::from_slice(&lines.data)?;
        ensure!(answers == json!({ "requests": REQUESTS, "bytes": REQUESTS * BODY_BYTES }), "{answers}");
        let recorded = self.ledger.0.load(Ordering::Relaxed) - recorded;
        ensure!(recorded == REQUESTS as u64, "the ledger has {recorded} entries of {REQUESTS}");
        Ok(took)
    }
}

/// To send so many requests to this server.
pub(crate) fn config(server: &Upstream, in_flight: usize) -> Value {
    json!({ "base_url": format!("{}/", server.url()), "requests": REQUESTS, "in_flight": in_flight })
}

/// Rights that allow this server, with every check of egress on.
pub(crate) fn grants(server: &Upstream, ledger: Arc<Counting>) -> Result<Grants> {
    let caps = Caps { requests: 10_000_000, requests_per_second: u64::MAX, ..Caps::default() };
    let settings = ClientSettings::new(Arc::new(server.rights()?), ledger, caps);
    let client = Egress::new(Settings { system_roots: false, ..Settings::default() })?.client(settings);
    let limits = Limits { requests: 10_000_000, ..Limits::defaults() };
    Ok(Grants { http: Arc::new(client), limits, ..Grants::none() })
}

type Native = Client<HttpConnector, Empty<Bytes>>;

fn native_client() -> Native {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

fn send_natively(house: &House, server: &Upstream, client: &Native, in_flight: usize) -> Result<Took> {
    let uri: http::Uri = format!("{}/", server.url()).parse()?;
    server.expecting(REQUESTS, || {
        let watch = Watch::start()?;
        let bytes = house.tokio.block_on(async {
            let lanes: Vec<_> = (0..in_flight)
                .map(|_| tokio::spawn(lane(client.clone(), uri.clone(), REQUESTS / in_flight)))
                .collect();
            let mut bytes = 0;
            for lane in lanes {
                bytes += lane.await??;
            }
            anyhow::Ok(bytes)
        })?;
        ensure!(bytes == REQUESTS * BODY_BYTES, "{bytes} bytes instead of {}", REQUESTS * BODY_BYTES);
        watch.stop()
    })
}

async fn lane(client: Native, uri: http::Uri, requests: usize) -> Result<usize> {
    let mut bytes = 0;
    for _ in 0..requests {
        let response = client.get(uri.clone()).await?;
        bytes += response.into_body().collect().await?.to_bytes().len();
    }
    Ok(bytes)
}
