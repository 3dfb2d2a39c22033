//! What scrubbing costs on bodies without hits, on one thread: in pieces, as responses come, and whole, as columns are.

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use scrub::{Place, Watch};

use crate::clock::{Took, Watch as Clock, median};
use crate::report::{Goal, Report, Row};

const REPETITIONS: usize = 9;
/// Of one repetition.
const BYTES: usize = 64 << 20;
const BODY_BYTES: usize = 1 << 20;
/// As egress reads them from a socket.
const PIECE_BYTES: usize = 16 << 10;
/// Of a body that was made to be slow.
const BODY_MADE_BYTES: usize = 256 << 10;
/// What came at 5 kB/s when such a needle was followed from everywhere.
const MADE_MB_PER_S: f64 = 0.2;
/// How many secrets of how many bytes.
const SECRETS: [(usize, usize); 4] = [(1, 40), (4, 40), (16, 40), (4, 1_500)];

pub(crate) fn run(report: &mut Report) -> Result<()> {
    for (kind, body) in
        [("JSON", json()), ("HTML", html()), ("base64", base64()), ("binary", random(BODY_BYTES, 3))]
    {
        for (count, length) in SECRETS {
            let watch = watch(count, length);
            let what = format!("{kind}, {count} secrets of {length} bytes");
            report.add(row(format!("scrubbing a stream of {what}"), || pieces(&watch, &body, BYTES))?);
            report.add(row(format!("searching {what}"), || whole(&watch, &body))?);
        }
    }
    for (what, watch, body) in made_for_it() {
        let rate = |took: Took| BODY_MADE_BYTES as f64 / 1e6 / took.wall.as_secs_f64();
        let rates: Result<Vec<f64>> =
            (0..REPETITIONS).map(|_| pieces(&watch, &body, body.len()).map(rate)).collect();
        let (ours, goal) = (median(rates?), Goal::AtLeast(MADE_MB_PER_S));
        let what = format!("scrubbing a stream of {what}");
        report.add(Row { what, unit: "MB/s", ours, reference: None, ratio: None, goal });
    }
    report.note("Scrubbing: one thread, bodies without secrets, in pieces of 16 KiB and whole.".to_owned());
    Ok(())
}

fn row(what: String, mut measure: impl FnMut() -> Result<Took>) -> Result<Row> {
    let mut rates = Vec::new();
    for _ in 0..REPETITIONS {
        rates.push(BYTES as f64 / 1e9 / measure()?.wall.as_secs_f64());
    }
    let (ours, goal) = (median(rates), Goal::AtLeast(1.0));
    Ok(Row { what, unit: "GB/s", ours, reference: None, ratio: None, goal })
}

fn pieces(watch: &Watch, body: &Bytes, bytes: usize) -> Result<Took> {
    let clock = Clock::start()?;
    for _ in 0..bytes / body.len() {
        let mut stream = watch.stream(Place::Body);
        let mut left = 0;
        for start in (0..body.len()).step_by(PIECE_BYTES) {
            let piece = body.slice(start..body.len().min(start + PIECE_BYTES));
            left += std::hint::black_box(stream.push(piece)).len();
        }
        left += stream.finish().len();
        ensure!((left, stream.hits()) == (body.len(), 0), "{left} of {} bytes left", body.len());
    }
    clock.stop()
}

fn whole(watch: &Watch, body: &Bytes) -> Result<Took> {
    let scrubber = watch.current();
    let clock = Clock::start()?;
    for _ in 0..BYTES / body.len() {
        ensure!(std::hint::black_box(scrubber.find(body)).is_none(), "something was found");
    }
    clock.stop()
}

fn watch(count: usize, length: usize) -> Watch {
    let watch = Watch::new();
    let text = STANDARD.encode(random(count * length, 1));
    for (number, value) in text.as_bytes().chunks(length).take(count).enumerate() {
        watch.add(&format!("credential {number}"), value);
    }
    watch
}

/// Secrets that repeat themselves, each with a body in which it could go on from everywhere, and does not.
fn made_for_it() -> impl Iterator<Item = (&'static str, Watch, Bytes)> {
    let letters = "\\u0061".repeat(1_499) + "!";
    let made = [
        ("equal letters, escaped, for a secret of 1500 of them", "a".repeat(1_500), letters),
        (
            "backslashes, for a secret with eight of them",
            "\\".repeat(8) + "end-of-it-and-more",
            "\\".to_owned(),
        ),
    ];
    made.into_iter().map(|(what, secret, pattern)| {
        let watch = Watch::new();
        watch.add("credential", secret.as_bytes());
        (what, watch, pattern.bytes().cycle().take(BODY_MADE_BYTES).collect())
    })
}

/// Records as an API gives them: escaped quotation marks and slashes, letters that are no ASCII.
fn json() -> Bytes {
    let mut random = numbers(2);
    let mut text = String::from("[");
    while text.len() < BODY_BYTES {
        let (id, other, amount) = (random(), random(), random() % 100_000);
        text.push_str(&format!(
            "{{\"id\": {id}, \"name\": \"Customer {amount} O'Neil\", \"email\": \"u{other}@example.com\", \
             \"created_at\": \"2026-11-28T10:00:00Z\", \"note\": \"said \\\"hello\\\"\\nand left \\u00e9t\\u00e9\", \
             \"url\": \"https:\\/\\/example.com\\/a%20b\\/{id}\", \"amount\": {amount}.25, \"tags\": [\"a\", \"b\"], \
             \"key\": \"{id:016x}{other:016x}\"}},"
        ));
    }
    text.push(']');
    Bytes::from(text)
}

fn html() -> Bytes {
    let mut random = numbers(4);
    let mut text = String::new();
    while text.len() < BODY_BYTES {
        let (id, other) = (random() % 100_000, random());
        text.push_str(&format!(
            "<div class=\"card\"><a href=\"/items/{id}?a=1&amp;b={other}%2F\">Item &quot;{other}&quot; &mdash; lorem ipsum \
             dolor sit amet, consectetur adipiscing elit</a><p>Sed do eiusmod tempor incididunt ut labore.</p></div>\n"
        ));
    }
    Bytes::from(text)
}

fn base64() -> Bytes {
    Bytes::from(STANDARD.encode(random(BODY_BYTES / 4 * 3, 5)))
}

fn random(bytes: usize, seed: u64) -> Bytes {
    let mut random = numbers(seed);
    (0..bytes.div_ceil(8)).flat_map(|_| random().to_le_bytes()).take(bytes).collect()
}

/// The same in each run: Steele and Vigna's SplitMix64.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
