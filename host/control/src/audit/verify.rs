//! Verifies an exported log: whether every entry is what was signed, and where not.
//!
//! Numbers tell what is missing, double or moved; the hash that each entry gives of the one before it tells which was
//! edited; the tree's root tells whether all of them together are what was signed; and checkpoints that somebody kept
//! elsewhere tell whether what was signed is what was there then. Each needs the one before it, so a file whose numbers
//! do not fit together is not held against its root.

use super::entry::Entry;
use super::export::{Footer, Header, VERSION};
use super::findings::Finding;
use super::note::{Checkpoint, NoteKey};
use super::tree::{Frontier, Hash, leaf_hash};
use crate::error::Error;
use std::collections::BTreeMap;
use std::io::{BufRead, Read};

/// No line that we write is longer.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// By what a file is judged.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// The key of the deployment. Without one the file's own is taken, which whoever rewrote it may have put there.
    pub key: Option<NoteKey>,
    /// Checkpoints of this log that were kept elsewhere.
    pub remembered: Vec<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Which log of which deployment it says it is.
    pub origin: String,
    /// How many entries it has.
    pub entries: u64,
    /// What was signed, if that is beyond doubt.
    pub checkpoint: Option<Checkpoint>,
    /// Whether the key was known beforehand. If not, a log that somebody wrote anew as a whole would not be noticed.
    pub is_key_known: bool,
    /// What is wrong; nothing: all is as it was signed.
    pub findings: Vec<Finding>,
}

/// An entry where it stands.
struct Seen {
    line: u64,
    number: u64,
    previous: Hash,
    hash: Hash,
}

struct File {
    header: Header,
    entries: Vec<Seen>,
    footer: Option<Footer>,
    findings: Vec<Finding>,
}

/// Verifies an exported log. Reads it once; keeps about 90 bytes for each entry.
///
/// # Errors
/// When it cannot be read, or is no export, or something to judge it by is none itself.
pub fn verify_export(input: &mut dyn BufRead, options: &VerifyOptions) -> Result<Verification, Error> {
    let File { header, entries, footer, mut findings } = read(input)?;
    let key = match &options.key {
        Some(key) => key.clone(),
        None => NoteKey::parse(&header.key)?,
    };
    let mut remembered = Vec::new();
    for note in &options.remembered {
        let checkpoint = key.open(note)?;
        if checkpoint.origin != header.origin {
            return Err(Error::ForeignNote { found: checkpoint.origin, wanted: header.origin });
        }
        remembered.push(checkpoint);
    }
    let checkpoint = judge_footer(&header, footer, &key, &mut findings);
    let count = entries.len() as u64;
    let signed = checkpoint.as_ref().map_or(u64::MAX, |checkpoint| checkpoint.size);
    let ordered = order(entries, signed, &mut findings);
    follow(&ordered, &mut findings);
    if let Some(checkpoint) = &checkpoint {
        let kept = ordered.last().map_or(0, |last| last.number + 1);
        if kept < checkpoint.size {
            findings.push(Finding::Truncated { entries: kept, signed: checkpoint.size });
        }
        if findings.is_empty() {
            hold_against(&ordered, checkpoint, &remembered, &mut findings);
        }
        let newest = remembered.iter().map(|one| one.size).max().unwrap_or_default();
        if newest > checkpoint.size {
            findings.push(Finding::Restored { signed: checkpoint.size, remembered: newest });
        }
    }
    findings.sort();
    let is_key_known = options.key.is_some();
    Ok(Verification { origin: header.origin, entries: count, checkpoint, is_key_known, findings })
}

fn read(input: &mut dyn BufRead) -> Result<File, Error> {
    let header = read_line(input)?.and_then(|line| serde_json::from_slice::<Header>(&line).ok());
    let header = header.filter(|header| header.cofferdam_audit == VERSION).ok_or(Error::NoAuditExport)?;
    let mut file = File { header, entries: Vec::new(), footer: None, findings: Vec::new() };
    let mut line = 1;
    while let Some(bytes) = read_line(input)? {
        line += 1;
        if file.footer.is_none() && bytes.starts_with(b"{\"checkpoint\"") {
            file.footer = serde_json::from_slice(&bytes).ok();
        } else if let Some(entry) = Entry::parse(&bytes).filter(|_| file.footer.is_none()) {
            let (number, previous, hash) = (entry.number, entry.previous, leaf_hash(&bytes));
            file.entries.push(Seen { line, number, previous, hash });
        } else {
            file.findings.push(Finding::NotAnEntry { line });
        }
    }
    Ok(file)
}

/// None at the end. A line that is too long is cut: no entry parses then.
fn read_line(input: &mut dyn BufRead) -> Result<Option<Vec<u8>>, Error> {
    let mut line = Vec::new();
    let read = input.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(Error::Export)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok((read > 0).then_some(line))
}

fn judge_footer(
    header: &Header,
    footer: Option<Footer>,
    key: &NoteKey,
    findings: &mut Vec<Finding>,
) -> Option<Checkpoint> {
    let Some(footer) = footer else {
        findings.push(Finding::NoCheckpoint);
        return None;
    };
    match key.open(&footer.checkpoint) {
        Ok(checkpoint) if checkpoint.origin == header.origin => Some(checkpoint),
        Ok(Checkpoint { origin, .. }) => {
            findings.push(Finding::ForeignCheckpoint { origin });
            None
        }
        Err(_) => {
            findings.push(Finding::NotSigned);
            None
        }
    }
}

/// The entries by their numbers, each once; what is double, behind its place, missing, or beyond what was signed is found.
fn order(entries: Vec<Seen>, signed: u64, findings: &mut Vec<Finding>) -> Vec<Seen> {
    let follows: BTreeMap<u64, Vec<Hash>> = entries.iter().fold(BTreeMap::new(), |mut follows, seen| {
        follows.entry(seen.number).or_insert_with(Vec::new).push(seen.previous);
        follows
    });
    let mut unique: BTreeMap<u64, Seen> = BTreeMap::new();
    let mut newest = None;
    for seen in entries {
        let Seen { number, line, .. } = seen;
        if number >= signed {
            findings.push(Finding::Inserted { number, line });
        } else if let Some(earlier) = unique.remove(&number) {
            // The one that the next entry follows was there first.
            let after = follows.get(&(number + 1));
            let is_followed = after.is_some_and(|previous| previous.contains(&seen.hash));
            let (kept, other) = if is_followed { (seen, earlier) } else { (earlier, seen) };
            findings.push(Finding::Inserted { number, line: other.line });
            unique.insert(number, kept);
        } else {
            if newest.is_some_and(|newest| number < newest) {
                findings.push(Finding::Reordered { number, line });
            }
            newest = newest.max(Some(number));
            unique.insert(number, seen);
        }
    }
    let mut next = 0;
    for (number, seen) in &unique {
        if *number > next {
            findings.push(Finding::Deleted { from: next, to: number - 1, line: seen.line });
        }
        next = number + 1;
    }
    unique.into_values().collect()
}

/// Whether each entry follows the one before it.
fn follow(ordered: &[Seen], findings: &mut Vec<Finding>) {
    if let Some(first) = ordered.first().filter(|first| first.number == 0 && first.previous != [0; 32]) {
        findings.push(Finding::Edited { number: first.number, line: first.line });
    }
    for pair in ordered.windows(2) {
        let [one, next] = pair else { continue };
        if next.number == one.number + 1 && next.previous != one.hash {
            findings.push(Finding::Edited { number: one.number, line: one.line });
        }
    }
}

/// Whether all together are what was signed, and what was remembered.
fn hold_against(
    ordered: &[Seen],
    checkpoint: &Checkpoint,
    remembered: &[Checkpoint],
    findings: &mut Vec<Finding>,
) {
    let mut tree = Frontier::default();
    let (mut fits_to, mut is_broken) = (0, false);
    let mut judge = |tree: &Frontier| {
        for known in remembered.iter().chain([checkpoint]).filter(|known| known.size == tree.size()) {
            if known.root != tree.root() {
                is_broken = true;
            } else if !is_broken {
                fits_to = known.size;
            }
        }
    };
    judge(&tree);
    for seen in ordered {
        tree.push(seen.hash);
        judge(&tree);
    }
    if is_broken {
        findings.push(Finding::Rewritten { from: fits_to, to: checkpoint.size.saturating_sub(1) });
    }
}
