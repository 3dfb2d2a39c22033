//! Keyring, key file and slot fit together after every cut, no key is lost, and what was shredded stays so.

use crate::campaign::{After, Campaign};
use crate::shreds;

#[test]
fn no_cut_loses_a_key_or_brings_one_back() {
    Campaign { scenario: "keyring", cuts: 60, from: None, tries_earlier_keyrings: true, judge }.run();
}

fn judge(after: &After<'_>) -> Result<(), String> {
    shreds::judge(after)?;
    let is_mended = after.found.iter().any(|line| line.starts_with("deletion erasing"));
    if is_mended { Ok(()) } else { Err(format!("a shred is left unfinished: {:?}", after.found)) }
}
