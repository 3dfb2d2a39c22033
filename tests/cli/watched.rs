//! A server that is watched: figures, traces at a real receiver of OTLP, its log as JSON; and what none of them holds.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

use crate::serving::{PASSWORD, Serving};
use crate::world::World;

/// Nothing takes so long but what hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A collector: answers, and hands on what it was sent.
fn collector() -> (String, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sender, came) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut stream = BufReader::new(stream.unwrap());
                while let Some(body) = received(&mut stream) {
                    stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                    if sender.send(ExportTraceServiceRequest::decode(body.as_slice()).unwrap()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, came)
}

/// The body of the next request.
fn received(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let (mut head, mut line) = (String::new(), String::new());
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        head.push_str(&line.to_ascii_lowercase());
    }
    assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    Some(body)
}

fn spans(batch: ExportTraceServiceRequest) -> Vec<Span> {
    let scopes = batch.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn attribute<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a Any> {
    attributes.iter().find(|known| known.key == name)?.value.as_ref()?.value.as_ref()
}

/// What is answered to a request without more.
pub(crate) fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn who_watches_a_server_sees_what_it_does_and_nobodys_data() {
    let world = World::new();
    let (address, came) = collector();
    let more = ["--operations", "127.0.0.1:0", "--otlp", &address, "--log-format", "json", "-vv"];
    let mut server = Serving::start(&world, &more, None);
    let operations = server.operations();
    let first = json!({"token": server.setup_token(), "email": "canary@host.example", "password": PASSWORD});
    server.post("/v1/setup", None, first);
    let session = server.log_in("canary@host.example");
    let missing = server.get("/v1/organizations/canary-organization/syncs?canary-query=1", &session);
    // There is no such query.
    assert_eq!(missing.status, 400);
    let id = serde_json::from_str::<Value>(&missing.body).unwrap()["request_id"].as_str().unwrap().to_owned();
    let figures = get(&operations, "/metrics");
    for begins in [
        "cofferdam_storage_commits_total ",
        "cofferdam_storage_journal_bytes ",
        "cofferdam_storage_sound 1",
        "cofferdam_runs_waiting 0",
        "cofferdam_workers 0",
        "cofferdam_process_resident_bytes ",
        "cofferdam_requests_total{route=\"/v1/organizations/{organization}/syncs\",method=\"GET\",status=\"4xx\"} 1",
    ] {
        assert!(figures.lines().any(|line| line.starts_with(begins)), "{begins} in {figures}");
    }
    assert!(get(&operations, "/readyz").starts_with("HTTP/1.1 200"));

    let mut all = Vec::new();
    let until = Instant::now() + PATIENCE;
    let asked = loop {
        let batch = came.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap();
        all.extend(spans(batch));
        let is_it = |span: &&Span| attribute(&span.attributes, "id") == Some(&Any::StringValue(id.clone()));
        if let Some(span) = all.iter().find(is_it) {
            break span.clone();
        }
    };
    assert_eq!(asked.name, "request");
    let route = attribute(&asked.attributes, "route");
    assert_eq!(route, Some(&Any::StringValue("/v1/organizations/{organization}/syncs".to_owned())));
    assert_eq!(attribute(&asked.attributes, "status"), Some(&Any::IntValue(400)));
    let ended = server.terminate().succeeded();
    let log = ended.stderr.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = log.map(|line| serde_json::from_str(line).unwrap()).collect();
    let told =
        lines.iter().find(|line| line["message"] == "a request was answered" && line["id"] == *id).unwrap();
    assert_eq!(told["span"]["id"], *id, "every line within a request names it");
    assert!(told["timestamp"].is_string());
    let traces = format!("{all:?}");
    for secret in ["canary", PASSWORD, &session] {
        assert!(!figures.contains(secret), "{secret} in {figures}");
        assert!(!traces.contains(secret), "{secret} in {traces}");
        assert!(!ended.stderr.contains(secret), "{secret} in {}", ended.stderr);
    }
}

#[test]
fn a_collector_that_is_away_costs_nothing_and_is_told_of_once() {
    let world = World::new();
    // Taken, and nobody answers there.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    drop(silent);
    let server = Serving::start(&world, &["--otlp", &address], None);
    for _ in 0..500 {
        assert_eq!(server.ask("GET", "/healthz", None, None).status, 200);
    }
    let began = Instant::now();
    let ended = server.terminate().succeeded();
    assert!(began.elapsed() < PATIENCE);
    let told = ended.stderr.matches("the collector of traces is not reached").count();
    assert_eq!(told, 1, "{}", ended.stderr);
}

#[test]
fn a_token_that_can_be_guessed_is_refused() {
    let world = World::new();
    world.file("token", "short\n");
    let command = ["serve", "--data", "data", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0"];
    let ran = world.run(&[&command[..], &["--operations-token-file", "token"]].concat());
    assert!(ran.stderr.contains("at least 32 characters"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("short"), "{}", ran.stderr);
    let open = ["serve", "--data", "data", "--listen", "127.0.0.1:0", "--operations", "0.0.0.0:0"];
    let ran = world.run(&open);
    assert!(ran.stderr.contains("CD1305"), "{}", ran.stderr);
}
