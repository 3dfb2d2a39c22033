//! Messages that other systems leave: each is moved once and in its order, by runs that they ask for.

use std::io::{Read, Write};
use std::net::TcpStream;

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
        let story = Story::begin();
        let (source, destination) = (story.webhook(), story.destination());
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
        let (status, body) =
            self.ask("POST", "", &headers, &json!({ "number": number }).to_string()).unwrap();
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
