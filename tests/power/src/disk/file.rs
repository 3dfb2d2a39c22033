//! The contents of one file: what was synced, and what was done since.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;

/// What a file system writes back on its own.
const BLOCK_BYTES: usize = 4096;
/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

#[derive(Clone, Debug)]
enum Operation {
    Write { offset: usize, data: Arc<[u8]> },
    Resize(usize),
}

#[derive(Clone, Debug, Default)]
pub(super) struct File {
    durable: Arc<Vec<u8>>,
    pending: Vec<Operation>,
}

/// What is kept of that which was not synced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keeps {
    Nothing,
    All,
    /// The first operations; of a write that is the last, any sectors.
    Beginning,
    /// Each block as it was after any of the operations, and the size too.
    Blocks,
}

impl Keeps {
    pub(super) fn any(random: &mut Rng) -> Self {
        match random.u8(0..6) {
            0 => Self::Nothing,
            1 => Self::All,
            2 | 3 => Self::Beginning,
            _ => Self::Blocks,
        }
    }
}

impl File {
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Self { durable: Arc::new(bytes), pending: Vec::new() }
    }

    pub(super) fn write(&mut self, offset: usize, data: Arc<[u8]>) {
        self.pending.push(Operation::Write { offset, data });
    }

    pub(super) fn resize(&mut self, size: usize) {
        self.pending.push(Operation::Resize(size));
    }

    /// With `is_data_only` a change of the size that no data depend on stays as uncertain as it was.
    pub(super) fn sync(&mut self, is_data_only: bool) {
        let is_write = |operation: &Operation| matches!(operation, Operation::Write { .. });
        let last_write = self.pending.iter().rposition(is_write).map_or(0, |last| last + 1);
        let count = if is_data_only { last_write } else { self.pending.len() };
        let durable = Arc::make_mut(&mut self.durable);
        self.pending.drain(..count).for_each(|operation| operation.apply(durable));
    }

    /// The kernel tells a failure once and then takes the pages for written: what has not reached the disk never will.
    pub(super) fn fail_sync(&mut self, random: &mut Rng) {
        *self = Self::durable(self.after_cut(Keeps::any(random), random));
    }

    pub(super) fn after_cut(&self, keeps: Keeps, random: &mut Rng) -> Vec<u8> {
        match keeps {
            Keeps::Nothing => self.durable.as_ref().clone(),
            Keeps::All => self.beginning(self.pending.len()),
            Keeps::Beginning => self.torn_beginning(random),
            Keeps::Blocks => self.blocks(random),
        }
    }

    fn beginning(&self, count: usize) -> Vec<u8> {
        let mut bytes = self.durable.as_ref().clone();
        self.pending.iter().take(count).for_each(|operation| operation.apply(&mut bytes));
        bytes
    }

    fn torn_beginning(&self, random: &mut Rng) -> Vec<u8> {
        let count = random.usize(0..=self.pending.len());
        let mut bytes = self.beginning(count);
        let Some(Operation::Write { offset, data }) = self.pending.get(count) else {
            return bytes;
        };
        // Mostly from the front, as disks write; now and then any, as disks may.
        let sectors = offset / SECTOR_BYTES..=(offset + data.len()) / SECTOR_BYTES;
        let (first_lost, in_order) = (random.usize(sectors), random.u8(0..3) > 0);
        for (sector, start, piece) in pieces(*offset, data, SECTOR_BYTES) {
            let is_kept = if in_order { sector < first_lost } else { random.bool() };
            if is_kept {
                put(&mut bytes, start, piece);
            }
        }
        bytes
    }

    /// Sizes that a truncation has set are kept in order, as they are changes of the inode; what is written is kept by
    /// chance, as pages are written back whenever the kernel likes.
    fn blocks(&self, random: &mut Rng) -> Vec<u8> {
        let is_resize = |operation: &&Operation| matches!(operation, Operation::Resize(_));
        let mut resizes_left = random.usize(0..=self.pending.iter().filter(is_resize).count());
        let sized_until = random.usize(0..=self.pending.len());
        let mut kept_until = KeptUntil::new(self.pending.len());
        let mut bytes = self.durable.as_ref().clone();
        let mut size = bytes.len();
        for (at, operation) in self.pending.iter().enumerate() {
            match operation {
                Operation::Resize(_) if resizes_left == 0 => {}
                Operation::Resize(new) => {
                    resizes_left -= 1;
                    bytes.truncate(*new);
                    size = *new;
                }
                Operation::Write { offset, data } => {
                    for (sector, start, piece) in pieces(*offset, data, SECTOR_BYTES) {
                        if at < kept_until.of(sector, random) {
                            put(&mut bytes, start, piece);
                        }
                    }
                    if at < sized_until {
                        size = size.max(offset + data.len());
                    }
                }
            }
        }
        bytes.resize(size, 0);
        bytes
    }
}

impl Operation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => put(bytes, *offset, data),
            Self::Resize(size) => bytes.resize(*size, 0),
        }
    }
}

/// How many operations each block, or a sector of a torn one, has seen when the power goes.
struct KeptUntil {
    operations: usize,
    /// None: torn.
    blocks: BTreeMap<usize, Option<usize>>,
    sectors: BTreeMap<usize, usize>,
}

impl KeptUntil {
    fn new(operations: usize) -> Self {
        Self { operations, blocks: BTreeMap::new(), sectors: BTreeMap::new() }
    }

    fn of(&mut self, sector: usize, random: &mut Rng) -> usize {
        let operations = self.operations;
        let block = sector / (BLOCK_BYTES / SECTOR_BYTES);
        let is_torn = |random: &mut Rng| random.u8(0..8) == 0;
        let of_block = self.blocks.entry(block).or_insert_with(|| match is_torn(random) {
            true => None,
            false => Some(any_count(operations, random)),
        });
        of_block
            .unwrap_or_else(|| *self.sectors.entry(sector).or_insert_with(|| any_count(operations, random)))
    }
}

/// None and all are as likely as everything between.
fn any_count(operations: usize, random: &mut Rng) -> usize {
    match random.u8(0..3) {
        0 => 0,
        1 => operations,
        _ => random.usize(0..=operations),
    }
}

/// The parts of a write by the sectors (or blocks) in which they lie: number, offset, bytes.
fn pieces(offset: usize, data: &[u8], unit: usize) -> impl Iterator<Item = (usize, usize, &[u8])> {
    let mut start = offset;
    let mut rest = data;
    std::iter::from_fn(move || {
        let (piece, after) = rest.split_at(rest.len().min(unit - start % unit));
        let found = (start / unit, start, piece);
        (start, rest) = (start + piece.len(), after);
        (!piece.is_empty()).then_some(found)
    })
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    bytes.resize(bytes.len().max(end), 0);
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(data);
    }
}
