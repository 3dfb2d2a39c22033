//! What who operates a server gets to see, and who else does not.

use super::connections::{Running, rest};
use super::world::{PASSWORD, World, options};
use crate::{Drained, Figures, Operations, Options, Server, Transport};
use async_trait::async_trait;
use measures::Standing;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use zeroize::Zeroizing;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// Figures that stand still.
struct Still;

#[async_trait]
impl Figures for Still {
    async fn read(&self) -> Standing {
        let queue = measures::Queue { waiting: 11, running: 0 };
        Standing { queue: Some(queue), ..Standing::default() }
    }
}

pub(super) fn operations(address: &str, token: Option<&str>) -> Operations {
    let token = token.map(|token| Zeroizing::new(token.to_owned()));
    Operations { address: address.parse().unwrap(), token, figures: Arc::new(Still) }
}

async fn start(world: &World, token: Option<&str>) -> Running {
    let server = Server::bind(world.parts.clone(), options()).await.unwrap();
    Running::of(server.with_operations(operations("127.0.0.1:0", token)).await.unwrap())
}

pub(super) async fn ask(address: SocketAddr, path: &str, more: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{more}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    rest(&mut stream).await
}

#[tokio::test]
async fn figures_are_told_at_an_address_of_their_own_alone() {
    let world = World::new().await;
    let running = start(&world, None).await;
    let operations = running.operations.unwrap();
    assert!(ask(running.address, "/v1/me", "").await.starts_with("HTTP/1.1 401"));
    let figures = ask(operations, "/metrics", "").await;
    assert!(figures.starts_with("HTTP/1.1 200"));
    assert!(figures.contains("content-type: application/openmetrics-text"));
    for line in [
        "cofferdam_runs_waiting 11\n",
        "cofferdam_refusals_total{code=\"CD1310\"} 1\n",
        "cofferdam_requests_total{route=\"/v1/me\",method=\"GET\",status=\"4xx\"} 1\n",
    ] {
        assert!(figures.contains(line), "{line} in {figures}");
    }
    for path in ["/healthz", "/readyz"] {
        assert!(ask(operations, path, "").await.starts_with("HTTP/1.1 200"), "{path}");
    }
    assert!(ask(operations, "/v1/me", "").await.starts_with("HTTP/1.1 404"), "people come in elsewhere");
    assert!(ask(running.address, "/metrics", "").await.starts_with("HTTP/1.1 404"));
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}

#[tokio::test]
async fn where_a_token_is_asked_for_nothing_is_told_without_it() {
    let world = World::new().await;
    let running = start(&world, Some(TOKEN)).await;
    let operations = running.operations.unwrap();
    for wrong in
        ["", "authorization: Bearer x\r\n", "authorization: Basic 0123456789abcdef0123456789abcdef\r\n"]
    {
        let answer = ask(operations, "/metrics", wrong).await;
        assert!(answer.starts_with("HTTP/1.1 401") && !answer.contains("cofferdam_"), "{wrong}: {answer}");
    }
    let right = format!("authorization: bearer {TOKEN}\r\n");
    assert!(ask(operations, "/metrics", &right).await.contains("cofferdam_runs_waiting 11"));
    assert!(ask(operations, "/healthz", "").await.starts_with("HTTP/1.1 200"), "a probe has no token");
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}

#[tokio::test]
async fn other_machines_need_a_token_and_it_goes_over_tls() {
    let (world, folder) = (World::new().await, TempDir::new().unwrap());
    let (tls, _) = super::connections::write_files(folder.path());
    for (transport, token, code) in [
        (Transport::Plain, None, "CD1305"),
        (tls.clone(), None, "CD1305"),
        (Transport::Plain, Some(TOKEN), "CD1301"),
    ] {
        let server = Server::bind(world.parts.clone(), Options { transport, ..options() }).await.unwrap();
        let bound = server.with_operations(operations("0.0.0.0:0", token)).await;
        assert_eq!(bound.map(|_| ()).unwrap_err().code(), code);
    }
    let server = Server::bind(world.parts.clone(), Options { transport: tls, ..options() }).await.unwrap();
    let server = server.with_operations(operations("0.0.0.0:0", Some(TOKEN))).await.unwrap();
    let mut running = Running::of(server);
    running.address = SocketAddr::from(([127, 0, 0, 1], running.operations.unwrap().port()));
    let plain = ask(running.address, "/metrics", &format!("authorization: Bearer {TOKEN}\r\n")).await;
    assert!(!plain.contains("HTTP/1.1 200"), "{plain}");
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}

/// Whoever stops sending requests is to see that there is a reason.
#[tokio::test]
async fn who_operates_a_server_sees_that_it_ends() {
    let world = World::new().await;
    let running = start(&world, None).await;
    let (address, operations) = (running.address, running.operations.unwrap());
    let mut under_way = running.connect().await;
    let head = "POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
    under_way.write_all(head.as_bytes()).await.unwrap();
    let mut asked = [0; 25];
    tokio::io::AsyncReadExt::read_exact(&mut under_way, &mut asked).await.unwrap();
    let ended = running.stop();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let ready = ask(operations, "/readyz", "").await;
    assert!(ready.starts_with("HTTP/1.1 503") && ready.contains("CD1331"), "{ready}");
    assert!(ask(operations, "/healthz", "").await.starts_with("HTTP/1.1 200"));
    under_way.write_all(b"{}").await.unwrap();
    rest(&mut under_way).await;
    assert_eq!(ended.await.unwrap(), Drained::All);
}

/// After a failed sync an engine has stopped as it has when it was closed: it answers nothing any more.
#[tokio::test]
async fn a_server_whose_storage_has_stopped_is_there_and_not_ready() {
    let folder = TempDir::new().unwrap();
    let options_of_it = storage::sled::Options::new(folder.path(), [7; 16], [8; 32]);
    let engine = tokio::task::spawn_blocking(move || storage::SledEngine::open(&options_of_it)).await;
    let engine = Arc::new(engine.unwrap().unwrap());
    let world = World::over(Arc::clone(&engine) as _, options()).await;
    let running = start(&world, None).await;
    let operations = running.operations.unwrap();
    assert!(ask(operations, "/readyz", "").await.starts_with("HTTP/1.1 200"));
    assert!(engine.is_sound() && engine.journal_bytes() > 0);
    engine.close().await.unwrap();
    assert!(!engine.is_sound());
    let ready = ask(operations, "/readyz", "").await;
    assert!(ready.starts_with("HTTP/1.1 5"), "{ready}");
    assert!(ask(operations, "/healthz", "").await.starts_with("HTTP/1.1 200"));
    assert_eq!(running.stop().await.unwrap(), Drained::All);
}

#[tokio::test]
async fn whoever_asks_for_whatever_figures_stay_few_and_name_nobody() {
    let world = World::new().await;
    let cast = world.cast().await;
    for number in 0..10_000 {
        let path = match number % 4 {
            0 => format!("/v1/canary-path-{number}"),
            1 => format!("/v1/organizations/canary-organization-{number}"),
            2 => format!("/v1/sessions/canary-session-{number}?canary-query={number}"),
            _ => format!("/v1/invitations/canary-invitation-{number}"),
        };
        let method = if number % 7 == 0 { format!("CANARY{number}") } else { "GET".to_owned() };
        world.ask(&method, &path).by(&cast.admin).await;
    }
    let wrong = json!({"email": "canary-person@acme.example", "password": "canary-password"});
    world.post("/v1/login", wrong).await;
    let text = world.parts.measures.text(Still.read().await);
    let named = [
        "canary",
        "CANARY",
        "acme",
        "Acme",
        "ada@",
        "bob@",
        PASSWORD,
        &cast.acme,
        &cast.admin,
        &cast.user_id,
    ];
    for name in named {
        assert!(!text.contains(name), "{name} in {text}");
    }
    let routes = text.lines().filter(|line| line.starts_with("cofferdam_request_duration_seconds_count"));
    assert!(routes.count() < 20, "{text}");
    assert!(text.lines().count() < 500, "{}", text.lines().count());
}
