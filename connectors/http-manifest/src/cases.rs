//! Runs every folder of `cases`: a manifest, recorded answers, and what must come of them.
//!
//! `case.json` holds `config`, `now`, `stream` (the first one by default), `answers` (each with the request to which it
//! belongs) and, for a second run, `second` with more answers and a later `now`. `expected.json` holds the faults of the
//! manifest, or requests, rows, rejects, checkpoints and the error of the run. It is written anew by `BLESS=1`, and
//! read by whoever does so. Beside what it says, each run must give the same rows in small pages and when it is taken
//! up at any of its checkpoints.

use std::{cell::RefCell, collections::BTreeMap, fs, path::Path, rc::Rc, time::Duration};

use cofferdam_sdk::{Budget, Error, OpenRead, Reader, RejectedRow, Result, Rows, Step};
use http_manifest_dialect::time;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    catalog,
    http::{Answer, Call, Http},
    position::Position,
    program,
    reader::StreamReader,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    config: Map<String, Value>,
    now: Option<String>,
    stream: Option<String>,
    checkpoint: Option<Value>,
    /// Whether rows are compared as text.
    #[serde(default)]
    raw: bool,
    #[serde(default)]
    answers: Vec<Recorded>,
    second: Option<Second>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Second {
    now: Option<String>,
    #[serde(default)]
    answers: Vec<Recorded>,
}

/// A recorded answer, or what the host said in place of one.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Recorded {
    request: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// A text is the body as it is, any other value is sent as JSON.
    #[serde(default)]
    body: Value,
    /// The transport fails with this text.
    broken: Option<String>,
    /// The host refuses with this text.
    denied: Option<String>,
}

fn ok() -> u16 {
    200
}

/// Answers by request, the later ones first; writes down what it was asked.
#[derive(Clone)]
struct Played {
    answers: Rc<Vec<Recorded>>,
    asked: Rc<RefCell<Vec<Value>>>,
}

impl Http for Played {
    fn send(&mut self, call: &Call, _: Duration) -> Result<Answer> {
        let line = format!("{} {}", call.method, call.url);
        let body = call.body.as_ref().map(|body| String::from_utf8_lossy(body).into_owned());
        let named = body.as_ref().map_or_else(|| line.clone(), |body| format!("{line} {body}"));
        let headers: Vec<String> = call
            .headers
            .iter()
            .filter(|(name, value)| !(name == "accept" && value == "application/json"))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        self.asked.borrow_mut().push(match headers.is_empty() {
            true => Value::from(named.clone()),
            false => json!({"request": named, "headers": headers}),
        });
        let recorded =
            self.answers.iter().rev().find(|answer| answer.request == named || answer.request == line);
        let Some(recorded) = recorded else {
            return Err(Error::bug(format!("no answer is recorded for {named}")));
        };
        if let Some(text) = &recorded.broken {
            return Err(Error::transient(text));
        }
        if let Some(text) = &recorded.denied {
            return Err(Error::denied(text));
        }
        let body = match &recorded.body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let headers = recorded.headers.clone().into_iter().collect();
        Ok(Answer { status: recorded.status, headers, body: body.into_bytes() })
    }
}

/// What a run brought.
#[derive(Default)]
struct Outcome {
    asked: Vec<Value>,
    rows: Vec<Value>,
    rejects: Vec<Value>,
    /// Each with the count of rows and rejects before it.
    checkpoints: Vec<(usize, usize, String)>,
    error: Option<Error>,
}

fn run(
    case: &Case,
    manifest: &str,
    now: i64,
    answers: &[Recorded],
    from: Option<&str>,
    rows_max: usize,
) -> Outcome {
    let mut outcome = Outcome::default();
    let http = Played { answers: Rc::new(answers.to_vec()), asked: Rc::default() };
    let read = || -> Result<StreamReader<Played>> {
        let program = Rc::new(program::load(config(case, manifest))?);
        let stream = case.stream.clone().unwrap_or_else(|| program.manifest.streams[0].name.clone());
        let mut read = OpenRead::group(&stream);
        if let Some(from) = from {
            read = read.from_checkpoint(&serde_json::from_str::<Value>(from).unwrap())?;
        }
        let position = read.position::<Position>()?.map(Position::checked).transpose()?;
        StreamReader::open(program, &stream, position, http.clone(), now)
    };
    outcome.error =
        read().and_then(|mut reader| read_all(&mut reader, case.raw, rows_max, &mut outcome)).err();
    outcome.asked = http.asked.take();
    outcome
}

fn read_all(
    reader: &mut StreamReader<Played>,
    raw: bool,
    rows_max: usize,
    outcome: &mut Outcome,
) -> Result<()> {
    for _ in 0..2_000 {
        let page = match reader.next(&Budget::new(rows_max, 1 << 20, Duration::from_secs(60)))? {
            Step::Page(page) => page,
            Step::End => return Ok(()),
            other => panic!("{other:?}"),
        };
        assert!(
            page.rejects.len() <= rows_max
                && page.batches.iter().map(|b| b.row_count() as usize).sum::<usize>() <= rows_max
        );
        for batch in page.batches {
            let Rows::JsonLines(lines) = batch.rows else { panic!("columns") };
            let text = lines.lines().map(|line| Value::from(str::from_utf8(line).unwrap()));
            match raw {
                true => outcome.rows.extend(text),
                false => outcome.rows.extend(lines.parse::<Value>().map(Result::unwrap)),
            }
        }
        for reject in page.rejects {
            let RejectedRow::Raw(raw) = reject.row else { panic!("no raw bytes") };
            outcome.rejects.push(json!([reject.code, String::from_utf8(raw).unwrap()]));
        }
        if let Some(checkpoint) = page.checkpoint {
            outcome.checkpoints.push((outcome.rows.len(), outcome.rejects.len(), checkpoint));
        }
    }
    panic!("the run does not end")
}

fn config(case: &Case, manifest: &str) -> Map<String, Value> {
    let mut config = case.config.clone();
    config.insert("$program".to_owned(), Value::from(manifest));
    config
}

fn moment(text: Option<&String>) -> i64 {
    time::parse_iso(text.map_or("2024-06-01T00:00:00Z", String::as_str)).unwrap()
}

fn error(error: &Error) -> Value {
    match error {
        Error::RateLimited(hint) => {
            json!({"rate-limited": hint.message, "retry_after_ms": hint.retry_after_ms})
        }
        Error::Transient(hint) => json!({"transient": hint.message, "retry_after_ms": hint.retry_after_ms}),
        Error::Config(faults) => {
            json!({"config": faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect::<Vec<_>>()})
        }
        Error::Unauthorized(message) => json!({"unauthorized": message}),
        Error::Denied(message) => json!({"denied": message}),
        Error::Data(message) => json!({"data": message}),
        Error::Bug(message) => json!({"bug": message}),
    }
}

fn outcome_json(outcome: &Outcome) -> Value {
    let mut shown = Map::new();
    shown.insert("requests".to_owned(), Value::from(outcome.asked.clone()));
    shown.insert("rows".to_owned(), Value::from(outcome.rows.clone()));
    if !outcome.rejects.is_empty() {
        shown.insert("rejects".to_owned(), Value::from(outcome.rejects.clone()));
    }
    let checkpoints = outcome.checkpoints.iter();
    let checkpoints: Vec<Value> =
        checkpoints.map(|(_, _, checkpoint)| serde_json::from_str(checkpoint).unwrap()).collect();
    shown.insert("checkpoints".to_owned(), Value::from(checkpoints));
    if let Some(found) = &outcome.error {
        shown.insert("error".to_owned(), error(found));
    }
    Value::Object(shown)
}

/// The same rows come in small pages, and from each checkpoint on.
fn check_resume(case: &Case, manifest: &str, answers: &[Recorded], from: Option<&str>, whole: &Outcome) {
    let now = moment(case.now.as_ref());
    let small = run(case, manifest, now, answers, from, 2);
    assert_eq!((&small.rows, &small.rejects), (&whole.rows, &whole.rejects), "in small pages");
    assert_eq!(small.asked, whole.asked, "in small pages");
    for (rows, rejects, checkpoint) in &whole.checkpoints {
        let rest = run(case, manifest, now + 3_600_000_000, answers, Some(checkpoint), 1000);
        let is_end = serde_json::from_str::<Position>(checkpoint).unwrap().reading.is_none();
        let expected = if is_end {
            (&[] as &[Value], &[] as &[Value])
        } else {
            (&whole.rows[*rows..], &whole.rejects[*rejects..])
        };
        if !is_end {
            assert_eq!((rest.rows.as_slice(), rest.rejects.as_slice()), expected, "from {checkpoint}");
            assert_eq!(rest.error, whole.error, "from {checkpoint}");
        }
    }
}

fn play(folder: &Path) -> Value {
    let manifest = fs::read_to_string(folder.join("manifest.yaml")).unwrap();
    let case: Case = serde_json::from_str(&fs::read_to_string(folder.join("case.json")).unwrap()).unwrap();
    let program = match program::load(config(&case, &manifest)) {
        Ok(program) => program,
        Err(fault) => return json!({"faults": error(&fault)}),
    };
    let now = moment(case.now.as_ref());
    let from = case.checkpoint.as_ref().map(Value::to_string);
    let first = run(&case, &manifest, now, &case.answers, from.as_deref(), 1000);
    check_resume(&case, &manifest, &case.answers, from.as_deref(), &first);
    let mut shown = outcome_json(&first);
    let catalog = catalog::catalog(&program, now).unwrap();
    let stream = case.stream.as_ref().unwrap_or(&program.manifest.streams[0].name);
    let info = catalog.streams.iter().find(|info| info.schema.stream == *stream).unwrap();
    if info.incremental && first.error.is_none() {
        let second = case.second.as_ref();
        let mut answers = case.answers.clone();
        answers.extend(second.map(|second| second.answers.clone()).unwrap_or_default());
        let now = second.and_then(|second| second.now.as_ref()).map_or(now, |now| moment(Some(now)));
        let (_, _, last) = first.checkpoints.last().expect("a run ends with a checkpoint");
        shown["second"] = outcome_json(&run(&case, &manifest, now, &answers, Some(last), 1000));
    }
    let fields = info.schema.schema.fields.iter();
    let fields: Map<String, Value> = fields
        .map(|field| {
            (
                field.name.clone(),
                Value::from(format!("{}{}", field.data_type.name(), if field.nullable { "?" } else { "" })),
            )
        })
        .collect();
    let notes: Vec<String> = program.manifest.notes.iter().map(ToString::to_string).collect();
    shown["stream"] = json!({"name": stream, "keys": info.schema.keys, "cursor": info.cursor_fields, "incremental": info.incremental, "fields": fields});
    if !notes.is_empty() {
        shown["notes"] = Value::from(notes);
    }
    shown
}

#[test]
fn every_case_comes_out_as_it_is_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut folders: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 30, "only {} cases", folders.len());
    let mut wrong = Vec::new();
    for folder in folders {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let played = std::panic::catch_unwind(|| play(&folder));
        let Ok(found) = played else {
            wrong.push(format!("{name}: see above"));
            continue;
        };
        let path = folder.join("expected.json");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&found).unwrap())).unwrap();
            continue;
        }
        let expected: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        if found != expected {
            wrong.push(format!("{name}: got {}", serde_json::to_string_pretty(&found).unwrap()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
