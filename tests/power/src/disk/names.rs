//! The names in directories: what was synced, and what was changed since.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::Node;

/// For each directory its names.
pub(super) type Entries = BTreeMap<Node, BTreeMap<String, Node>>;

/// A name gets a node, or is gone.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) directory: Node,
    pub(super) name: String,
    pub(super) node: Option<Node>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    durable: Entries,
    live: Entries,
    /// Each is of one call and becomes true whole, unless a part of it was synced before.
    pending: Vec<Vec<Change>>,
}

/// Which changes that were not synced are kept.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kept {
    None,
    All,
    /// The first of them, as journals of file systems have it.
    InOrder,
    /// Each by chance, as POSIX allows.
    Each,
}

impl Names {
    pub(super) fn find(&self, directory: Node, name: &str) -> Option<Node> {
        self.live.get(&directory)?.get(name).copied()
    }

    pub(super) fn put_durable(&mut self, directory: Node, name: String, node: Node) {
        let change = Change { directory, name, node: Some(node) };
        apply(&mut self.durable, &change);
        apply(&mut self.live, &change);
    }

    pub(super) fn change(&mut self, changes: Vec<Change>) {
        changes.iter().for_each(|change| apply(&mut self.live, change));
        self.pending.push(changes);
    }

    /// What concerns other directories stays uncertain.
    pub(super) fn sync(&mut self, directory: Node) {
        for change in self.take_of(directory) {
            apply(&mut self.durable, &change);
        }
    }

    pub(super) fn sync_all(&mut self) {
        self.durable = self.live.clone();
        self.pending.clear();
    }

    /// What has not reached the disk never will.
    pub(super) fn fail_sync(&mut self, directory: Node, random: &mut Rng) {
        let changes = self.take_of(directory);
        let kept = random.usize(0..=changes.len());
        changes.iter().take(kept).for_each(|change| apply(&mut self.durable, change));
    }

    pub(super) fn after_cut(&self, kept: Kept, random: &mut Rng) -> Entries {
        let mut names = self.durable.clone();
        let first_lost = match kept {
            Kept::None => 0,
            Kept::All | Kept::Each => self.pending.len(),
            Kept::InOrder => random.usize(0..=self.pending.len()),
        };
        for changes in self.pending.iter().take(first_lost) {
            if !matches!(kept, Kept::Each) || random.bool() {
                changes.iter().for_each(|change| apply(&mut names, change));
            }
        }
        names
    }

    fn take_of(&mut self, directory: Node) -> Vec<Change> {
        let is_of = |change: &mut Change| change.directory == directory;
        let taken = self.pending.iter_mut().flat_map(|changes| changes.extract_if(.., is_of)).collect();
        self.pending.retain(|changes| !changes.is_empty());
        taken
    }
}

fn apply(names: &mut Entries, change: &Change) {
    let directory = names.entry(change.directory).or_default();
    match change.node {
        Some(node) => drop(directory.insert(change.name.clone(), node)),
        None => drop(directory.remove(&change.name)),
    }
}
