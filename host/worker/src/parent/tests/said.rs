//! What no worker says, and what is said of it.

use pipeline::failure::{Cause, Failure};
use runtime::Level;

use super::fake::{CONNECTION, walls};
use super::{head, reply};
use crate::frame::{FRAME_BYTES_MAX, encoded};
use crate::message::{Asked, Brought, Piece, ToParent, VERSION};

type Case = (&'static str, Vec<Vec<u8>>, &'static str);

const OTHER: u32 = CONNECTION + 1;

fn frames(messages: &[ToParent]) -> Vec<Vec<u8>> {
    messages.iter().map(|message| encoded(message).unwrap()).collect()
}

fn request(connection: u32, request: u64) -> ToParent {
    asked(connection, request, "GET", "http://api.test/")
}

fn asked(connection: u32, request: u64, method: &str, uri: &str) -> ToParent {
    let head = Asked {
        method: method.into(),
        uri: uri.into(),
        headers: Vec::new(),
        length: None,
        timeouts_ms: [None; 3],
    };
    ToParent::Request { connection, request, head }
}

fn line(connection: u32) -> ToParent {
    ToParent::Log { connection, level: Level::Info.into(), target: "t".into(), text: "x".into() }
}

fn failed(cause: Cause) -> ToParent {
    let failure = Failure {
        cause,
        connector: "forged".into(),
        call: "forged".into(),
        log_tail: Vec::new(),
        denials: Vec::new(),
    };
    ToParent::Reply { call: 1, outcome: Box::new(Err(failure)), used: Vec::new() }
}

/// The only call has the number 1.
pub(super) fn cases() -> Vec<Case> {
    let bytes_behind = {
        let mut frame = encoded(&ToParent::Done { request: 1 }).unwrap();
        frame.push(0);
        frame[0] += 1;
        frame
    };
    vec![
        ("a frame over the cap", vec![head(FRAME_BYTES_MAX + 1)], "at most 41943040 are allowed"),
        ("the longest length there is", vec![vec![0xff; 4]], "at most 41943040 are allowed"),
        ("an empty frame", vec![head(0)], "is no message"),
        ("a frame of garbage", vec![[head(3), vec![200, 1, 2]].concat()], "is no message"),
        ("bytes behind a message", vec![bytes_behind], "1 bytes behind its message"),
        ("half a frame and nothing more", vec![[head(10), vec![1, 2]].concat()], "it did not answer"),
        ("ready twice", frames(&[ToParent::Ready { version: VERSION, walls: walls() }]), "twice"),
        (
            "a flood of answers",
            (0..10_000).flat_map(|call| frames(&[reply(call + 100, Brought::Nothing)])).collect(),
            "which was not asked",
        ),
        ("an answer to nothing", frames(&[reply(99, Brought::Nothing)]), "which was not asked"),
        ("a line of another connection", frames(&[line(OTHER)]), "named connection 8"),
        ("a request of another connection", frames(&[request(OTHER, 1)]), "named connection 8"),
        (
            "more lines than are allowed",
            (0..21).flat_map(|_| frames(&[line(CONNECTION)])).collect(),
            "logged more for `guest`",
        ),
        ("a number twice", frames(&[request(CONNECTION, 1), request(CONNECTION, 1)]), "request 1 after 1"),
        (
            "a number that falls",
            frames(&[request(CONNECTION, 2), request(CONNECTION, 1)]),
            "request 1 after 2",
        ),
        (
            "a method that is none",
            frames(&[asked(CONNECTION, 1, "G T", "http://a/")]),
            "the method of request 1",
        ),
        ("an address that is none", frames(&[asked(CONNECTION, 1, "GET", "::")]), "the address of request 1"),
        ("a pull of nothing", frames(&[ToParent::Pull { request: 5 }]), "spoke of request 5"),
        ("an end of nothing", frames(&[ToParent::Done { request: 5 }]), "ended request 5"),
        (
            "a piece of nothing",
            frames(&[ToParent::Piece { request: 5, piece: Piece::End }]),
            "spoke of request 5",
        ),
        (
            "a failure that no worker tells",
            frames(&[failed(Cause::Quarantined("forged".into()))]),
            "a failure that no worker has to tell",
        ),
        (
            "a code that is none",
            frames(&[failed(Cause::Load { code: "\u{1b}[2J".into(), message: String::new() })]),
            "a failure that no worker has to tell",
        ),
    ]
}

/// What comes in the place of the first frame.
pub(super) fn beginnings() -> Vec<(Vec<u8>, &'static str)> {
    let ready = |version| encoded(&ToParent::Ready { version, walls: walls() }).unwrap();
    vec![
        (ready(VERSION + 1), "it is of version 2, and this program of 1"),
        (encoded(&ToParent::Done { request: 1 }).unwrap(), "it did not say first that it is ready"),
        (vec![0xff; 4], "at most 41943040 are allowed"),
        (Vec::new(), "it closed its socket"),
    ]
}
