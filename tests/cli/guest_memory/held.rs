//! An API that holds its last page back, so that a test can look at a run whose guest has seen everything else.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use serde_json::json;

use crate::api::{head_of, respond};

/// What it gives for whatever its token endpoint is asked with.
pub(crate) const ISSUED: &str = "CANARY/issued+token==~4711";

pub(crate) struct Held {
    pub(crate) address: String,
    /// The head of the request for the last page, and what lets the answer go.
    asked: Receiver<(String, Sender<()>)>,
}

impl Held {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, asked) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, sender) = (stream.unwrap(), sender.clone());
                thread::spawn(move || answer(&stream, &sender));
            }
        });
        Self { address, asked }
    }

    /// Waits until somebody asks for the last page; what was asked, and what lets the answer go when it is dropped.
    pub(crate) fn waits(&self) -> (String, Sender<()>) {
        self.asked.recv_timeout(std::time::Duration::from_secs(60)).expect("the last page is asked for")
    }
}

/// The first page says what the request for it was: what is in it reaches the guest as the host lets it.
fn answer(stream: &TcpStream, asked: &Sender<(String, Sender<()>)>) {
    let Some(head) = head_of(stream) else { return };
    if head.starts_with("POST /token ") {
        let token = json!({ "access_token": ISSUED, "token_type": "Bearer", "expires_in": 3600 });
        return respond(stream, &token.to_string());
    }
    if head.contains("_page=1") {
        let rows = json!([{ "id": 1, "asked": head, "tags": [] }, { "id": 2, "asked": "", "tags": [] }]);
        return respond(stream, &json!({ "next": 2, "data": rows }).to_string());
    }
    let (go, gone) = channel();
    if asked.send((head, go)).is_ok() {
        // It ends by being dropped.
        let _ = gone.recv();
        respond(stream, r#"{"next": null, "data": []}"#);
    }
}
