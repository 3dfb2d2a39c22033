//! A request that was refused for its token is sent once more, whole, or not at all.

use std::sync::Arc;

use egress::{Body, Class, Client, Error, GuestClass};
use futures::StreamExt;
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::authority::Authority;
use crate::support::kept_credentials::{Keeper, placed};
use crate::support::raw::{Raw, read_head, read_to_end};
use crate::support::served::{Served, only_header, reply};
use crate::support::tokens::{self, CLIENT, Tokens};
use crate::support::{House, certain, get, post, read, send};

const FIRST: &str = "refresh-token-of-the-admin";
const MIB: u64 = 1 << 20;

fn keeper() -> Arc<Keeper> {
    Keeper::with(
        "acme.api",
        &[
            ("client_id", CLIENT.0),
            ("client_secret", CLIENT.1),
            ("refresh_token", FIRST),
            ("access_token", "access-token-of-last-week"),
        ],
    )
}

async fn replayed(body: Body) -> (House, Result<bytes::Bytes, Error>) {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let house = House::placing(keeper().settings(placed(&api.url(""), &tokens.settings())));
    let client = house.client();
    let answer = match send(&client, post(api.url("/"), body)).await {
        Ok(response) => {
            assert_eq!(response.status(), 200);
            read(response).await
        }
        Err(error) => Err(error),
    };
    assert_eq!(tokens.redemptions(), 1);
    (house, answer)
}

#[tokio::test]
async fn a_body_up_to_the_limit_is_sent_again_whole() {
    for (body, bytes) in [
        (egress::empty(), 0),
        (egress::full("hello"), 5),
        (certain::body(1), 1),
        (certain::body(3 * MIB + 7), 3 * MIB + 7),
        (certain::body(8 * MIB), 8 * MIB),
    ] {
        let (house, answer) = replayed(body).await;
        let answer = answer.unwrap();
        assert_eq!(answer.len() as u64, bytes);
        if bytes > 5 {
            certain::Check::default().part(&answer);
        }
        let entry = house.ledger.all().into_iter().find(|entry| entry.path == "/").unwrap();
        assert_eq!((entry.status, entry.bytes_out), (Some(200), 2 * bytes), "both attempts are told as one");
        assert_eq!(entry.credential.as_deref(), Some("acme.api"));
    }
}

#[tokio::test]
async fn a_larger_body_is_not_sent_again_and_its_refusal_is_transient() {
    for body in [egress::full(vec![7; (8 << 20) + 1]), certain::body(8 * MIB + 1), certain::body(20 * MIB)] {
        let (_, answer) = replayed(body).await;
        let error = answer.unwrap_err();
        assert_eq!(
            (error.code(), error.class(), error.guest_class()),
            ("CD0322", Class::Transient, GuestClass::Response)
        );
        assert!(error.to_string().contains("`kept-body-bytes` of 8388608"), "{error}");
    }
}

#[tokio::test]
async fn bodies_that_do_not_fit_together_are_sent_and_one_of_them_is_not_sent_again() {
    let (tokens, house) = refused_at_first().await;
    let house = house.caps(|caps| caps.kept_bodies_bytes = 3 * MIB);
    let client = house.client();
    two_at_once(&tokens, [&client, &client], "`kept-bodies-bytes` of 3145728").await;
}

#[tokio::test]
async fn bodies_of_all_clients_of_the_process_that_do_not_fit_together_are_treated_alike() {
    let (tokens, mut house) = refused_at_first().await;
    house.all_kept_bodies_bytes = Some(3 * MIB);
    let egress = house.egress();
    let clients = [egress.client(house.settings()), egress.client(house.settings())];
    two_at_once(&tokens, clients.each_ref(), "`all-kept-bodies-bytes` of 3145728").await;
}

/// A server that refuses each request whose token was not renewed.
async fn refused_at_first() -> ((Tokens, Served), House) {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let house = House::placing(keeper().settings(placed(&api.url(""), &tokens.settings())));
    ((tokens, api), house)
}

/// Two requests with bodies of 2 MiB, of which one goes on while the other begins and ends.
async fn two_at_once((_tokens, api): &(Tokens, Served), [client, other]: [&Client; 2], said: &str) {
    // The first holds what is kept of it for as long as its body goes on.
    let (started, is_kept) = tokio::sync::oneshot::channel();
    let (open, rest) = tokio::sync::oneshot::channel();
    let first = async {
        let start = futures::stream::once(async { Ok(http_body::Frame::data(vec![7; 2 << 20].into())) });
        let end = futures::stream::once(async {
            started.send(()).unwrap();
            rest.await.unwrap();
            Ok(http_body::Frame::data("end".into()))
        });
        let body = StreamBody::new(start.chain(end)).boxed_unsync();
        read(send(client, post(api.url("/"), body)).await?).await
    };
    let second = async {
        is_kept.await.unwrap();
        let error = send(other, post(api.url("/"), certain::body(2 * MIB))).await.unwrap_err();
        open.send(()).unwrap();
        error
    };
    let (first, error) = tokio::join!(first, second);
    assert_eq!((error.code(), error.class()), ("CD0322", Class::Transient));
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(first.unwrap().len(), (2 << 20) + 3, "it was kept, and sent again");
    let third = send(other, post(api.url("/"), certain::body(3 * MIB))).await.unwrap();
    assert_eq!(read(third).await.unwrap().len() as u64, 3 * MIB, "there is room again");
}

#[tokio::test]
async fn a_refusal_that_comes_before_the_body_was_read_is_followed_by_the_whole_body() {
    let tokens = Tokens::start(FIRST).await;
    let api = Raw::start(|mut stream, heads| async move {
        let head = read_head(&mut stream).await.unwrap();
        let is_new = head.contains("Bearer access-token-number-1");
        heads.lock().unwrap().push(head);
        if !is_new {
            stream.write_all(b"HTTP/1.1 401 x\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            return read_to_end(&mut stream).await;
        }
        let mut body = vec![0; 4 << 20];
        stream.read_exact(&mut body).await.unwrap();
        let sound = body.iter().all(|byte| *byte == 7);
        let answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{}", if sound { "good" } else { "bad!" });
        stream.write_all(answer.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await;
    })
    .await;
    let house = House::placing(keeper().settings(placed(&api.url(""), &tokens.settings())));
    let client = house.client();
    let response = send(&client, post(api.url("/"), egress::full(vec![7; 4 << 20]))).await.unwrap();
    assert_eq!(read(response).await.unwrap(), "good");
    assert_eq!((api.heads().len(), tokens.redemptions()), (2, 1));
}

#[tokio::test]
async fn a_request_is_sent_again_over_http_2() {
    let authority = Authority::new();
    let tokens = Tokens::start(FIRST).await;
    let known = Arc::clone(&tokens.known);
    let api = Served::secure(&authority.issue("api.test"), "h2", move |request: Request<bytes::Bytes>| {
        let token = only_header(&request, "authorization").unwrap();
        let holds = known.holds(token.trim_start_matches("Bearer "));
        reply(if holds { 200 } else { 401 }, request.into_body())
    })
    .await;
    let url = format!("https://api.test:{}", api.address.port());
    let house =
        House::placing(keeper().settings(placed(&url, &tokens.settings()))).trusting(&authority.pem());
    let client = house.client();
    let response = send(&client, post(format!("{url}/"), certain::body(MIB))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(read(response).await.unwrap().len() as u64, MIB);
    assert_eq!(send(&client, get(format!("{url}/"))).await.unwrap().status(), 200);
    assert_eq!((tokens.redemptions(), api.connections()), (1, 1));
}
