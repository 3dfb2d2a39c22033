//! A small HTTP API on a free port: pages of records, as `example-source` reads them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use serde_json::json;

/// Serves `pages` pages of two records each until the test's process ends, and returns where.
pub(crate) fn serve(pages: u64) -> String {
    serve_as(pages, "_page=", |next, ids| {
        let record = |id: u64| json!({ "id": id, "tags": (0..id % 3).map(|tag| format!("t{tag}")).collect::<Vec<_>>() });
        json!({ "next": next, "data": ids.map(record).collect::<Vec<_>>() })
    })
}

/// What a sync needs so that its source reaches `url`, on this machine.
pub(crate) fn grants(url: &str) -> String {
    let port = url.rsplit(':').next().unwrap();
    // A name of this machine may stand for either.
    let addresses = if url.contains("localhost") { &["127.0.0.1", "::1"][..] } else { &["127.0.0.1"] };
    let mut granted = format!("[[source.grants.hosts]]\nurl = \"{url}\"\n");
    for address in addresses {
        granted += &format!("[[source.grants.addresses]]\naddress = \"{address}\"\nport = {port}\n");
    }
    granted
}

/// As [`serve`], for the connector of the template: it reads `GET /records?page=3`.
pub(crate) fn serve_template(pages: u64) -> String {
    serve_as(pages, "page=", |next, ids| {
        let record = |id: u64| json!({ "id": id, "title": null, "updated_at": "2026-01-02T03:04:05Z" });
        json!({ "next": next, "items": ids.map(record).collect::<Vec<_>>() })
    })
}

/// What a page looks like: the number of the next one, and the ids that are on it.
type Page = fn(Option<u64>, std::ops::RangeInclusive<u64>) -> serde_json::Value;

/// As [`serve`], with one page, for requests whose head has all of these in it; others are answered by 401.
pub(crate) fn serve_to(wanted: &[impl AsRef<str>]) -> String {
    let wanted: Vec<String> = wanted.iter().map(|one| one.as_ref().to_owned()).collect();
    let page: Page = |next, ids| {
        let record = |id: u64| json!({ "id": id, "tags": [] });
        json!({ "next": next, "data": ids.map(record).collect::<Vec<_>>() })
    };
    serve_where(1, "_page=", page, move |head| wanted.iter().all(|one| head.contains(one.as_str())))
}

fn serve_as(pages: u64, parameter: &'static str, page: Page) -> String {
    serve_where(pages, parameter, page, |_| true)
}

fn serve_where(
    pages: u64,
    parameter: &'static str,
    page: Page,
    is_allowed: impl Fn(&str) -> bool + Send + 'static,
) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(&stream.unwrap(), pages, parameter, page, &is_allowed);
        }
    });
    format!("http://{address}")
}

fn answer(
    mut stream: &TcpStream,
    pages: u64,
    parameter: &str,
    page_of: Page,
    is_allowed: &impl Fn(&str) -> bool,
) {
    let Some(head) = head_of(stream) else { return };
    if !is_allowed(&head) {
        let refusal = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = stream.write_all(refusal.as_bytes());
        return;
    }
    let target = head.split(' ').nth(1).unwrap();
    let page = target.split(['?', '&']).find_map(|pair| pair.strip_prefix(parameter)).unwrap();
    let page: u64 = page.parse().unwrap();
    // A page after the last one is empty.
    let ids = page * 2 - 1..=if page > pages { 0 } else { page * 2 };
    let body = page_of((page < pages).then_some(page + 1), ids).to_string();
    respond(stream, &body);
}

/// The lines of a request before its body, each with its end. The body is read too: who closes before has not taken the request.
pub(crate) fn head_of(stream: &TcpStream) -> Option<String> {
    let (mut head, mut reader) = (String::new(), BufReader::new(stream));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end_matches(['\r', '\n']) {
            "" => break,
            line => head.push_str(&format!("{line}\n")),
        }
    }
    pass_body(&mut reader, &head)?;
    Some(head)
}

/// A body of a length that was said, or in pieces.
fn pass_body(reader: &mut impl BufRead, head: &str) -> Option<()> {
    let lower = head.to_lowercase();
    if let Some(length) = lower.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        let body = &mut reader.by_ref().take(length.parse().ok()?);
        std::io::copy(body, &mut std::io::sink()).ok()?;
    }
    let mut is_last = !lower.lines().any(|line| line == "transfer-encoding: chunked");
    while !is_last {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = u64::from_str_radix(line.trim_end(), 16).ok()?;
        // Each piece has an end of line of its own.
        std::io::copy(&mut reader.by_ref().take(size + 2), &mut std::io::sink()).ok()?;
        is_last = size == 0;
    }
    Some(())
}

pub(crate) fn respond(mut stream: &TcpStream, body: &str) {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // The program may have been ended by its test.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

/// Answers each request with one record that says what the request was.
pub(crate) fn serve_echo() -> String {
    serve_with(|head| {
        let body = json!({ "data": [{ "id": 1, "asked": head }] }).to_string();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    })
}

/// Answers each request with what this makes of its head.
pub(crate) fn serve_with(answer: impl Fn(&str) -> String + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let Some(head) = head_of(&stream) else { continue };
            let _ = stream.write_all(answer(&head).as_bytes());
        }
    });
    format!("http://{address}")
}

/// Answers six requests once all of them are there, by another of them first each time, with the last part of their path; and
/// never the one after them.
pub(crate) fn serve_together() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for turn in 1.. {
            let mut asked: Vec<(String, TcpStream)> = (0..6).map(|_| accepted(&listener)).collect();
            asked.sort_by(|left, right| left.0.cmp(&right.0));
            asked.rotate_left(turn % 6);
            for (path, stream) in &asked {
                respond(stream, path.rsplit('/').next().unwrap());
            }
            let (_, mut late) = accepted(&listener);
            // Until the program has left it.
            let _ = late.read(&mut [0]);
        }
    });
    format!("http://{address}")
}

fn accepted(listener: &TcpListener) -> (String, TcpStream) {
    let (stream, _) = listener.accept().unwrap();
    let head = head_of(&stream).unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), stream)
}
