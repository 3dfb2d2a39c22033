//! The Merkle tree of RFC 6962, grown at its right edge. Pure: knows no entries and no storage.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// Leaves and inner nodes are hashed apart, so that neither can be taken for the other (RFC 6962, section 2.1).
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// A perfect part of a tree: `2^level` entries from `index * 2^level` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node {
    pub(crate) level: u8,
    pub(crate) index: u64,
}

pub(crate) fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([LEAF]).chain_update(entry).finalize().into()
}

pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([NODE]).chain_update(left).chain_update(right).finalize().into()
}

/// The hash of adjacent perfect parts, the largest on the left: each is the left brother of all behind it.
pub(crate) fn fold(parts: impl DoubleEndedIterator<Item = Hash>) -> Option<Hash> {
    parts.rev().reduce(|right, left| node_hash(&left, &right))
}

/// What must be known of a tree to add to it: the hashes of its perfect parts, the largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    parts: Vec<Hash>,
}

impl Frontier {
    /// None: a tree of this size has another number of perfect parts.
    pub(crate) fn new(size: u64, parts: Vec<Hash>) -> Option<Self> {
        (parts.len() == size.count_ones() as usize).then_some(Self { size, parts })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn parts(&self) -> &[Hash] {
        &self.parts
    }

    /// Adds a leaf; answers which larger perfect parts it completes.
    pub(crate) fn push(&mut self, leaf: Hash) -> Vec<(Node, Hash)> {
        let mut completed = Vec::new();
        let mut hash = leaf;
        // Each one bit at the low end of the size is a part of that level, which now gets its right brother.
        for level in 0..self.size.trailing_ones() {
            let Some(left) = self.parts.pop() else { break };
            hash = node_hash(&left, &hash);
            let node =
                Node { level: u8::try_from(level + 1).unwrap_or(u8::MAX), index: self.size >> (level + 1) };
            completed.push((node, hash));
        }
        self.parts.push(hash);
        self.size += 1;
        completed
    }

    /// The hash of the whole tree; that of an empty one is the hash of nothing.
    pub(crate) fn root(&self) -> Hash {
        fold(self.parts.iter().copied()).unwrap_or_else(|| Sha256::digest([]).into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Frontier, Hash, Node, leaf_hash};
    use std::collections::BTreeMap;

    pub(crate) fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The tree of eight leaves by which implementations of certificate transparency check themselves.
    #[test]
    fn the_roots_of_the_known_tree_are_found() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = Frontier::default();
        assert_eq!(hex(&tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (leaf, root) in leaves.into_iter().zip(roots) {
            tree.push(leaf_hash(leaf));
            assert_eq!(hex(&tree.root()), root, "of {} leaves", tree.size());
        }
    }

    #[test]
    fn each_perfect_part_is_completed_once_and_at_its_place() {
        let mut tree = Frontier::default();
        let mut nodes: BTreeMap<Node, Hash> = BTreeMap::new();
        for number in 0..100_u64 {
            for (node, hash) in tree.push(leaf_hash(&number.to_be_bytes())) {
                assert!(nodes.insert(node, hash).is_none(), "{node:?} twice");
            }
        }
        let expected: Vec<Node> = (1..=6)
            .flat_map(|level| (0..(100_u64 >> level)).map(move |index| Node { level, index }))
            .collect();
        assert_eq!(nodes.into_keys().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_frontier_of_another_size_is_none() {
        assert!(Frontier::new(3, vec![[0; 32]; 2]).is_some());
        assert!(Frontier::new(3, vec![[0; 32]; 3]).is_none());
    }
}
