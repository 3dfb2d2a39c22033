//! Bodies that go through two processes: both ways at once, no faster than they are taken, and as they are.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use crate::api::grants;
use crate::world::{Ran, World};

const BYTES: u64 = 8 << 20;

/// Sends each request's body back while it comes, as it is framed.
fn echo() -> String {
    serve(answer)
}

/// Takes all that comes, and says nothing.
fn silence() -> String {
    serve(|mut stream| std::io::copy(&mut stream, &mut std::io::sink()).map(drop))
}

fn serve(answer: fn(&TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Whoever leaves gets no more.
            thread::spawn(move || stream.and_then(|stream| answer(&stream)));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    assert!(String::from_utf8_lossy(&head).to_lowercase().contains("transfer-encoding: chunked"));
    stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")?;
    let (mut buffer, mut tail) = (vec![0; 64 << 10], Vec::new());
    while !tail.ends_with(b"\r\n0\r\n\r\n") {
        let came = stream.read(&mut buffer)?;
        if came == 0 {
            break;
        }
        stream.write_all(&buffer[..came])?;
        tail.extend_from_slice(&buffer[..came]);
        tail.drain(..tail.len().saturating_sub(16));
    }
    Ok(())
}

fn run(act: &str, url: &str, limits: &str) -> Ran {
    let world = World::with(&format!(
        "sync = 1\nname = \"wired\"\n[source]\nconnector = \"components/wire.wasm\"\n\
         config = {{ base_url = \"{url}\", act = \"{act}\", count = {BYTES} }}\n{limits}\n{}\
         [destination]\nconnector = \"components/null.wasm\"\n[run]\nattempts = 1\n",
        grants(url)
    ));
    world.run(&["run", "sync.toml", "--worker", "-v"])
}

#[test]
fn bodies_flow_both_ways_at_once_through_a_worker() {
    let ran = run("duplex", &echo(), "").succeeded();
    let said = format!("sent {BYTES}, received {BYTES}, first after Some(");
    let (_, first) = ran.stderr.split_once(&said).unwrap_or_else(|| panic!("{}", ran.report()));
    let first: u64 = first.split_once(')').unwrap().0.parse().unwrap();
    assert!(first < BYTES / 2, "the echo came only after {first} bytes");
}

#[test]
fn what_a_request_may_have_is_counted_where_it_is_made() {
    let ran = run("upload", &silence(), "limits = { request_bytes = 100_000 }");
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stderr.contains("reached the limit `request_bytes` (100000 bytes)"), "{}", ran.report());
}

#[test]
fn a_request_that_is_denied_says_which_line_would_allow_it() {
    let world = World::with(
        "sync = 1\nname = \"wired\"\n[source]\nconnector = \"components/wire.wasm\"\n\
         config = { base_url = \"http://127.0.0.1:9\", act = \"get\" }\n\
         [destination]\nconnector = \"components/null.wasm\"\n[run]\nattempts = 1\n",
    );
    let denied = |arguments: &[&str]| {
        let ran = world.run(arguments);
        assert_eq!(ran.status, Some(1), "{}", ran.report());
        // The first line of the first run names the key file.
        ran.stderr.split_once("error[").unwrap().1.to_owned()
    };
    let (here, there) = (denied(&["run", "sync.toml"]), denied(&["run", "sync.toml", "--worker"]));
    assert!(there.contains("to allow it, add"), "{there}");
    assert_eq!(here, there);
}
