//! Placeholder replaced by the first real commit.
fn main() {}
