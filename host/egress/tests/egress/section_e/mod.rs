//! Section E of the attack cases as rows: who is asked for how, and where that must end. The rights are the real ones, names
//! come from a name server that says whatever serves the attacker, and nothing of it may leave the house.

mod addresses;
mod covered;
mod environment;
mod frames;
mod names;
mod shapes;
mod spellings;

use std::net::IpAddr;
use std::sync::Arc;

use egress::{Client, ClientSettings, DnsResolver, Egress, Gate, Outcome, Resolver, Settings};
use grants::{Basis, Rights};
use http::{Request, Uri};
use manifest::{AddressGrant, Asks, Grants, HostAsk, HostPattern, Role};

use crate::support::dns::{Dns, Says};
use crate::support::raw::{Raw, Then};
use crate::support::{House, LOOPBACK, get, send};

/// Rows that there must be, and spellings of addresses and names among them.
const ROWS_MIN: usize = 250;
const SPELLINGS_MIN: usize = 150;

/// How an attacker's address or URL is come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It stands in the request.
    Literal,
    /// A granted name has this address, A or AAAA.
    Dns,
    /// A granted name is an alias for a name with this address.
    Alias,
    /// A granted server sends the connector there.
    Redirect,
}

/// One attack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) spelling: &'static str,
    pub(crate) way: Way,
}

/// What the rules of the suite allow: enough that only what is tested stands between.
const ALLOWED: &[&str] = &[
    "http://*.attack.test",
    "http://*.google.internal",
    "http://metadata.google.internal",
    "http://a.metadata.google.internal",
    "http://metadata",
    "http://metadata.goog",
    "http://instance-data",
    "http://instance-data.ec2.internal",
    "http://localhost",
    "http://a.localhost",
    "http://localhost.localdomain",
    "http://localhost6",
    "http://ip6-localhost",
    "http://ip6-loopback",
    "https://allowed.com",
    "https://*.wild.com:8443",
    "https://api.com",
];

/// A connector with its rights, its name server, and a granted server that redirects.
pub(crate) struct World {
    pub(crate) house: House,
    pub(crate) dns: Dns,
    pub(crate) client: Client,
    redirector: Raw,
}

impl World {
    /// The redirector answers its n-th request with the n-th of these places.
    pub(crate) async fn new(places: Vec<String>) -> Self {
        let redirector = Raw::scripted(move |number| {
            let head =
                format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", places[number]);
            (head.into_bytes(), Then::Serve)
        })
        .await;
        let mut hosts: Vec<String> = ALLOWED.iter().map(|host| (*host).to_owned()).collect();
        hosts.extend(addresses::DENIED.iter().map(|(_, spelling)| literal(spelling)));
        hosts.push(format!("http://*.served.test:{}", redirector.port()));
        Self::granted(&hosts, redirector).await
    }

    async fn granted(hosts: &[String], redirector: Raw) -> Self {
        let host = |url: &String| HostAsk { pattern: HostPattern::parse(url).unwrap(), reason: None };
        let hosts: Vec<HostAsk> = hosts.iter().map(host).collect();
        let addresses = vec![AddressGrant::exact(LOOPBACK, redirector.port())];
        let asks = Asks { hosts: hosts.clone(), ..Asks::default() };
        let grants = Grants { hosts, addresses, ..Grants::default() };
        let (organization, host) = (None, None);
        let basis = Basis {
            document: grants::Document::Sync,
            role: Role::Source,
            name: "items",
            connector: "items",
            asks: &asks,
            grants: &grants,
            organization,
            host,
        };
        let house = House::default().caps(|caps| caps.host_names_per_second = u64::MAX);
        let dns = Dns::start().await;
        let resolver = DnsResolver::new(egress::Dns { servers: vec![dns.address], hosts_file: false });
        let resolver: Arc<dyn Resolver> = Arc::new(resolver);
        let settings = Settings { system_roots: false, resolver, ..Settings::default() };
        let rights: Arc<dyn Gate> = Arc::new(Rights::new(&basis));
        let client = Egress::new(settings).unwrap().client(ClientSettings { rights, ..house.settings() });
        Self { house, dns, client, redirector }
    }

    /// A URL of the granted server under a name that the rules allow.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{name}.served.test:{}/", self.redirector.port())
    }

    /// Where a request for this URL ends: the code of its error.
    pub(crate) async fn ends(&self, url: &str) -> String {
        let Ok(uri) = url.parse::<Uri>() else { return spellings::NO_URL.to_owned() };
        let mut request = Request::new(egress::empty());
        *request.uri_mut() = uri;
        match send(&self.client, request).await {
            Ok(response) => format!("answered with {}", response.status()),
            Err(error) => error.code().to_owned(),
        }
    }

    /// What the granted server says instead of an answer; the connector goes there itself.
    async fn redirected(&self) -> String {
        self.dns.addresses("away.served.test", &["127.0.0.1"]);
        let response = send(&self.client, get(self.url("away"))).await.unwrap();
        let place = response.headers()["location"].as_bytes().to_vec();
        String::from_utf8(place).unwrap()
    }

    /// Nothing that was refused came as far as an address.
    fn nothing_left(&self) {
        for entry in self.house.ledger.all() {
            let is_ours = matches!(entry.outcome, Outcome::Completed) && entry.host.ends_with(".served.test");
            assert!(is_ours || entry.address.is_none(), "{entry:?}");
        }
    }
}

/// A URL of this address.
fn literal(address: &str) -> String {
    if address.contains(':') { format!("http://[{address}]") } else { format!("http://{address}") }
}

fn redirects(rows: &[Row], place: impl Fn(&Row) -> String) -> Vec<String> {
    rows.iter().filter(|row| row.way == Way::Redirect).map(place).collect()
}

#[tokio::test]
async fn e01_to_e16_no_way_leads_to_an_address_that_was_not_granted() {
    let rows = addresses::rows();
    let world = World::new(redirects(&rows, |row| literal(row.spelling))).await;
    for (number, row) in rows.iter().enumerate() {
        let name = format!("r{number}.attack.test");
        let address: IpAddr = row.spelling.parse().unwrap();
        let url = match row.way {
            Way::Literal => literal(row.spelling),
            Way::Redirect => world.redirected().await,
            Way::Dns => {
                world.dns.say(&name, [Says::Addresses(vec![address])]);
                format!("http://{name}/")
            }
            Way::Alias => {
                let inner = format!("r{number}.inner.test");
                let alias = match number % 2 {
                    0 => Says::Elsewhere(inner.clone()),
                    _ => Says::Alias(inner.clone(), vec![address]),
                };
                world.dns.say(&name, [alias]);
                world.dns.say(&inner, [Says::Addresses(vec![address])]);
                format!("http://{name}/")
            }
        };
        assert_eq!(world.ends(&url).await, "CD0207", "{row:?}");
    }
    world.nothing_left();
}

#[tokio::test]
async fn e06_e07_e17_to_e19_e26_to_e31_e35_e44_no_spelling_leads_where_nobody_judged() {
    let rows = spellings::rows();
    let world = World::new(redirects(&rows, |row| row.spelling.to_owned())).await;
    let mut wrong = Vec::new();
    for row in &rows {
        let url = if row.way == Way::Redirect { world.redirected().await } else { row.spelling.to_owned() };
        assert_eq!(url, row.spelling);
        let ended = world.ends(&url).await;
        if ended != spellings::expected(row.spelling) {
            wrong.push(format!("{row:?} ended in {ended}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(world.dns.asked().iter().all(|name| name == "away.served.test"), "{:?}", world.dns.asked());
    world.nothing_left();
}

#[test]
fn addresses_just_outside_are_public() {
    let basis = Basis {
        document: grants::Document::Sync,
        role: Role::Source,
        name: "items",
        connector: "items",
        asks: &Asks::default(),
        grants: &Grants::default(),
        organization: None,
        host: None,
    };
    let rights = Rights::new(&basis);
    for (case, address) in addresses::PUBLIC {
        assert!(rights.judge_address(address.parse().unwrap(), 443).is_allowed(), "{case}: {address}");
    }
}

#[test]
fn the_tables_have_the_rows_that_were_promised() {
    let spellings = addresses::DENIED.len() + addresses::PUBLIC.len() + spellings::SPELLINGS.len();
    let rows = addresses::rows().len() + addresses::PUBLIC.len() + spellings::rows().len() + names::rows();
    println!("section E: {rows} rows, {spellings} spellings of addresses and names");
    assert!(rows >= ROWS_MIN, "{rows} rows");
    assert!(spellings >= SPELLINGS_MIN, "{spellings} spellings");
}
