//! What a process leaves in its memory when it has let go of storage: no value and no key.
//!
//! A child works with storage, drops it and waits; its parent reads all of its memory. What is looked for is computed where
//! it is needed, so that neither the program nor its arguments hold it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use cofferdam_storage::{Change, Life, Storage, Table};
use vault::Class;

use crate::world::{ROWS, World, get};

const CHILD: &str = "COFFERDAM_TEST_LEAVES_MEMORY";
const CREDENTIALS: Table = Table { name: "credentials", class: Class::Credentials, schema_version: 1 };
const CANARY_BYTES: usize = 32;
/// What the child says when storage is gone. Behind it, where the key file is.
const GONE: &str = "storage is gone";

/// One for each kind of value; the bytes of no other.
fn canary(kind: u8) -> impl Iterator<Item = u8> {
    let byte = move |index: usize| (index as u8).wrapping_mul(73).wrapping_add(kind.wrapping_mul(41)) ^ 0xa7;
    (0..CANARY_BYTES).map(byte)
}

/// A value that is full of canaries, made where it stays.
fn value(kind: u8, bytes: usize) -> Vec<u8> {
    let mut value = Vec::with_capacity(bytes);
    while value.len() + CANARY_BYTES <= bytes {
        value.extend(canary(kind));
    }
    value
}

async fn work(world: &World) {
    let storage = world.open_with_organizations().await;
    let put = |table, key: &str, kind, bytes| {
        Change::new("acme").put(table, key, Life::Standing, value(kind, bytes))
    };
    storage.commit(put(ROWS, "small", 1, 4 << 10)).await.unwrap();
    storage.commit(put(ROWS, "large", 2, 1 << 20)).await.unwrap();
    storage.commit(put(CREDENTIALS, "password", 3, 64)).await.unwrap();
    storage.rotate_organization("acme").await.unwrap();
    read(&storage).await;
}

async fn read(storage: &Storage) {
    for (table, key, kind) in [(ROWS, "small", 1), (ROWS, "large", 2), (CREDENTIALS, "password", 3)] {
        let found = storage.get("acme", table, key.as_bytes()).await.unwrap().unwrap();
        assert!(found.value.expose().iter().copied().take(CANARY_BYTES).eq(canary(kind)), "{key}");
    }
}

/// The child's part; in an ordinary round there is nothing to do here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_child_lets_go_of_storage_when_it_is_asked_to() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let world = World::new();
    work(&world).await;
    println!("{GONE}{}", world.key_file_path().display());
    // Until the parent has read everything.
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

struct Left {
    child: Child,
    key_file: PathBuf,
    /// Open until the end: the child says more than what is wanted of it.
    output: BufReader<ChildStdout>,
}

fn leave() -> Left {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "memory::a_child_lets_go_of_storage_when_it_is_asked_to", "--nocapture"])
        .env(CHILD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let said = output.by_ref().lines().find_map(|line| {
        let line = line.unwrap();
        line.split_once(GONE).map(|(_, path)| PathBuf::from(path))
    });
    Left { child, key_file: said.expect("the child said where its key file is"), output }
}

/// How often each of these bytes stand in the memory of a process.
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

/// The KEK and the shred key, as they lie in the key file: behind the order in each block of it but the first.
fn keys(key_file: &Path) -> Vec<Vec<u8>> {
    let bytes = std::fs::read(key_file).unwrap();
    let cells = bytes.chunks(4096).skip(1).map(|block| block[8..40].to_vec());
    cells.filter(|key| key.iter().any(|byte| *byte != 0)).collect()
}

#[test]
fn a_process_that_let_go_of_storage_has_no_value_and_no_key_in_its_memory() {
    let Left { mut child, key_file, mut output } = leave();
    let mut wanted: Vec<Vec<u8>> = (1..=3).map(|kind| canary(kind).collect()).collect();
    wanted.extend(keys(&key_file));
    assert_eq!(wanted.len(), 5, "three canaries, the KEK and the shred key");
    // That a hit would be seen: this text is in the program.
    wanted.push(GONE.as_bytes().to_vec());
    let mut hits = hits(child.id(), &wanted);
    assert!(hits.pop().unwrap() > 0);
    assert_eq!(hits, [0; 5]);
    drop(child.stdin.take());
    output.read_to_end(&mut Vec::new()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// The same search finds a value that is still there.
#[tokio::test]
async fn the_search_finds_what_is_there() {
    let world = World::new();
    let storage = world.open_with_organizations().await;
    let kept = value(9, 4 << 10);
    let change = Change::new("acme").put(ROWS, "kept", Life::Standing, kept.clone());
    storage.commit(change).await.unwrap();
    assert_eq!(get(&storage, "acme", "kept").await.as_ref(), Some(&kept));
    let found = hits(std::process::id(), &[canary(9).collect()]);
    assert!(found[0] >= kept.len() / CANARY_BYTES);
}
