//! A small HTTP API on a free port: pages of records, as `example-source` reads them.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use serde_json::json;

/// Serves `pages` pages of two records each until the test's process ends, and returns where.
pub(crate) fn serve(pages: u64) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(&stream.unwrap(), pages);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: &TcpStream, pages: u64) {
    let mut lines = BufReader::new(stream).lines();
    let Some(Ok(request)) = lines.next() else { return };
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let target = request.split(' ').nth(1).unwrap();
    let page = target.split(['?', '&']).find_map(|pair| pair.strip_prefix("_page=")).unwrap();
    let page: u64 = page.parse().unwrap();
    let record =
        |id: u64| json!({ "id": id, "tags": (0..id % 3).map(|tag| format!("t{tag}")).collect::<Vec<_>>() });
    let data = if page > pages { Vec::new() } else { vec![record(page * 2 - 1), record(page * 2)] };
    let body = json!({ "next": (page < pages).then_some(page + 1), "data": data }).to_string();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    // The program may have been ended by its test.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}
