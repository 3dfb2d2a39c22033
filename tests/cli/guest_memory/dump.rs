//! The linear memories of guests in a running process, as the system shows them.
//!
//! The engine's pool gives each memory a slot of more than 4 GiB of addresses, of which only the memory itself can be read,
//! with a guard of 32 MiB before the first. So a guest's memory is what can be read between a large part that cannot and
//! another, of gigabytes. Nothing of the host lies so: its heap and its stacks have guards of some pages. A test holds that
//! against what it knows to be in a guest.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const GUARD_BEFORE: u64 = 32 << 20;
const GUARD_BEHIND: u64 = 1 << 30;
const PAGE: usize = 4096;

/// A process that stands still until this is dropped. One that goes on makes threads and memories meanwhile, and what lies beside a
/// part is what tells whose it is.
pub(crate) struct Stopped(Pid);

impl Stopped {
    pub(crate) fn new(process: u32) -> Self {
        let stopped = Self(Pid::from_raw(process.try_into().unwrap()).unwrap());
        kill_process(stopped.0, Signal::STOP).unwrap();
        let since = Instant::now();
        while !threads(process).iter().all(|state| state == "T") {
            assert!(since.elapsed() < Duration::from_secs(60), "{process} goes on: {:?}", threads(process));
            thread::sleep(Duration::from_millis(1));
        }
        stopped
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        kill_process(self.0, Signal::CONT).unwrap();
    }
}

/// The state of each thread, as the system writes it.
fn threads(process: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    // A thread that has ended meanwhile has none.
    let stats = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("stat")).ok());
    // `4711 (name, with any characters) T 1 ...`
    stats.map(|stat| stat.rsplit_once(") ").unwrap().1[..1].to_owned()).collect()
}

struct Mapping {
    start: u64,
    end: u64,
    /// As the system writes them: `rw-p`.
    rights: String,
}

impl Mapping {
    fn is_readable(&self) -> bool {
        self.rights.starts_with('r')
    }

    fn is_guard(&self, bytes: u64) -> bool {
        self.rights.starts_with("---") && self.end - self.start >= bytes
    }
}

/// Each memory of a guest, without the pages that were never written.
pub(super) fn guests(process: u32) -> Vec<Vec<u8>> {
    blocks(process, |is_guest| is_guest)
}

/// All that a process can write, its guests' memories among it.
pub(crate) fn everything(process: u32) -> Vec<Vec<u8>> {
    blocks(process, |_| true)
}

fn blocks(process: u32, wanted: impl Fn(bool) -> bool) -> Vec<Vec<u8>> {
    let file = |name: &str| format!("/proc/{process}/{name}");
    let maps = fs::read_to_string(file("maps")).unwrap();
    let maps: Vec<Mapping> = maps.lines().map(mapping).collect();
    let memory =
        Memory { bytes: File::open(file("mem")).unwrap(), pages: File::open(file("pagemap")).unwrap() };
    let mut found = Vec::new();
    // Mappings that touch each other are of one kind: a memory whose first part is an image has two.
    let alike =
        |one: &Mapping, next: &Mapping| one.end == next.start && one.is_readable() == next.is_readable();
    let blocks: Vec<&[Mapping]> = maps.chunk_by(alike).collect();
    for (index, block) in blocks.iter().enumerate().filter(|(_, block)| block[0].is_readable()) {
        let before = index.checked_sub(1).and_then(|index| blocks[index].last());
        let behind = blocks.get(index + 1).and_then(|block| block.first());
        let (first, last) = (&block[0], &block[block.len() - 1]);
        let is_guest = before.is_some_and(|one| one.end == first.start && one.is_guard(GUARD_BEFORE))
            && behind.is_some_and(|one| one.start == last.end && one.is_guard(GUARD_BEHIND));
        let written = || block.iter().filter(|mapping| mapping.rights.starts_with("rw"));
        if wanted(is_guest) && written().next().is_some() {
            found.push(written().flat_map(|mapping| memory.read(mapping)).collect());
        }
    }
    found
}

/// `7f0000000000-7f0000001000 rw-p 00000000 00:00 0   [heap]`
fn mapping(line: &str) -> Mapping {
    let (range, rest) = line.split_once(' ').unwrap();
    let (start, end) = range.split_once('-').unwrap();
    let address = |text| u64::from_str_radix(text, 16).unwrap();
    Mapping { start: address(start), end: address(end), rights: rest[..4].to_owned() }
}

struct Memory {
    bytes: File,
    pages: File,
}

impl Memory {
    /// The pages that were ever written; where others lie between, they are left out.
    fn read(&self, mapping: &Mapping) -> Vec<u8> {
        let size = usize::try_from(mapping.end - mapping.start).unwrap();
        let first = mapping.start / PAGE as u64;
        let mut entries = vec![0; size / PAGE * 8];
        // What the process gives back meanwhile is no place where something lies.
        let known = self.pages.read_at(&mut entries, first * 8).unwrap_or(0);
        let mut bytes = Vec::new();
        let mut page = [0; PAGE];
        for (index, entry) in entries[..known].chunks_exact(8).enumerate() {
            // Its two highest bits say whether the page is in memory, or swapped out.
            if entry[7] & 0b1100_0000 != 0 {
                let at = mapping.start + (index * PAGE) as u64;
                let count = self.bytes.read_at(&mut page, at).unwrap_or(0);
                bytes.extend_from_slice(&page[..count]);
            }
        }
        bytes
    }
}
