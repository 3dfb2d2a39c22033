//! Asks for one line at the terminal of the process, wherever its standard streams go.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use vault::Plaintext;

/// A terminal hands over at most so much of one line.
const LINE_BYTES_MAX: usize = 4096;

/// Whether what is typed is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Echo {
    Shown,
    Hidden,
}

/// The line that was typed, without its end; none without a terminal, or when the terminal goes away.
pub(crate) fn line(words: &str, echo: Echo) -> Option<Plaintext> {
    let terminal = File::options().read(true).write(true).open("/dev/tty").ok()?;
    let _hidden = match echo {
        Echo::Hidden => Some(Hidden::new(&terminal)?),
        Echo::Shown => None,
    };
    let read = (&terminal).write_all(words.as_bytes()).and_then(|()| read(&terminal));
    if echo == Echo::Hidden {
        // The end of line that was typed was not shown.
        let _ = (&terminal).write_all(b"\n");
    }
    read.ok()
}

/// Into a buffer that never grows: no copy of a secret is left behind.
fn read(mut terminal: &File) -> io::Result<Plaintext> {
    let mut line = vec![0; LINE_BYTES_MAX];
    let mut filled = 0;
    let end = loop {
        let Some(room @ [_, ..]) = line.get_mut(filled..) else { break filled };
        match terminal.read(room)? {
            0 if filled == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            0 => break filled,
            count => filled += count,
        }
        let read = line.get(..filled).unwrap_or_default();
        if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
            break end;
        }
    };
    line.truncate(end);
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Plaintext::new(line))
}

/// As long as it lives, the terminal does not show what is typed.
struct Hidden<'t> {
    terminal: &'t File,
    before: rustix::termios::Termios,
}

impl<'t> Hidden<'t> {
    fn new(terminal: &'t File) -> Option<Self> {
        let before = tcgetattr(terminal).ok()?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &hidden).ok()?;
        Some(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // The terminal may have gone; nothing is shown there any more.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}
