//! What a new connection costs beside the connect itself: finding its name's address, and judging both. The name server is
//! a socket of this process; its answer is asked for once and kept, as it is in a run.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use egress::{Dns, DnsResolver, Resolver};
use grants::{Basis, RequestLine, Rights};
use manifest::{AddressGrant, Asks, Grants, HostAsk, HostPattern, Role};

use crate::clock::median;
use crate::house::House;
use crate::report::{Goal, Report, Row};

const REPETITIONS: usize = 9;
/// Of one repetition.
const CONNECTIONS: usize = 10_000;
/// Rules of a connector that asks for much; the one that matches stands last.
const RULES: usize = 32;
const NAME: &str = "api.bench.test";
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
const MOST_MICROSECONDS: f64 = 50.0;
/// The head of a message, before its question.
const HEAD_BYTES: usize = 12;

pub(crate) fn run(house: &House, report: &mut Report) -> Result<()> {
    let resolver = DnsResolver::new(Dns { servers: vec![name_server()?], hosts_file: false });
    let rights = rights()?;
    let mut microseconds = Vec::new();
    for _ in 0..=REPETITIONS {
        let began = Instant::now();
        house.tokio.block_on(async {
            for _ in 0..CONNECTIONS {
                find_and_judge(&resolver, &rights).await?;
            }
            anyhow::Ok(())
        })?;
        microseconds.push(began.elapsed().as_secs_f64() * 1e6 / CONNECTIONS as f64);
    }
    // The first repetition asked the name server.
    microseconds.remove(0);
    report.add(Row {
        what: "finding and judging an address for a new connection".to_owned(),
        unit: "µs",
        ours: median(microseconds),
        reference: None,
        ratio: None,
        goal: Goal::AtMost(MOST_MICROSECONDS),
    });
    Ok(())
}

async fn find_and_judge(resolver: &DnsResolver, rights: &Rights) -> Result<()> {
    let line = RequestLine { scheme: "https", host: NAME, port: 443, method: "GET", path: "/v1/items" };
    ensure!(rights.judge_request(&line).is_allowed(), "the request is not allowed");
    let found = resolver.resolve(NAME).await?;
    ensure!(found == [ADDRESS], "the name is at {found:?}");
    ensure!(
        found.iter().all(|found| rights.judge_address(*found, 443).is_allowed()),
        "the address is not allowed"
    );
    Ok(())
}

fn rights() -> Result<Rights> {
    let host = |url: &str| anyhow::Ok(HostAsk { pattern: HostPattern::parse(url)?, reason: None });
    let mut hosts =
        (1..RULES).map(|number| host(&format!("https://*.h{number}.test"))).collect::<Result<Vec<_>>>()?;
    hosts.push(host("https://*.bench.test")?);
    let asks = Asks { hosts: hosts.clone(), ..Asks::default() };
    let addresses = vec![AddressGrant { network: "10.1.0.0/16".parse()?, port: 443 }];
    let grants = Grants { hosts, addresses, ..Grants::default() };
    let (role, name) = (Role::Source, "source");
    Ok(Rights::new(&Basis {
        document: grants::Document::Sync,
        role,
        name,
        connector: "source",
        asks: &asks,
        grants: &grants,
        organization: None,
        host: None,
    }))
}

/// Answers every question about addresses of version 4 with one, for a minute.
fn name_server() -> Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    std::thread::spawn(move || serve(&socket));
    Ok(address)
}

fn serve(socket: &UdpSocket) -> Result<()> {
    let mut query = [0; 512];
    loop {
        let (length, from) = socket.recv_from(&mut query)?;
        let answer = query.get(..length).and_then(answer).context("the query is not one")?;
        socket.send_to(&answer, from)?;
    }
}

/// The query's number and question, and the record where it was asked for.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let question = query.get(HEAD_BYTES..)?;
    let name = question.iter().position(|byte| *byte == 0)? + 1;
    let question = question.get(..name + 4)?;
    let is_four = question.get(name..name + 2)? == [0, 1];
    let mut answer = query.get(..2)?.to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_four), 0, 0, 0, 0]);
    answer.extend(question);
    if let (true, IpAddr::V4(address)) = (is_four, ADDRESS) {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
