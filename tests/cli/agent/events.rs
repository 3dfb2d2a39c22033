//! Messages that other systems leave: each is moved once and in its order, by runs that they ask for.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::story::Story;
use crate::serving::text;
use crate::stopped::until;

/// A sync that runs, and the path at which messages are left for it.
struct Hook {
    story: Story,
    sync: String,
    path: String,
}

impl Hook {
    fn begin() -> Self {
        Self::of(Story::webhook)
    }

    /// With this connector, which understands messages.
    fn of(source: impl Fn(&Story) -> String) -> Self {
        let story = Story::begin();
        let (source, destination) = (source(&story), story.destination());
        let sync = story.sync(&source, &destination, &json!({}));
        story.post(&format!("/syncs/{sync}/start"), json!({}));
        let path = text(&story.post(&format!("/syncs/{sync}/endpoint"), json!({})), "/url");
        Self { story, sync, path }
    }

    /// What another system is answered; none: the server went away meanwhile.
    fn ask(&self, method: &str, more: &str, headers: &str, body: &str) -> Option<(u16, String)> {
        let head = format!(
            "{method} {}{more} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
            self.path,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.story.server().address).ok()?;
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// Leaves a message; answers its number.
    fn leave(&self, number: u64) -> u64 {
        let event = if number.is_multiple_of(2) { "sent" } else { "paid" };
        let headers = format!("x-event: {event}\r\nwebhook-id: msg_{number}\r\n");
        self.left(&headers, &json!({ "number": number }).to_string())
    }

    /// The number of a message with these headers.
    fn left(&self, headers: &str, body: &str) -> u64 {
        let (status, body) = self.ask("POST", "", headers, body).unwrap();
        assert_eq!(status, 202, "{body}");
        serde_json::from_str::<Value>(&body).unwrap()["sequence"].as_u64().unwrap()
    }

    /// What has arrived: the numbers that messages have here and those that their senders gave them, as they came.
    fn arrived(&self, event: &str) -> Vec<(u64, u64)> {
        let unit = self.story.remote.unit();
        let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
        let rows = unit.rows.get(event).into_iter().flatten();
        rows.map(|row| (number(row, "sequence"), number(row, "number"))).collect()
    }

    /// That so many messages have arrived, each once and in the order of their numbers.
    fn has_once(&self, count: u64) {
        let (mut paid, mut sent) = (self.arrived("paid"), self.arrived("sent"));
        assert!(paid.is_sorted() && sent.is_sorted(), "{paid:?} {sent:?}");
        paid.append(&mut sent);
        paid.sort_unstable();
        let (here, given): (Vec<u64>, Vec<u64>) = paid.into_iter().unzip();
        assert_eq!(here, (1..=count).collect::<Vec<_>>());
        assert_eq!(given, (1..=count).collect::<Vec<_>>());
    }

    fn until_arrived(&self, count: usize) {
        until("all messages to arrive", || self.arrived("paid").len() + self.arrived("sent").len() >= count);
    }

    fn waiting(&self) -> Value {
        self.story.get(&format!("/syncs/{}/endpoint/queue", self.sync))["waiting"].clone()
    }
}

#[test]
fn messages_are_moved_once_and_in_order_and_forgotten() {
    let mut hook = Hook::begin();
    for number in 1..=20 {
        assert_eq!(hook.leave(number), number);
    }
    // It comes again, as when its answer was lost.
    assert_eq!(hook.leave(20), 20);
    hook.until_arrived(20);
    hook.has_once(20);
    until("what was committed to be forgotten", || hook.waiting() == 0);
    // What comes later has a run of its own.
    assert_eq!(hook.leave(21), 21);
    hook.until_arrived(21);
    hook.has_once(21);
    let (status, body) = hook.ask("GET", "?challenge=word", "", "").unwrap();
    assert_eq!((status, body.as_str()), (200, "word"));
    hook.story.terminate().succeeded();
}

#[test]
fn what_was_accepted_is_moved_once_however_often_the_server_is_killed() {
    let mut hook = Hook::begin();
    for times in 0..3 {
        for number in 1..=10 {
            hook.leave(times * 10 + number);
        }
        hook.story.kill();
        hook.story.start_again();
    }
    hook.until_arrived(30);
    until("what was committed to be forgotten", || hook.waiting() == 0);
    hook.has_once(30);
    hook.story.terminate().succeeded();
}

/// As a connector with bugs does: on some messages it fails in one way or another, each time.
#[test]
fn a_message_on_which_the_connector_fails_is_set_aside_and_those_behind_it_are_moved_in_order() {
    let mut hook = Hook::of(|story| story.connect("clumsy.wasm", &json!({})));
    hook.story.post(&format!("/syncs/{}/stop", hook.sync), json!({}));
    let bad = [(3, "crash"), (4, "bug"), (9, "data")];
    for number in 1..=12 {
        let how = bad.iter().find(|(at, _)| *at == number);
        let header = how.map_or(String::new(), |(_, how)| format!("x-fail: {how}\r\n"));
        assert_eq!(hook.left(&header, &json!({ "id": number }).to_string()), number);
    }
    hook.story.post(&format!("/syncs/{}/start", hook.sync), json!({}));
    let last = hook.story.ended(&hook.sync);
    assert_eq!(last["outcome"], "done", "{last}");
    let moved: Vec<u64> =
        hook.story.remote.rows(&hook.sync, "orders").iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(moved, [1, 2, 5, 6, 7, 8, 10, 11, 12]);
    until("what was set aside to be forgotten too", || hook.waiting() == 0);
    let kept = hook.story.lines(&format!("/syncs/{}/errors/export", hook.sync));
    let told: Vec<_> = kept.iter().map(|error| (text(error, "/code"), text(error, "/raw"))).collect();
    let body = |number: u64| STANDARD.encode(json!({ "id": number }).to_string());
    assert_eq!(told, [3, 4, 9].map(|number| ("message_failed".to_owned(), body(number))));
    for (error, code) in kept.iter().zip(["CD0610", "CD0607", "CD0606"]) {
        assert!(text(error, "/message").contains(code), "{error}");
    }
    hook.story.terminate().succeeded();
}

/// What fails for good is told with the time of the next run, which a restart of the server does not change.
#[test]
fn what_a_failed_run_has_left_is_come_for_at_a_time_that_a_restart_keeps() {
    let mut hook = Hook::begin();
    let destination = text(&hook.story.get(&format!("/syncs/{}", hook.sync)), "/does/destination");
    hook.story.grant(&destination, &json!({}));
    hook.leave(1);
    assert_eq!(hook.story.ended(&hook.sync)["outcome"], "failed");
    let queue = |hook: &Hook| hook.story.get(&format!("/syncs/{}/endpoint/queue", hook.sync));
    let left = queue(&hook);
    assert_eq!((&left["waiting"], &left["left_by_runs"]), (&json!(1), &json!(1)), "{left}");
    assert!(left["next_run_ms"].is_u64(), "{left}");
    hook.leave(2);
    hook.story.kill();
    hook.story.start_again();
    let kept = queue(&hook);
    assert_eq!((&kept["waiting"], &kept["next_run_ms"]), (&json!(2), &left["next_run_ms"]), "{kept}");
    hook.story.allow(&destination);
    // It is mended: whoever knows that waits for nothing.
    hook.story.run(&hook.sync);
    hook.until_arrived(2);
    hook.has_once(2);
    until("a run that succeeds", || queue(&hook)["left_by_runs"] == 0);
    assert!(queue(&hook)["next_run_ms"].is_null());
    hook.story.terminate().succeeded();
}
