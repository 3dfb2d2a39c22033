//! Other systems that leave messages all the time, whatever becomes of the server: who was not answered sends the same again.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// As many as leave a message at one time.
const SENDERS: u64 = 8;
/// Who is told no, or nothing, comes again after this.
const AGAIN: Duration = Duration::from_millis(20);

/// What all of them know.
struct Shared {
    /// Where the server is by now.
    address: Mutex<String>,
    path: String,
    is_over: AtomicBool,
    resent: AtomicU64,
}

/// Senders under way.
pub(super) struct Senders {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Vec<(u64, u64)>>>,
}

/// What was accepted.
pub(super) struct Accepted {
    /// The number that each message has at the endpoint, and the one that its sender gave it.
    pub(super) messages: Vec<(u64, u64)>,
    /// How often one was sent again.
    pub(super) resent: u64,
}

impl Senders {
    /// So many messages a second in all, from now on.
    pub(super) fn begin(address: &str, path: &str, per_second: u64) -> Self {
        let shared = Arc::new(Shared {
            address: Mutex::new(address.to_owned()),
            path: path.to_owned(),
            is_over: AtomicBool::new(false),
            resent: AtomicU64::new(0),
        });
        let every = Duration::from_millis(1_000 * SENDERS / per_second);
        let sender = |first: u64| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.send(first, every))
        };
        let threads = (1..=SENDERS).map(sender).collect();
        Self { shared, threads }
    }

    /// The server is elsewhere by now.
    pub(super) fn moved(&self, address: &str) {
        address.clone_into(&mut self.shared.address.lock().unwrap());
    }

    /// Each leaves the message that it has, and no other. The server is there to take them.
    pub(super) fn end(self) -> Accepted {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let sent = self.threads.into_iter().flat_map(|sender| sender.join().unwrap());
        let mut messages: Vec<(u64, u64)> = sent.collect();
        messages.sort_unstable();
        Accepted { messages, resent: self.shared.resent.load(Ordering::Relaxed) }
    }
}

impl Shared {
    /// The messages of one sender, which come at their times, or as soon as the one before was accepted.
    fn send(&self, first: u64, every: Duration) -> Vec<(u64, u64)> {
        let (mut accepted, mut due) = (Vec::new(), Instant::now());
        for number in (first..).step_by(usize::try_from(SENDERS).unwrap()) {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            sleep(due.saturating_duration_since(Instant::now()));
            due += every;
            let sequence = loop {
                if let Some(sequence) = self.leave(number) {
                    break sequence;
                }
                self.resent.fetch_add(1, Ordering::Relaxed);
                sleep(AGAIN);
            };
            accepted.push((sequence, number));
        }
        accepted
    }

    /// None: nothing is known of the message.
    fn leave(&self, number: u64) -> Option<u64> {
        let (event, body) =
            (if number.is_multiple_of(2) { "sent" } else { "paid" }, json!({ "number": number }).to_string());
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-event: {event}\r\n\
             webhook-id: msg_{number}\r\ncontent-length: {}\r\n\r\n",
            self.path,
            body.len()
        );
        let address = self.address.lock().unwrap().clone();
        let mut stream = TcpStream::connect(address).ok()?;
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        if head.split(' ').nth(1) != Some("202") {
            return None;
        }
        serde_json::from_str::<Value>(body).ok()?["sequence"].as_u64()
    }
}
