//! What was recorded is found again, and nothing else is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail as tests do")]

mod off;
mod same;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use cassette::{
    Asked, Cassette, Error, Failure, Head, Headers, Open, Played, Player, Recorder, Recording, Seen,
    SlowDown, Tape, Told, Value,
};
use proptest::prelude::*;
use tempfile::TempDir;

const URL: &str = "https://api.test/items?page=1";

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn recorder(folder: &Path) -> Recorder {
    Recorder::create(folder, Head { sync: "s".into(), started_ms: 1_000, ..Head::default() }).unwrap()
}

fn recording(recorder: &Recorder, about: &str) -> Arc<Recording> {
    let reel = Cassette::Record(recorder.clone()).reel("source");
    assert!(!reel.is_replay());
    match reel.tape("source.open", about, [7; 32]).unwrap() {
        Tape::Record(tape) => tape,
        Tape::Replay(_) => panic!("it is recorded"),
    }
}

fn played(folder: &Path, about: &str) -> Result<Arc<Played>, Error> {
    played_by(&Player::open(folder)?, about)
}

fn played_by(player: &Player, about: &str) -> Result<Arc<Played>, Error> {
    let reel = Cassette::Replay(player.clone()).reel("source");
    assert!(reel.is_replay());
    match reel.tape("source.open", about, [0; 32])? {
        Tape::Replay(tape) => Ok(tape),
        Tape::Record(_) => panic!("it is replayed"),
    }
}

fn headers(fields: &[(&str, &[u8])]) -> Headers {
    fields.iter().map(|(name, value)| ((*name).to_owned(), Value::of(value))).collect()
}

fn asked(method: &str, url: &str, fields: &[(&str, &[u8])], body: &[u8]) -> Asked {
    let mut seen = Seen::new();
    seen.add(body);
    let (method, url) = (method.to_owned(), url.to_owned());
    Asked { method, url, headers: headers(fields), body: seen, trailers: Headers::new() }
}

/// A whole exchange.
fn exchanged(tape: &Arc<Recording>, asked: &Asked, body: &[u8], parts: &[&[u8]]) {
    let open = tape.exchange(&asked.method, &asked.url, asked.headers.clone());
    open.request_part(body);
    open.request_ended(Headers::new());
    open.response(200, headers(&[("x", b"y")]), None);
    parts.iter().for_each(|part| open.response_part(part));
    open.response_ended(Headers::new());
}

fn parts(tape: &Played, asked: &Asked) -> Result<Vec<Vec<u8>>, Error> {
    let (_, mut body) = tape.answer(asked)?.response.unwrap();
    let mut parts = Vec::new();
    while let Some(part) = body.part()? {
        parts.push(part);
    }
    Ok(parts)
}

#[test]
fn an_exchange_is_told_again_as_it_was() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "items");
    let request = asked("POST", URL, &[("accept", b"*/*"), ("odd", b"\xff\x00")], b"{}");
    let open = tape.exchange(&request.method, &request.url, request.headers.clone());
    open.request_part(b"{}");
    open.request_ended(Headers::new());
    open.response(429, headers(&[("a", b"b"), ("a", b"c")]), Some(SlowDown { retry_after_ms: Some(7_000) }));
    open.response_part("süß".as_bytes());
    open.response_part(b"");
    open.response_part(b"!");
    open.response_ended(headers(&[("checksum", b"1")]));
    drop(open);
    drop(tape);
    assert_eq!(recorder.finish(4, true).unwrap(), 1);

    let tape = played(folder.path(), "items").unwrap();
    let found = tape.answer(&request).unwrap();
    let (response, mut body) = found.response.unwrap();
    assert_eq!((response.status, &response.headers), (429, &headers(&[("a", b"b"), ("a", b"c")])));
    assert_eq!(response.slow_down, Some(SlowDown { retry_after_ms: Some(7_000) }));
    assert_eq!(response.trailers, headers(&[("checksum", b"1")]));
    let parts: Vec<_> = std::iter::from_fn(|| body.part().unwrap()).collect();
    assert_eq!(parts, ["süß".as_bytes(), b"", b"!"]);
    assert!(!body.cut && found.failure.is_none());
    assert_eq!(Player::open(folder.path()).unwrap().head().run, 4);
}

#[test]
fn what_was_left_or_failed_is_told_as_left_or_failed() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "");
    let failure =
        Failure { code: "CD0305".into(), told: Told::Unreachable, text: None, denied: None, limit: None };
    drop(tape.exchange("GET", "http://a.test/left", Headers::new()));
    tape.exchange("GET", "http://a.test/refused", Headers::new()).failed(failure.clone());
    let open = tape.exchange("GET", "http://a.test/half", Headers::new());
    open.response(200, Headers::new(), None);
    open.response_part(b"half");
    open.failed(failure.clone());
    drop(open);
    let open = tape.exchange("GET", "http://a.test/quit", Headers::new());
    open.response(200, Headers::new(), None);
    open.response_part(b"some");
    drop((open, tape));
    recorder.finish(1, true).unwrap();

    let tape = played(folder.path(), "").unwrap();
    let answer = |path: &str| tape.answer(&asked("GET", &format!("http://a.test/{path}"), &[], b"")).unwrap();
    let left = answer("left");
    assert!(left.response.is_none() && left.failure.is_none());
    assert_eq!(answer("refused").failure, Some(failure.clone()));
    let half = answer("half");
    let (_, mut body) = half.response.unwrap();
    assert_eq!((body.part().unwrap().unwrap(), half.failure), (b"half".to_vec(), Some(failure)));
    let (_, body) = answer("quit").response.unwrap();
    assert!(body.cut);
}

#[test]
fn the_same_request_is_answered_in_order_and_others_in_any() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "");
    let (poll, other) = (asked("GET", URL, &[], b""), asked("GET", "http://a.test/", &[], b""));
    exchanged(&tape, &poll, b"", &[b"1"]);
    exchanged(&tape, &other, b"", &[b"other"]);
    exchanged(&tape, &poll, b"", &[b"2"]);
    drop(tape);
    recorder.finish(1, true).unwrap();

    let tape = played(folder.path(), "").unwrap();
    let told = |asked| String::from_utf8(parts(&tape, asked).unwrap().concat()).unwrap();
    assert_eq!([told(&poll), told(&poll), told(&other)], ["1", "2", "other"]);
    let error = tape.answer(&poll).err().unwrap().to_string();
    assert!(error.contains("made it 2 times in the recording, and makes it once more now"), "{error}");
}

#[test]
fn the_nearest_recording_is_the_one_that_differs_least() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "items");
    for page in 1..=3 {
        exchanged(&tape, &asked("GET", &format!("http://a.test/items?page={page}"), &[], b""), b"", &[]);
    }
    exchanged(&tape, &asked("POST", "http://a.test/items?page=9", &[], b"x"), b"x", &[]);
    drop(tape);
    recorder.finish(1, true).unwrap();

    let tape = played(folder.path(), "items").unwrap();
    let error = |asked: &Asked| match tape.answer(asked).err().unwrap() {
        Error::Unmatched { differs, .. } => differs,
        error => panic!("{error}"),
    };
    assert_eq!(
        error(&asked("GET", "http://a.test/items?page=4", &[], b"")),
        [
            "the nearest recording is `source/source.open.items.1/0001.json`",
            "the query parameter `page`: `1` recorded, `4` now"
        ]
    );
    let nearest = error(&asked("POST", "http://a.test/items?page=9", &[], b"y"));
    assert!(nearest[0].contains("0004.json") && nearest[1].contains("at byte 0"), "{nearest:?}");
    let never = played(folder.path(), "else").unwrap().answer(&asked("GET", URL, &[], b"")).err().unwrap();
    assert!(never.to_string().contains("`source/source.open.else.1` made no request"), "{never}");
}

#[test]
fn long_and_binary_bodies_stand_beside_and_short_texts_can_be_edited() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "items");
    let long = vec![b'x'; 200 << 10];
    let (first, second) = (asked("PUT", URL, &[], &long), asked("GET", URL, &[], b""));
    exchanged(&tape, &first, &long, &[&long, b"\xff"]);
    exchanged(&tape, &second, b"", &[b"{\"id\":1}"]);
    drop(tape);
    recorder.finish(1, true).unwrap();
    let at = folder.path().join("source/source.open.items.1");
    assert_eq!(fs::read(at.join("0001.request")).unwrap(), long);
    let document = fs::read_to_string(at.join("0002.json")).unwrap();
    fs::write(at.join("0002.json"), document.replace("{\\\"id\\\":1}", "{\\\"id\\\":22}")).unwrap();

    let tape = played(folder.path(), "items").unwrap();
    assert_eq!(parts(&tape, &first).unwrap(), [long.clone(), b"\xff".to_vec()]);
    assert_eq!(parts(&tape, &second).unwrap(), [b"{\"id\":22}"]);

    fs::write(at.join("0001.response"), b"cut").unwrap();
    let error = played(folder.path(), "items").err().unwrap();
    assert_eq!((error.code(), error.to_string().contains("0001.response")), ("CD0853", true), "{error}");
}

#[test]
fn only_their_owner_can_read_the_files() {
    let folder = folder();
    let inside = folder.path().join("new/cassette");
    let recorder = recorder(&inside);
    let tape = recording(&recorder, "");
    exchanged(&tape, &asked("GET", URL, &[], b""), b"", &[&[0xff; 5_000]]);
    drop(tape);
    recorder.finish(1, true).unwrap();
    let mode = |path: &str| fs::metadata(inside.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("."), mode("source"), mode("source/source.open.1")], [0o700; 3]);
    let files = ["cassette.json", "source/source.open.1/0001.json", "source/source.open.1/0001.response"];
    assert_eq!(files.map(mode), [0o600; 3]);
}

#[test]
fn a_folder_with_something_in_it_is_not_recorded_into() {
    let folder = folder();
    fs::write(folder.path().join("mine"), "x").unwrap();
    let error = Recorder::create(folder.path(), Head::default()).err().unwrap();
    assert_eq!(error.code(), "CD0852");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = Recorder::create(&folder.path().join("mine"), Head::default()).err().unwrap();
    assert!(matches!(error, Error::Read { .. }), "a file is no folder: {error}");
}

#[test]
fn a_recording_that_did_not_end_is_not_replayed() {
    let folder = folder();
    let recorder = recorder(folder.path());
    drop(recording(&recorder, ""));
    assert_eq!(Player::open(folder.path()).err().unwrap().code(), "CD0855", "while it is recorded");
    recorder.finish(1, false).unwrap();
    assert_eq!(Player::open(folder.path()).err().unwrap().code(), "CD0855", "after it was stopped");
}

/// What happens to a cassette, and the code and the words that tell of it.
type Damage = (fn(&Path), &'static str, &'static str);

/// Says of the response's body that it is in another file.
fn body_at(folder: &Path, name: &str) {
    let path = folder.join("source/source.open.1/0001.json");
    let elsewhere = fs::read_to_string(&path).unwrap().replace("0001.response", name);
    fs::write(path, elsewhere).unwrap();
}

#[test]
fn what_is_no_cassette_or_is_damaged_is_told_with_its_file() {
    let cases: [Damage; 14] = [
        (|folder| fs::remove_file(folder.join("cassette.json")).unwrap(), "CD0853", "cassette.json"),
        (|folder| fs::write(folder.join("cassette.json"), "{").unwrap(), "CD0853", "cassette.json"),
        (|folder| fs::write(folder.join("cassette.json"), "{}").unwrap(), "CD0853", "which version"),
        (
            |folder| fs::write(folder.join("cassette.json"), "{\"cassette\":2}").unwrap(),
            "CD0854",
            "version 2",
        ),
        (
            |folder| fs::remove_file(folder.join("source/source.open.1/0001.json")).unwrap(),
            "CD0853",
            "0001.json",
        ),
        (
            |folder| fs::write(folder.join("source/source.open.1/0001.json"), "[]").unwrap(),
            "CD0853",
            "0001.json",
        ),
        (|folder| fs::write(folder.join("source/source.open.1/tape.jsonl"), "").unwrap(), "CD0853", "seed"),
        (
            |folder| {
                let seed = format!("{{\"seed\":\"{}\"}}\n", "7".repeat(66));
                fs::write(folder.join("source/source.open.1/tape.jsonl"), seed).unwrap();
            },
            "CD0853",
            "seed of 64 digits",
        ),
        (|folder| body_at(folder, "../../secret"), "CD0853", "no name of a file beside it"),
        (|folder| body_at(folder, "/secret"), "CD0853", "no name of a file beside it"),
        (|folder| body_at(folder, "more/secret"), "CD0853", "no name of a file beside it"),
        (|folder| body_at(folder, ".."), "CD0853", "no name of a file beside it"),
        (|folder| body_at(folder, ""), "CD0853", "no name of a file beside it"),
        (
            // Blanks mean nothing in a document, and it would be a whole one behind them.
            |folder| {
                let path = folder.join("cassette.json");
                let head = fs::read(&path).unwrap();
                fs::write(path, [vec![b' '; 64 << 20], head].concat()).unwrap();
            },
            "CD0853",
            "cassette.json",
        ),
    ];
    for (damage, code, words) in cases {
        let folder = folder();
        let recorder = recorder(folder.path());
        let tape = recording(&recorder, "");
        exchanged(&tape, &asked("GET", URL, &[], b""), b"", &[&[0xff; 5_000]]);
        drop(tape);
        recorder.finish(1, true).unwrap();
        damage(folder.path());
        let error = played(folder.path(), "").err().unwrap();
        assert!(error.code() == code && error.to_string().contains(words), "{} {error}", error.code());
    }
}

#[test]
fn a_folder_that_cannot_be_written_ends_the_recording_with_its_name() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "");
    fs::remove_dir_all(folder.path().join("source")).unwrap();
    exchanged(&tape, &asked("GET", URL, &[], b""), b"", &[]);
    assert!(tape.fault().is_some());
    drop(tape);
    let error = recorder.finish(1, true).unwrap_err();
    assert!(error.code() == "CD0851" && error.to_string().contains("0001.json"), "{error}");
}

#[test]
fn a_long_body_that_cannot_be_written_ends_the_recording_while_it_passes() {
    let long = vec![b'x'; 65 << 10];
    let passes: [fn(&Open, &[u8]); 2] = [Open::request_part, Open::response_part];
    for pass in passes {
        let folder = folder();
        let recorder = recorder(folder.path());
        let tape = recording(&recorder, "");
        fs::remove_dir_all(folder.path().join("source")).unwrap();
        let open = tape.exchange("PUT", URL, Headers::new());
        pass(&open, &long);
        assert_eq!(tape.fault().map(|error| error.code()), Some("CD0851"));
    }
}

#[test]
fn a_request_whose_body_was_left_is_marked_for_whoever_reads_it() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "");
    for is_whole in [true, false] {
        let open = tape.exchange("PUT", URL, Headers::new());
        open.request_part(b"half");
        if is_whole {
            open.request_ended(Headers::new());
        }
    }
    drop(tape);
    recorder.finish(1, true).unwrap();
    let document = |name| fs::read_to_string(folder.path().join("source/source.open.1").join(name)).unwrap();
    assert!(!document("0001.json").contains("cut") && document("0002.json").contains("\"cut\": true"));
}

#[test]
fn where_a_unit_stands_is_what_was_said_of_it_first() {
    let folder = folder();
    let recorder = recorder(folder.path());
    drop(recording(&recorder, ""));
    for at in 1..3 {
        recorder.stands("items", serde_json::json!({ "at": at }));
    }
    recorder.finish(1, true).unwrap();
    assert_eq!(Player::open(folder.path()).unwrap().head().units["items"]["at"], 1);
}

#[test]
fn names_that_are_no_names_of_files_stay_apart_and_inside() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let names = ["a/b", "a%2fb", "..", ".", "", "a\0b", "A", "a", &"long".repeat(100), &"long".repeat(101)];
    for name in names {
        let tape = recording(&recorder, name);
        exchanged(&tape, &asked("GET", URL, &[], b""), b"", &[name.as_bytes()]);
    }
    recorder.finish(1, true).unwrap();
    assert_eq!(fs::read_dir(folder.path().join("source")).unwrap().count(), names.len());
    for name in names {
        let tape = played(folder.path(), name).unwrap();
        assert_eq!(parts(&tape, &asked("GET", URL, &[], b"")).unwrap().concat(), name.as_bytes());
    }
}

#[test]
fn a_connection_that_is_called_as_a_folder_above_stays_inside() {
    let folder = folder();
    let inside = folder.path().join("tape");
    let recorder = recorder(&inside);
    for name in ["..", ".", ".hidden", "a/../.."] {
        drop(Cassette::Record(recorder.clone()).reel(name).tape("source.open", "", [7; 32]).unwrap());
    }
    recorder.finish(1, true).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let mut names: Vec<_> = fs::read_dir(inside)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["%2e", "%2e.", "%2ehidden", "a%2f..%2f..", "cassette.json"]);
}

#[test]
fn clocks_and_waits_are_told_again_from_their_file() {
    let folder = folder();
    let recorder = recorder(folder.path());
    let tape = recording(&recorder, "");
    tape.begin_call("reader.next");
    [5, 5, 5, 6, 5].iter().for_each(|ms| tape.wall_ms(*ms));
    [0, 1].iter().for_each(|ms| tape.monotonic_ms(*ms));
    [vec![0], vec![], vec![0, 2]].into_iter().for_each(|ready| tape.ready(ready));
    tape.begin_call("reader.committed");
    tape.wall_ms(9);
    drop(tape);
    recorder.finish(1, true).unwrap();
    let text = fs::read_to_string(folder.path().join("source/source.open.1/tape.jsonl")).unwrap();
    assert!(text.contains("{\"wall_ms\":[5,3]}"), "what repeats is written once: {text}");

    let tape = played(folder.path(), "").unwrap();
    assert_eq!(tape.seed(), [7; 32]);
    tape.begin_call("reader.committed");
    assert_eq!(tape.wall_ms(), 9);
    tape.begin_call("reader.next");
    assert_eq!([(); 5].map(|()| tape.wall_ms()), [5, 5, 5, 6, 5]);
    assert_eq!([(); 2].map(|()| tape.monotonic_ms()), [0, 1]);
    assert_eq!([(); 4].map(|()| tape.ready()), [Some(vec![0]), Some(vec![]), Some(vec![0, 2]), None]);
}

type Fields = Vec<(String, Vec<u8>)>;
/// Method, URL, headers, body.
type Request = (String, String, Fields, Vec<u8>);

fn any_request() -> impl Strategy<Value = Request> {
    let header = ("[a-c]{1,2}", prop::collection::vec(any::<u8>(), 0..4));
    let url = "http://[ab]\\.test/[ab/]{0,3}(\\?[ab]=[ab&=]{0,4})?";
    ("GET|POST", url, prop::collection::vec(header, 0..3), prop::collection::vec(any::<u8>(), 0..6))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_was_recorded_is_found_in_any_order_and_nothing_else(
        requests in prop::collection::vec(any_request(), 1..12),
        other in any_request(),
        turn in any::<prop::sample::Index>(),
    ) {
        let request = |(method, url, fields, body): &Request| {
            let fields: Vec<(&str, &[u8])> = fields.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
            asked(method, url, &fields, body)
        };
        let folder = folder();
        let recorder = recorder(folder.path());
        let tape = recording(&recorder, "");
        for (number, one) in requests.iter().enumerate() {
            exchanged(&tape, &request(one), &one.3, &[number.to_string().as_bytes()]);
        }
        drop(tape);
        recorder.finish(1, true).unwrap();
        let tape = played(folder.path(), "").unwrap();
        if !requests.contains(&other) && !requests.iter().any(|one| {
            // The order of headers of different names says nothing.
            let sorted = |fields: &Fields| { let mut fields = fields.clone(); fields.sort_by(|a, b| a.0.cmp(&b.0)); fields };
            (&one.0, &one.1, &one.3) == (&other.0, &other.1, &other.3) && sorted(&one.2) == sorted(&other.2)
        }) {
            prop_assert_eq!(tape.answer(&request(&other)).err().map(|error| error.code()), Some("CD0850"));
        }
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.rotate_left(turn.index(requests.len()));
        let mut told: Vec<usize> = Vec::new();
        for number in order {
            let parts = parts(&tape, &request(&requests[number])).unwrap().concat();
            told.push(String::from_utf8(parts).unwrap().parse().unwrap());
        }
        told.sort_unstable();
        prop_assert_eq!(told, (0..requests.len()).collect::<Vec<_>>());
    }
}
