//! Proofs over the tree: that an entry is in it, and that it only grew. Which hashes they consist of, and how to judge them.

use super::tree::{Hash, Node, node_hash};

/// Entries from `begin` up to `end`, which is a part of the tree that has one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

impl Span {
    /// The perfect parts that it consists of, the largest first. Its hash is their fold.
    pub(crate) fn nodes(self) -> Vec<Node> {
        let (mut begin, mut nodes) = (self.begin, Vec::new());
        while begin < self.end {
            let level = (self.end - begin).ilog2();
            nodes.push(Node { level: u8::try_from(level).unwrap_or(u8::MAX), index: begin >> level });
            begin += 1 << level;
        }
        nodes
    }
}

/// The largest power of two that is smaller: where a tree of more than one entry is split.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The path of entry `index` in a tree of `size` entries (RFC 6962, section 2.1.1), from the entry to the root.
pub(crate) fn inclusion(index: u64, size: u64) -> Vec<Span> {
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push(Span { begin: middle, end });
            end = middle;
        } else {
            path.push(Span { begin, end: middle });
            begin = middle;
        }
    }
    path.reverse();
    path
}

/// What shows that the tree of `size` entries begins with that of `earlier` (RFC 6962, section 2.1.2).
pub(crate) fn consistency(earlier: u64, size: u64) -> Vec<Span> {
    let (mut begin, mut end) = (0, size);
    let mut path = Vec::new();
    if earlier == 0 || earlier >= size {
        return path;
    }
    while earlier < end {
        let middle = begin + split(end - begin);
        if earlier <= middle {
            path.push(Span { begin: middle, end });
            end = middle;
        } else {
            path.push(Span { begin, end: middle });
            begin = middle;
        }
    }
    // Where the earlier tree is itself the left part all the way down, whoever judges knows its hash already.
    if begin > 0 {
        path.push(Span { begin, end });
    }
    path.reverse();
    path
}

/// Whether the path leads from this leaf, entry `index` of `size`, to the root (RFC 9162, section 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for brother in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(brother, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, brother);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the tree of `size` entries with this root begins with the earlier one (RFC 9162, section 2.1.4.2).
#[must_use]
pub fn verify_consistency(earlier: (u64, &Hash), now: (u64, &Hash), path: &[Hash]) -> bool {
    let ((earlier_size, earlier_root), (size, root)) = (earlier, now);
    match earlier_size {
        0 => return path.is_empty(),
        same if same == size => return path.is_empty() && earlier_root == root,
        more if more > size => return false,
        _ => {}
    }
    let mut path = path.iter();
    let start = if earlier_size.is_power_of_two() { Some(earlier_root) } else { path.next() };
    let Some(start) = start else { return false };
    let shift = (earlier_size - 1).trailing_ones();
    let (mut at, mut last) = ((earlier_size - 1) >> shift, (size - 1) >> shift);
    let (mut before, mut after) = (*start, *start);
    for brother in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            before = node_hash(brother, &before);
            after = node_hash(brother, &after);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            after = node_hash(&after, brother);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && before == *earlier_root && after == *root
}

#[cfg(test)]
mod tests;
