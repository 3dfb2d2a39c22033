//! What another program of this machine says. It gets no input and is ended when it takes too long.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A service that does not answer must not hold the doctor up.
const TIME_MAX: Duration = Duration::from_secs(5);
const LOOKED_AT_EVERY: Duration = Duration::from_millis(10);
/// One line is what is asked for.
const ANSWER_BYTES_MAX: u64 = 4096;

/// Its first words on standard output; none: it is not there, or has failed, or says nothing in time.
pub(super) fn answer(command: &mut Command) -> Option<String> {
    answer_within(command, TIME_MAX)
}

fn answer_within(command: &mut Command, time_max: Duration) -> Option<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    if !has_succeeded(&mut child, Instant::now() + time_max) {
        // It may have ended by itself just now; either way it is waited for, and nothing of it stays.
        let _ = child.kill();
        let _ = child.wait();
        return None;
    }
    let mut said = String::new();
    child.stdout.take()?.take(ANSWER_BYTES_MAX).read_to_string(&mut said).ok()?;
    Some(said.trim().to_owned())
}

/// An answer fits into the pipe, so whoever waits before he reads loses nothing.
fn has_succeeded(child: &mut Child, until: Instant) -> bool {
    while Instant::now() < until {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => thread::sleep(LOOKED_AT_EVERY),
            Err(_) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::{answer, answer_within};

    #[test]
    fn a_program_is_heard_when_it_succeeds() {
        assert_eq!(answer(Command::new("echo").arg("yes")).as_deref(), Some("yes"));
        assert_eq!(answer(Command::new("sh").args(["-c", "echo no; exit 1"])), None);
        assert_eq!(answer(&mut Command::new("there-is-no-such-program")), None);
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let begun = Instant::now();
        assert_eq!(answer_within(Command::new("sleep").arg("60"), Duration::from_millis(50)), None);
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
