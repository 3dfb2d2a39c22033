//! The durable engine loses nothing, from its first file on, with writers beside each other.

use crate::campaign::Campaign;
use crate::steps;

#[test]
fn no_cut_loses_a_commit_of_the_engine() {
    Campaign { scenario: "engine", cuts: 60, tries_earlier_keyrings: false, judge: steps::judge }.run();
}
