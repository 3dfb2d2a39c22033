//! Servers of this process: one that speaks HTTP as it should, and one that says what it is told.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Answer every request by this function.
pub(crate) async fn serve<F, B>(
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) -> SocketAddr
where
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request| {
                let answering = answer(request);
                async { Ok::<_, Infallible>(answering.await) }
            });
            // A client that goes away is what many tests are about.
            tokio::spawn(async move {
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    address
}

/// Accepts connections, which the system does by itself, and never reads from one.
pub(crate) struct Nobody(TcpListener);

pub(crate) async fn serve_nobody() -> Nobody {
    Nobody(TcpListener::bind("127.0.0.1:0").await.unwrap())
}

impl Nobody {
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }
}

/// Answer every request by so many bytes, once its body was read whole.
pub(crate) async fn serve_bytes(bytes: usize, tell_length: bool) -> SocketAddr {
    serve(move |request| async move {
        // A body that breaks off ends the connection, and nobody reads the answer.
        let _ = request.into_body().collect().await;
        let body = Full::new(Bytes::from(vec![b'x'; bytes]));
        // Frames of unknown length go out in chunks.
        Response::new(if tell_length { body.boxed() } else { body.map_frame(|frame| frame).boxed() })
    })
    .await
}

/// A JSON API of so many rows, page by page; tells which paths were asked for.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Api {
    pub(crate) async fn of(rows: u64) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let address = serve(move |request| {
            seen.lock().unwrap().push(request.uri().to_string());
            let page = page(request.uri().query().unwrap_or_default(), rows);
            async move { Response::new(Full::from(page.to_string())) }
        });
        Self { address: address.await, asked }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn page(query: &str, rows: u64) -> Value {
    let number = |name: &str| {
        let pair = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        pair.expect("the query names it").parse::<u64>().unwrap()
    };
    let (page, size) = (number("_page"), number("_per_page"));
    let end = (page * size).min(rows);
    let data: Vec<_> = ((page - 1) * size..end).map(|id| json!({ "id": id })).collect();
    json!({ "next": (end < rows).then_some(page + 1), "data": data })
}

/// What a [`Raw`] server does after its answer.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Then {
    Close,
    /// Keep the connection until the client closes it.
    Hold,
}

/// Says the same bytes on each connection, once it has read the head of a request.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    open: Arc<AtomicUsize>,
}

impl Raw {
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let raw = Self { address, heads: Arc::default(), open: Arc::default() };
        let (answer, heads, open) = (answer.into(), raw.heads.clone(), raw.open.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, heads, open) = (answer.clone(), heads.clone(), open.clone());
                open.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(async move {
                    let head = head(&mut stream).await;
                    heads.lock().unwrap().push(head);
                    stream.write_all(&answer).await.unwrap();
                    if then == Then::Hold {
                        // Ends with the client's close, or with its reset.
                        while stream.read(&mut [0; 1024]).await.is_ok_and(|length| length > 0) {}
                    }
                    open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        raw
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Connections that are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// An answer of this status line, these headers and this body, whose length is told.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
