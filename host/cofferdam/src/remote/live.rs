//! What happens at a server, a line for each event: ids, states and counts.

use std::io;

use http_body_util::BodyExt;
use serde_json::Value;

use super::Error;
use super::client::{Answer, Client};
use crate::output::Output;
use crate::problem::{Problem, Problems};
use crate::text::plain_line;
use crate::units;

const DONE: &str = "done";
/// What an event may have beside its moment and kind, in the order in which it is read.
const TEXTS: [&str; 4] = ["sync", "run", "state", "outcome"];
const COUNTS: [&str; 4] = ["read", "accepted", "rejected", "filtered"];

/// Which events somebody wants to see, and for how long.
pub(super) struct Watched<'w> {
    pub(super) sync: Option<&'w str>,
    pub(super) until_ended: bool,
}

/// Until the server, or whoever reads, has enough.
pub(super) async fn shown(
    client: &Client,
    answer: Answer,
    watched: Watched<'_>,
    output: &Output,
) -> Result<(), Problems> {
    let (mut body, mut stream) = (answer.body, Stream::default());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| client.strange(format!("its answer breaks off: {error}")))?;
        for event in frame.data_ref().map(|data| stream.events(data)).unwrap_or_default() {
            let text = |name| event.get(name).and_then(Value::as_str);
            // What is of no sync tells that nothing, or not everything, was heard before.
            if watched.sync.is_some() && text("sync").is_some() && text("sync") != watched.sync {
                continue;
            }
            let line = if output.json { event.to_string() } else { line(&event) };
            match output.bytes(format!("{line}\n").as_bytes()) {
                // Whoever closed the pipe has seen enough.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                written => written.map_err(|error| Problem::output(&error))?,
            }
            if let (true, Some("run_ended"), Some(outcome)) =
                (watched.until_ended, text("kind"), text("outcome"))
            {
                return ended(outcome, text("run").unwrap_or_default());
            }
        }
    }
    if watched.until_ended {
        return Err(client.strange("it tells nothing more, and no run has ended".to_owned()).into());
    }
    output.aside("the server tells nothing more\n");
    Ok(())
}

fn ended(outcome: &str, run: &str) -> Result<(), Problems> {
    if outcome == DONE {
        return Ok(());
    }
    Err(Error::NotCompleted { run: run.to_owned(), outcome: plain_line(outcome) }.into())
}

fn line(event: &Value) -> String {
    let moment = event.get("at_ms").and_then(Value::as_u64).map_or_else(String::new, units::second);
    let kind = event.get("kind").and_then(Value::as_str).unwrap_or_default();
    let mut line = format!("{moment:19}  {kind:12}");
    for name in TEXTS {
        if let Some(text) = event.get(name).and_then(Value::as_str) {
            line.push_str(&format!("  {name} {text}"));
        }
    }
    let attempts = event.get("attempts").and_then(Value::as_u64).map(|count| ("attempts", count));
    let counts = event.get("counts");
    let counts = COUNTS.iter().filter_map(|name| Some((*name, counts?.get(name)?.as_u64()?)));
    for (name, count) in attempts.into_iter().chain(counts) {
        line.push_str(&format!("  {name} {}", units::count(count)));
    }
    plain_line(line.trim_end())
}

/// Server-Sent Events as they come, in parts that end anywhere.
#[derive(Default)]
struct Stream(Vec<u8>);

impl Stream {
    /// The events whose line of data has come whole. Each has one line of it.
    fn events(&mut self, part: &[u8]) -> Vec<Value> {
        self.0.extend_from_slice(part);
        let Some(end) = self.0.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.0.split_off(end + 1);
        let whole = std::mem::replace(&mut self.0, rest);
        let data = whole.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(b"data:"));
        data.filter_map(|data| serde_json::from_slice(data).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Stream, line};
    use serde_json::json;

    #[test]
    fn events_are_whole_however_they_come() {
        let sent = b": still here\n\nid: a-1\nevent: here\ndata: {\"kind\":\"here\"}\n\nevent: x\ndata: {\"kind\":\"run_waits\"}\n\n";
        for size in 1..sent.len() {
            let mut stream = Stream::default();
            let events: Vec<_> = sent.chunks(size).flat_map(|part| stream.events(part)).collect();
            assert_eq!(events, [json!({"kind": "here"}), json!({"kind": "run_waits"})], "{size}");
        }
    }

    #[test]
    fn a_line_has_what_the_event_has_and_steers_no_terminal() {
        let event = json!({"kind": "run_progress", "at_ms": 951_782_400_000_u64, "run": "run_1", "sync": "a\u{1b}b",
            "counts": {"read": 1200, "accepted": 1}, "state": null});
        let expected = "2000-02-29 00:00:00  run_progress  sync a\\u{1b}b  run run_1  read 1,200  accepted 1";
        assert_eq!(line(&event), expected);
        assert_eq!(line(&json!({"kind": "here"})), format!("{:19}  here", ""));
    }
}
