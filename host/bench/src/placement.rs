//! What placing a credential on a request and scrubbing its answer cost, beside the same client without any: with the whole of
//! egress and a real socket, and without a guest, which would only hide it.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use egress::credential::{self, Credentials, Generation, Material, Placed, Secret, StoreError};
use egress::{Caps, Client, ClientSettings, Egress, Settings};
use http::Request;
use http_body_util::BodyExt as _;
use manifest::Manifest;

use crate::clock::{Took, Watch};
use crate::house::House;
use crate::measured::Pair;
use crate::report::{Goal, Report};
use crate::upstream::{Counting, Upstream};

const REPETITIONS: usize = 15;
const REQUESTS: usize = 8_000;
/// An item of an API, and a page.
const BODIES: [(&str, usize); 2] = [("2 kB", 2_000), ("16 kB", 16_000)];
/// At most 15 % fewer requests.
const LEAST_RATIO: f64 = 0.85;
const TOKEN: &str = "tok_4eC39HqLyjWDarjtT1zdp7dcTYooMQauvdEDq54NiTphI7jx";

pub(crate) fn run(house: &House, report: &mut Report) -> Result<()> {
    for ((name, bytes), in_flight) in BODIES.into_iter().flat_map(|body| [1, 16].map(|lanes| (body, lanes))) {
        let upstream = Upstream::answering(body(bytes))?;
        let (placing, plain) = (client(&upstream, true)?, client(&upstream, false)?);
        let sending = Sending { house, upstream: &upstream, bytes, in_flight };
        let ours = || sending.all(&placing, REQUESTS as u64);
        let reference = || sending.all(&plain, 0);
        let pair = Pair::of(REPETITIONS, ours, reference)?;
        let what = format!(
            "GETs of {name} through egress with a credential placed and scrubbed, {in_flight} in flight"
        );
        let goal = Goal::RatioAtLeast(LEAST_RATIO);
        report.add(pair.row(&what, REQUESTS as f64 / 1e3, "k requests/s", goal));
        let (cpu, (low, high)) = (pair.cpu_ratio(), pair.spread());
        report.note(format!(
            "{what}: ratio by processor time, the server's part included, {cpu:.2}; repetitions between {low:.2} and {high:.2}."
        ));
    }
    Ok(())
}

fn body(bytes: usize) -> Bytes {
    let mut text = String::from("[");
    for id in 0_u64.. {
        text.push_str(&format!(
            "{{\"id\":{id},\"name\":\"Customer {id} O'Neil\",\"url\":\"https:\\/\\/example.com\\/{id}\"}},"
        ));
        if text.len() >= bytes {
            break;
        }
    }
    text.truncate(bytes);
    Bytes::from(text)
}

fn client(upstream: &Upstream, places: bool) -> Result<Client> {
    let caps = Caps {
        requests: 10_000_000,
        requests_per_second: u64::MAX,
        total_bytes_in: u64::MAX,
        ..Caps::default()
    };
    let rights = Arc::new(upstream.rights()?);
    let mut settings = ClientSettings::new(rights, Arc::new(Counting::default()), caps);
    if places {
        let placed = placed(&upstream.url())?;
        settings.credentials =
            Some(credential::Settings { placed, store: Arc::new(Store::new()), watch: scrub::Watch::new() });
    }
    Ok(Egress::new(Settings { system_roots: false, ..Settings::default() })?.client(settings))
}

fn placed(url: &str) -> Result<Vec<Placed>> {
    let text = format!(
        "manifest = 1\nname = \"bench\"\npublisher = \"bench\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n\
         roles = [\"source\"]\ntitle = \"Bench\"\n[[asks.hosts]]\nurl = \"{url}\"\n\
         [[asks.credentials]]\nname = \"api\"\nkind = \"bearer\"\naudience = [{{ url = \"{url}\" }}]\n"
    );
    let manifest = Manifest::parse("connector.toml", &text)?;
    Ok(manifest.asks.credentials.into_iter().map(|ask| Placed { stored: ask.name.clone(), ask }).collect())
}

/// One credential that was opened before: what storage costs is measured elsewhere.
struct Store(Material);

impl Store {
    fn new() -> Self {
        Self(Material::new(Generation(1)).with("token", Secret::new(TOKEN.to_owned())))
    }
}

#[async_trait]
impl Credentials for Store {
    fn organization(&self) -> &str {
        "bench"
    }

    async fn material(&self, _: &str) -> Result<Material, StoreError> {
        Ok(self.0.clone())
    }

    async fn mark(&self, _: &str, _: Generation) -> Result<(), StoreError> {
        Err(StoreError::Superseded)
    }

    async fn unmark(&self, _: &str, _: Generation) -> Result<(), StoreError> {
        Err(StoreError::Superseded)
    }

    async fn persist(&self, _: &str, _: Generation, _: Material) -> Result<Generation, StoreError> {
        Err(StoreError::Superseded)
    }
}

/// What the repetitions of one row share.
struct Sending<'a> {
    house: &'a House,
    upstream: &'a Upstream,
    bytes: usize,
    in_flight: usize,
}

impl Sending<'_> {
    /// Sends all requests, of which so many are to carry the credential.
    fn all(&self, client: &Client, authorized: u64) -> Result<Took> {
        let Self { house, upstream, in_flight, .. } = *self;
        let before = upstream.authorized();
        let url = format!("{}/v1/items?page=2", upstream.url());
        let took = upstream.expecting(REQUESTS, || {
            let watch = Watch::start()?;
            let bytes = house.tokio.block_on(async {
                let lane = |_| tokio::spawn(lane(client.clone(), url.clone(), REQUESTS / in_flight));
                let mut bytes = 0;
                for lane in (0..in_flight).map(lane).collect::<Vec<_>>() {
                    bytes += lane.await??;
                }
                anyhow::Ok(bytes)
            })?;
            let expected = REQUESTS * self.bytes;
            ensure!(bytes == expected, "{bytes} bytes instead of {expected}");
            watch.stop()
        })?;
        let carried = upstream.authorized() - before;
        ensure!(carried == authorized, "{carried} requests carried the credential, {authorized} were to");
        Ok(took)
    }
}

async fn lane(client: Client, url: String, requests: usize) -> Result<usize> {
    let mut bytes = 0;
    for _ in 0..requests {
        let request = Request::get(&url).body(egress::empty())?;
        let response = client.send(request).await.context("the request failed")?;
        bytes += response.into_body().collect().await?.to_bytes().len();
    }
    Ok(bytes)
}
