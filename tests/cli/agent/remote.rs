//! A system that keeps rows: what was committed there is there, whatever becomes of the server. It refuses whoever comes with
//! a lower fence than it has seen.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use serde_json::{Value, json};

/// The system, under way until the test's process ends.
pub(super) struct Remote {
    pub(super) port: u16,
    kept: Arc<Mutex<BTreeMap<String, Unit>>>,
}

/// What it keeps of one commit unit.
#[derive(Debug, Default, Clone)]
pub(super) struct Unit {
    pub(super) fence: u64,
    pub(super) token: Option<String>,
    pub(super) commits: usize,
    /// By stream.
    pub(super) rows: BTreeMap<String, Vec<Value>>,
    /// Fences that came too late.
    pub(super) refused: Vec<u64>,
}

impl Remote {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept: Arc<Mutex<BTreeMap<String, Unit>>> = Arc::default();
        let units = Arc::clone(&kept);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, units) = (stream.unwrap(), Arc::clone(&units));
                thread::spawn(move || while answered(&stream, &units).is_some() {});
            }
        });
        Self { port, kept }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn units(&self) -> MutexGuard<'_, BTreeMap<String, Unit>> {
        self.kept.lock().unwrap()
    }

    /// The only unit, or one in which nothing is.
    pub(super) fn unit(&self) -> Unit {
        let units = self.units();
        assert!(units.len() < 2, "one sync has one unit: {units:?}");
        units.values().next().cloned().unwrap_or_default()
    }

    pub(super) fn commits(&self) -> usize {
        self.units().values().map(|unit| unit.commits).sum()
    }

    /// Each row of a stream of every unit once, and none twice.
    pub(super) fn has_once(&self, stream: &str, rows: u64) {
        for (name, unit) in self.units().iter() {
            let mut ids: Vec<u64> = unit.rows[stream].iter().map(|row| row["id"].as_u64().unwrap()).collect();
            let arrived = ids.len();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!((arrived, ids.len() as u64), (ids.len(), rows), "`{name}`: rows twice, or too few");
        }
    }
}

/// One request; none: the other side has gone.
fn answered(mut stream: &TcpStream, units: &Mutex<BTreeMap<String, Unit>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).ok()? == 0 {
        return None;
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let path = first.split(' ').nth(1).unwrap();
    let (status, answer) =
        done(path, asked, units).map_or(("409 Conflict", json!({})), |answer| ("200 OK", answer));
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    stream.write_all(format!("{head}{answer}").as_bytes()).ok()
}

/// None: it comes too late.
fn done(path: &str, mut asked: Value, units: &Mutex<BTreeMap<String, Unit>>) -> Option<Value> {
    if path == "/check" {
        return Some(json!({}));
    }
    let mut units = units.lock().unwrap();
    let unit = units.entry(asked["unit"].as_str().unwrap().to_owned()).or_default();
    if let Some(fence) = asked["fence"].as_u64() {
        if fence < unit.fence {
            unit.refused.push(fence);
            return None;
        }
        unit.fence = fence;
    }
    match path {
        "/open" => {}
        "/committed" => return Some(json!({ "token": unit.token })),
        "/commit" => {
            unit.token = Some(asked["token"].as_str().unwrap().to_owned());
            unit.commits += 1;
            for (stream, rows) in asked["rows"].as_object_mut().unwrap() {
                let Value::Array(rows) = rows.take() else { panic!("rows of `{stream}` are no list") };
                unit.rows.entry(stream.clone()).or_default().extend(rows);
            }
        }
        other => panic!("nobody asks for {other}"),
    }
    Some(json!({}))
}
