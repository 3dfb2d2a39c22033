//! What a process leaves in its memory when it has let go of a watch: no secret in any form.
//!
//! A child watches, scrubs, lets go and waits; its parent reads all of its memory. What is looked for is computed where it is
//! needed, so that neither the program nor its arguments hold it.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use zeroize::Zeroizing;

use crate::{Place, Watch};

const CHILD: &str = "COFFERDAM_TEST_LEAVES_SCRUB_MEMORY";
const LET_GO: &str = "the watch is gone";

/// The bytes of no other text. The compiler is not to compute them, and to keep them in the program.
fn canary(kind: u8) -> impl Iterator<Item = u8> {
    let byte =
        move |index: u8| b'!' + index.wrapping_mul(73).wrapping_add(black_box(kind).wrapping_mul(41)) % 90;
    (0..30).map(move |index| black_box(byte(index)))
}

fn value(kind: u8) -> Zeroizing<Vec<u8>> {
    let mut value = Zeroizing::new(Vec::with_capacity(30));
    value.extend(canary(kind));
    value
}

/// Parts of each form that are in the needles: of the secret, its hexadecimal digits and its base64.
fn forms(kind: u8) -> [Vec<u8>; 3] {
    let value = value(kind);
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|half| b"0123456789abcdef"[usize::from(half)]);
    let hex = value.iter().flat_map(digits).collect();
    [value.to_vec(), hex, STANDARD_NO_PAD.encode(&*value).into_bytes()]
}

fn work(kinds: Range<u8>) {
    let watch = Watch::new();
    for kind in kinds.clone() {
        watch.add("api", &value(kind));
    }
    let mut stream = watch.stream(Place::Body);
    let _ = stream.push(vec![b'.'; 10_000].into());
    for kind in kinds {
        beginning(&watch, &value(kind));
        assert!(watch.find(Place::Record, &value(kind)).len() == 1);
    }
}

/// A secret that a stream has begun to hold back when it ends; whoever got what left keeps it.
fn beginning(watch: &Watch, value: &[u8]) {
    let mut piece = Zeroizing::new(Vec::with_capacity(200));
    piece.extend_from_slice(&[b'.'; 100]);
    piece.extend_from_slice(&value[..25]);
    let mut stream = watch.stream(Place::Body);
    let first = stream.push(Bytes::copy_from_slice(&value[..1]));
    let left = stream.push(Bytes::from_owner(piece));
    assert_eq!((first.len(), left.len(), stream.held_bytes()), (0, 101, 25));
    std::mem::forget(left);
}

/// The child's part; in an ordinary round there is nothing to do here.
#[test]
fn a_child_lets_go_of_a_watch_when_it_is_asked_to() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    work(1..4);
    // Registers, and the stack where they are saved, are not ours to wipe: other work takes their place.
    work(101..104);
    println!("{LET_GO}");
    // Until the parent has read everything.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn hits(process: u32, wanted: &[Vec<u8>]) -> Vec<usize> {
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut hits = vec![0; wanted.len()];
    for line in maps.lines() {
        let mut words = line.split(' ');
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with('r') || line.ends_with("[vvar]") || line.contains("[vsyscall]") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(end - start).unwrap()];
        // Some special mappings cannot be read; they are the kernel's.
        if memory.read_exact_at(&mut bytes, start).is_ok() {
            for (wanted, hits) in wanted.iter().zip(&mut hits) {
                *hits += memchr::memmem::find_iter(&bytes, wanted).count();
            }
        }
    }
    hits
}

#[test]
fn a_process_that_let_go_of_a_watch_has_no_form_of_a_secret_in_its_memory() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::memory::a_child_lets_go_of_a_watch_when_it_is_asked_to", "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.by_ref().lines().any(|line| line.unwrap().contains(LET_GO)), "the child let go");
    let mut wanted: Vec<Vec<u8>> = (1..4).flat_map(forms).collect();
    // Half of a form would be enough to blame somebody for.
    wanted.iter_mut().for_each(|form| form.truncate(form.len() / 2));
    // That a hit would be seen: this text is in the program.
    wanted.push(LET_GO.as_bytes().to_vec());
    let mut hits = hits(child.id(), &wanted);
    assert!(hits.pop().unwrap() > 0);
    assert_eq!(hits, [0; 9]);
    drop(child.stdin.take());
    output.read_to_end(&mut Vec::new()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// The same search finds the forms that a watch holds while it lives.
#[test]
fn the_search_finds_what_is_there() {
    let watch = Watch::new();
    watch.add("api", &value(9));
    let found = hits(std::process::id(), &forms(9));
    assert!(found.iter().all(|count| *count > 0), "{found:?}");
    assert!(!watch.current().is_empty());
}
