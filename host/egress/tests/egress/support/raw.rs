//! Servers on raw sockets, which can say what no HTTP library would.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A server on 127.0.0.1 and a port of its own. It ends with the test.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What happens after the answer was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Close,
    /// Say nothing more until the client closes.
    Hold,
    /// Answer the next request on the same connection.
    Serve,
}

impl Raw {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Connections accepted so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    /// The heads of the requests so far, each as it came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// Answers each request with these bytes.
    pub(crate) async fn answering(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        let bytes = bytes.into();
        Self::scripted(move |_number| (bytes.clone(), then)).await
    }

    /// Answers request number `n` (over all connections, from 0) as the script says.
    pub(crate) async fn scripted(script: impl Fn(usize) -> (Vec<u8>, Then) + Send + Sync + 'static) -> Self {
        let script = Arc::new(script);
        Self::start(move |mut stream, heads| {
            let script = Arc::clone(&script);
            async move {
                while let Some(head) = read_head(&mut stream).await {
                    let number = {
                        let mut heads = heads.lock().unwrap();
                        heads.push(head);
                        heads.len() - 1
                    };
                    let (bytes, then) = script(number);
                    if stream.write_all(&bytes).await.is_err() || then == Then::Close {
                        return;
                    }
                    if then == Then::Hold {
                        return read_to_end(&mut stream).await;
                    }
                }
            }
        })
        .await
    }

    /// Serves each connection with this function.
    pub(crate) async fn start<F, W>(serve: F) -> Self
    where
        F: Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> W + Send + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (counted, kept, held) = (Arc::clone(&connections), Arc::clone(&heads), Arc::clone(&open));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                held.fetch_add(1, Ordering::SeqCst);
                let (work, held) = (serve(stream, Arc::clone(&kept)), Arc::clone(&held));
                tokio::spawn(async move {
                    work.await;
                    held.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, connections, open, heads, task }
    }
}

/// Reads up to the end of a request's head; none when the client has closed.
pub(crate) async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

pub(crate) async fn read_to_end(stream: &mut TcpStream) {
    let mut rest = [0; 4096];
    while matches!(stream.read(&mut rest).await, Ok(read) if read > 0) {}
}

/// A whole response with this body.
pub(crate) fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}
