//! A small HTTP API over a file of records: `GET /earthquakes?updated_since=MS&page=N&per_page=N`.
//! It knows as much HTTP as the demo needs, and listens on this machine only.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A client of this machine that says nothing for so long is gone.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// More than any request of the demo.
const HEAD_BYTES_MAX: u64 = 64 << 10;

/// Serves the records on a free port until the process ends, to whoever has the token, if there is one.
pub(crate) fn serve(file: &Path, token: Option<&'static str>) -> Result<u16> {
    let text = fs::read(file).with_context(|| format!("failed to read `{}`", file.display()))?;
    let mut records: Vec<Value> = serde_json::from_slice(&text)?;
    records.sort_by_key(updated);
    let records = Arc::new(records);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let records = Arc::clone(&records);
            // A client that went away concerns nobody.
            thread::spawn(move || drop(answer(&stream, &records, token)));
        }
    });
    Ok(port)
}

fn updated(record: &Value) -> u64 {
    record.get("updated").and_then(Value::as_u64).unwrap_or(0)
}

/// One request a connection.
fn answer(mut stream: &TcpStream, records: &[Value], token: Option<&str>) -> Result<()> {
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    let mut lines = BufReader::new(stream.take(HEAD_BYTES_MAX)).lines();
    let request = lines.next().context("no request")??;
    let mut shown = None;
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        let header = line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        shown = header.and_then(|(_, value)| value.strip_prefix("Bearer ")).map(str::to_owned).or(shown);
    }
    let (status, body) = if token.is_some() && token != shown.as_deref() {
        ("401 Unauthorized", json!({ "error": "the token is wrong" }).to_string())
    } else {
        respond(&request, records)
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )?;
    Ok(())
}

/// Status and body for a request line.
fn respond(request: &str, records: &[Value]) -> (&'static str, String) {
    let mut words = request.split(' ');
    let (Some("GET"), Some(target)) = (words.next(), words.next()) else {
        return ("405 Method Not Allowed", json!({ "error": "only GET" }).to_string());
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path != "/earthquakes" {
        return ("404 Not Found", json!({ "error": "there is only /earthquakes" }).to_string());
    }
    let number = |name: &str, default: u64| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.map_or(Some(default), |value| value.parse().ok())
    };
    let (Some(since), Some(page), Some(per_page)) =
        (number("updated_since", 0), number("page", 1), number("per_page", 100))
    else {
        return ("400 Bad Request", json!({ "error": "a parameter is no number" }).to_string());
    };
    let per_page = usize::try_from(per_page.clamp(1, 500)).unwrap_or(500);
    let skipped = usize::try_from(page.max(1) - 1).unwrap_or(usize::MAX).saturating_mul(per_page);
    let wanted = records.iter().filter(|record| updated(record) >= since);
    let results: Vec<&Value> = wanted.skip(skipped).take(per_page).collect();
    ("200 OK", json!({ "results": results }).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::respond;

    fn ids(request: &str) -> Vec<u64> {
        let records: Vec<Value> = (1..=5).map(|id| json!({ "id": id, "updated": id * 10 })).collect();
        let (status, body) = respond(request, &records);
        assert_eq!(status, "200 OK", "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        body["results"].as_array().unwrap().iter().map(|record| record["id"].as_u64().unwrap()).collect()
    }

    #[test]
    fn records_come_page_by_page_from_a_time_on() {
        assert_eq!(ids("GET /earthquakes HTTP/1.1"), [1, 2, 3, 4, 5]);
        assert_eq!(ids("GET /earthquakes?page=2&per_page=2 HTTP/1.1"), [3, 4]);
        assert_eq!(ids("GET /earthquakes?updated_since=30&per_page=2&page=2 HTTP/1.1"), [5]);
        assert_eq!(ids("GET /earthquakes?page=99 HTTP/1.1"), [0_u64; 0]);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let status = |request: &str| respond(request, &[]).0;
        assert_eq!(status("POST /earthquakes HTTP/1.1"), "405 Method Not Allowed");
        assert_eq!(status("GET /volcanoes HTTP/1.1"), "404 Not Found");
        assert_eq!(status("GET /earthquakes?page=one HTTP/1.1"), "400 Bad Request");
        assert_eq!(status(""), "405 Method Not Allowed");
    }
}
