//! Asks before something is done that cannot be undone.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};

use crate::problem::{Own, Problems};

/// Goes on when `yes` was said on the command line, or `word` is typed at the terminal.
pub(crate) fn confirmed(yes: bool, what: &str, word: &str) -> Result<(), Problems> {
    if yes {
        return Ok(());
    }
    let unconfirmed = || Own::Unconfirmed { what: what.to_owned() };
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| unconfirmed())?;
    let asked = (&terminal).write_all(format!("{what}\nType `{word}` to go on: ").as_bytes());
    let mut typed = String::new();
    let read = asked.and_then(|()| BufReader::new(&terminal).read_line(&mut typed));
    if read.is_ok() && typed.trim() == word { Ok(()) } else { Err(unconfirmed().into()) }
}
