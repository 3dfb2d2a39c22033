use super::{Span, consistency, inclusion, verify_consistency, verify_inclusion};
use crate::audit::tree::{Frontier, Hash, fold, leaf_hash, node_hash};

fn leaf(number: u64) -> Hash {
    leaf_hash(&number.to_be_bytes())
}

/// The hash of a part as RFC 6962 defines it, which is not how the product computes it.
fn by_definition(span: Span) -> Hash {
    let size = span.end - span.begin;
    if size == 1 {
        return leaf(span.begin);
    }
    let middle = span.begin + size.next_power_of_two() / 2;
    node_hash(
        &by_definition(Span { begin: span.begin, end: middle }),
        &by_definition(Span { begin: middle, end: span.end }),
    )
}

fn root(size: u64) -> Hash {
    by_definition(Span { begin: 0, end: size })
}

fn hashes(spans: &[Span]) -> Vec<Hash> {
    spans.iter().map(|span| by_definition(*span)).collect()
}

const SIZES: std::ops::RangeInclusive<u64> = 1..=26;

#[test]
fn growing_gives_the_tree_of_the_definition_and_spans_fold_to_their_hash() {
    let mut tree = Frontier::default();
    for size in SIZES {
        tree.push(leaf(size - 1));
        assert_eq!(tree.root(), root(size), "of {size}");
        for span in inclusion(size / 2, size) {
            let parts = span.nodes().into_iter().map(|node| {
                by_definition(Span { begin: node.index << node.level, end: (node.index + 1) << node.level })
            });
            assert_eq!(fold(parts.collect::<Vec<_>>().into_iter()), Some(by_definition(span)));
        }
    }
}

#[test]
fn every_entry_of_every_tree_has_a_path_and_no_other_entry_place_or_root_has_it() {
    for size in SIZES {
        let root = root(size);
        for index in 0..size {
            let path = hashes(&inclusion(index, size));
            assert!(verify_inclusion(&leaf(index), index, size, &path, &root), "{index} of {size}");
            assert!(!verify_inclusion(&leaf(index + 1), index, size, &path, &root));
            assert!(!verify_inclusion(&leaf(index), index, size, &path, &leaf(0)) || size == 1);
            for other in (0..size).filter(|other| *other != index) {
                assert!(
                    !verify_inclusion(&leaf(index), other, size, &path, &root),
                    "{index} as {other} of {size}"
                );
            }
            for cut in 0..path.len() {
                assert!(!verify_inclusion(&leaf(index), index, size, &path[..cut], &root));
            }
            let longer = [path.as_slice(), &[leaf(7)]].concat();
            assert!(!verify_inclusion(&leaf(index), index, size, &longer, &root));
        }
        assert!(!verify_inclusion(&leaf(size), size, size, &[], &root));
    }
}

#[test]
fn every_tree_begins_with_each_earlier_one_and_with_no_other() {
    for size in SIZES {
        let now = root(size);
        for earlier in 1..=size {
            let path = hashes(&consistency(earlier, size));
            assert!(
                verify_consistency((earlier, &root(earlier)), (size, &now), &path),
                "{earlier} of {size}"
            );
            assert!(!verify_consistency((earlier, &leaf(99)), (size, &now), &path), "{earlier} of {size}");
            assert!(!verify_consistency((earlier, &root(earlier)), (size, &leaf(99)), &path));
            for cut in 0..path.len() {
                assert!(!verify_consistency((earlier, &root(earlier)), (size, &now), &path[..cut]));
            }
            let longer = [path.as_slice(), &[leaf(7)]].concat();
            assert!(!verify_consistency((earlier, &root(earlier)), (size, &now), &longer));
            for flipped in 0..path.len() {
                let mut path = path.clone();
                path[flipped][0] ^= 1;
                assert!(!verify_consistency((earlier, &root(earlier)), (size, &now), &path));
            }
        }
        assert!(!verify_consistency((size + 1, &root(size + 1)), (size, &now), &[]));
    }
}

/// The proofs that RFC 6962 draws for a tree of seven, section 2.1.3.
#[test]
fn the_proofs_of_the_standards_example_are_found() {
    let span = |begin, end| Span { begin, end };
    assert_eq!(inclusion(0, 7), [span(1, 2), span(2, 4), span(4, 7)]);
    assert_eq!(inclusion(3, 7), [span(2, 3), span(0, 2), span(4, 7)]);
    assert_eq!(inclusion(4, 7), [span(5, 6), span(6, 7), span(0, 4)]);
    assert_eq!(inclusion(6, 7), [span(4, 6), span(0, 4)]);
    assert_eq!(consistency(3, 7), [span(2, 3), span(3, 4), span(0, 2), span(4, 7)]);
    assert_eq!(consistency(4, 7), [span(4, 7)]);
    assert_eq!(consistency(6, 7), [span(4, 6), span(6, 7), span(0, 4)]);
}
