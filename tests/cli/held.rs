//! A system whose every answer a test gives by hand, as slowly as it likes.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What no step of a test takes, on any machine.
const BOUND: Duration = Duration::from_secs(60);

/// The system.
pub(crate) struct Upstream {
    pub(crate) url: String,
    asked: Receiver<Asked>,
}

/// A request that waits for its answer.
pub(crate) struct Asked {
    /// Its lines before the body.
    pub(crate) head: String,
    stream: TcpStream,
}

impl Upstream {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, asked) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                if sender.send(Asked { head: head.join("\n") + "\n", stream }).is_err() {
                    return;
                }
            }
        });
        Self { url, asked }
    }

    /// The next request.
    pub(crate) fn asked(&self) -> Asked {
        self.asked.recv_timeout(BOUND).expect("nobody asks")
    }

    /// Nothing was asked that the test has not answered.
    pub(crate) fn is_quiet(&self) -> bool {
        self.asked.try_recv().is_err()
    }
}

impl Asked {
    /// The stream that is asked for: the first part of the path.
    pub(crate) fn stream(&self) -> String {
        let target = self.head.strip_prefix("GET /").unwrap();
        target.split(['?', ' ']).next().unwrap().to_owned()
    }

    /// A page of records, and the number of the next one.
    pub(crate) fn page(self, next: Option<u64>, ids: RangeInclusive<u64>) {
        self.records(next, ids.map(|id| json!({ "id": id })).collect());
    }

    pub(crate) fn records(mut self, next: Option<u64>, data: Vec<Value>) {
        let body = json!({ "next": next, "data": data }).to_string();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        // The program may have been ended.
        let _ = self.stream.write_all(format!("{head}{body}").as_bytes());
    }

    /// The beginning of an answer that would take minutes.
    pub(crate) fn begin(&mut self) {
        let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n{\"next\": null, \"data\": [";
        self.stream.write_all(begun).unwrap();
    }

    /// How long it took since then until the other side closed the connection.
    #[track_caller]
    pub(crate) fn closed(&mut self, since: Instant) -> Duration {
        self.stream.set_read_timeout(Some(BOUND)).unwrap();
        match self.stream.read(&mut [0]) {
            Ok(0) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            other => panic!("it was not cut: {other:?}"),
        }
        since.elapsed()
    }
}
