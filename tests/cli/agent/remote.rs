//! A system that keeps rows: what was committed there is there, whatever becomes of the server. It refuses whoever comes with
//! a lower fence than it has seen.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use serde_json::{Value, json};

/// The system, under way until the test's process ends.
pub(super) struct Remote {
    pub(super) port: u16,
    kept: Arc<Mutex<BTreeMap<String, Unit>>>,
    silence: Arc<Silence>,
}

/// Requests that get no answer.
#[derive(Default)]
struct Silence {
    /// How many there were; none: each is answered.
    held: Mutex<Option<usize>>,
    broken: Condvar,
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
        let silence = Arc::<Silence>::default();
        let (units, silent) = (Arc::clone(&kept), Arc::clone(&silence));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, units, silent) = (stream.unwrap(), Arc::clone(&units), Arc::clone(&silent));
                thread::spawn(move || while answered(&stream, (&units, &silent)).is_some() {});
            }
        });
        Self { port, kept, silence }
    }

    /// Answers nobody from here on.
    pub(super) fn falls_silent(&self) {
        *self.silence.held.lock().unwrap() = Some(0);
    }

    /// Answers again; whoever asked meanwhile never gets one.
    pub(super) fn speaks(&self) {
        *self.silence.held.lock().unwrap() = None;
        self.silence.broken.notify_all();
    }

    /// Requests that got no answer since it fell silent.
    pub(super) fn held(&self) -> usize {
        self.silence.held.lock().unwrap().unwrap_or_default()
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

    /// How many units have committed something.
    pub(super) fn units_committed(&self) -> usize {
        self.units().values().filter(|unit| unit.commits > 0).count()
    }

    /// The rows that came for a sync, of one of its streams.
    pub(super) fn rows(&self, sync: &str, stream: &str) -> Vec<Value> {
        let units = self.units();
        let of_sync = units.iter().filter(|(name, _)| name.starts_with(sync));
        of_sync.filter_map(|(_, unit)| unit.rows.get(stream)).flatten().cloned().collect()
    }

    /// How often somebody opened a unit under a higher fence than the one before, and how many came too late.
    pub(super) fn fences(&self) -> (u64, usize) {
        let units = self.units();
        (units.values().map(|unit| unit.fence).sum(), units.values().map(|unit| unit.refused.len()).sum())
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

impl Silence {
    /// None: it had fallen silent, and this request is not done.
    fn passes(&self) -> Option<()> {
        let mut held = self.held.lock().unwrap();
        let Some(count) = held.as_mut() else { return Some(()) };
        *count += 1;
        drop(self.broken.wait_while(held, |held| held.is_some()).unwrap());
        None
    }
}

/// One request; none: the other side has gone.
fn answered(
    mut stream: &TcpStream,
    (units, silence): (&Mutex<BTreeMap<String, Unit>>, &Silence),
) -> Option<()> {
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
    silence.passes()?;
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
