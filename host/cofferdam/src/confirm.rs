//! Asks before something is done that cannot be undone.

use crate::problem::{Own, Problems};
use crate::prompt::{self, Echo};

/// Goes on when `yes` was said on the command line, or `word` is typed at the terminal.
pub(crate) fn confirmed(yes: bool, what: &str, word: &str) -> Result<(), Problems> {
    if yes {
        return Ok(());
    }
    let unconfirmed = || Own::Unconfirmed { what: what.to_owned() };
    let words = format!("{what}\nType `{word}` to go on: ");
    let typed = prompt::line(&words, Echo::Shown).ok_or_else(unconfirmed)?;
    if typed.expose().trim_ascii() == word.as_bytes() { Ok(()) } else { Err(unconfirmed().into()) }
}
