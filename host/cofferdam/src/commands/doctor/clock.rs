//! The clock: rows expire, schedules fall due and certificates are judged by it.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use super::finding::{Finding, Topic::Clock};
use super::program;
use crate::units::{duration, moment};

/// A file server stamps files by a clock of its own.
const TOLERATED_MS: u64 = 60_000;
/// Where systemd is what started the machine; asking it elsewhere would only take time.
const SYSTEMD: &str = "/run/systemd/system";

/// What there is to compare the clock with.
#[derive(Debug, Clone, Default)]
struct Reading {
    now_ms: u64,
    /// When this program was built or put there.
    program_ms: u64,
    /// The newest thing in the data directory, and its time.
    newest: Option<(PathBuf, u64)>,
    /// Whether the system keeps the clock in step; none: it does not say.
    is_in_step: Option<bool>,
}

pub(super) fn findings(data: &Path, now_ms: u64) -> Vec<Finding> {
    let program = std::env::current_exe().ok().and_then(|path| changed_ms(&path));
    let reading = Reading {
        now_ms,
        program_ms: program.unwrap_or_default(),
        newest: newest(data),
        is_in_step: is_in_step(),
    };
    vec![judge(&reading)]
}

fn judge(reading: &Reading) -> Finding {
    let now = moment(reading.now_ms);
    if reading.now_ms.saturating_add(TOLERATED_MS) < reading.program_ms {
        return Finding::fault(
            Clock,
            format!("it is {now} by the clock, and this program is of {}", moment(reading.program_ms)),
            "certificates of servers are not valid yet by such a clock, and what is written now ends too early",
            MEND,
        );
    }
    if let Some((path, newest_ms)) = &reading.newest
        && reading.now_ms.saturating_add(TOLERATED_MS) < *newest_ms
    {
        let behind = duration(newest_ms - reading.now_ms);
        return Finding::fault(
            Clock,
            format!("it is {now} by the clock, {behind} before `{}` was written", path.display()),
            "storage lets no time pass before the clock is beyond what it has seen: new records end too early, and \
             schedules wait",
            MEND,
        );
    }
    match reading.is_in_step {
        Some(true) => Finding::ok(Clock, format!("{now}, kept in step by the system")),
        None => Finding::ok(Clock, format!("{now}; nobody here says whether it is kept in step")),
        Some(false) => Finding::warning(
            Clock,
            format!("{now}, and the system does not keep it in step"),
            "a clock that is put right by hours later ends rows too early or too late, and logins of users with it",
            MEND,
        ),
    }
}

const MEND: &str = "let the system keep it: `timedatectl set-ntp true`, or a service such as `chrony`; in a container it is \
                    the clock of the machine below";

/// The file that was written last, among those that every command writes.
fn newest(data: &Path) -> Option<(PathBuf, u64)> {
    let folders = [data.to_owned(), data.join("journal")];
    let entries = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten();
    let stamped = |entry: DirEntry| changed_ms(&entry.path()).map(|changed_ms| (entry.path(), changed_ms));
    entries.filter_map(|entry| stamped(entry.ok()?)).max_by_key(|(_, changed_ms)| *changed_ms)
}

fn changed_ms(path: &Path) -> Option<u64> {
    let changed: SystemTime = fs::symlink_metadata(path).ok()?.modified().ok()?;
    u64::try_from(changed.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

fn is_in_step() -> Option<bool> {
    if !Path::new(SYSTEMD).exists() {
        return None;
    }
    let mut command = Command::new("timedatectl");
    command.args(["show", "--property=NTPSynchronized", "--value"]);
    match program::answer(&mut command)?.as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::{Reading, judge};

    const NOW_MS: u64 = 1_800_000_000_000;
    const HOUR_MS: u64 = 3_600_000;

    #[test]
    fn a_clock_is_held_against_all_that_is_known_of_the_time() {
        let good = Reading { now_ms: NOW_MS, program_ms: NOW_MS - HOUR_MS, ..Reading::default() };
        let newest = |ms: u64| Some(("data/journal/1".into(), ms));
        let cases = [
            (State::Ok, "nobody here says", good.clone()),
            (State::Ok, "kept in step", Reading { is_in_step: Some(true), ..good.clone() }),
            (State::Warning, "does not keep it", Reading { is_in_step: Some(false), ..good.clone() }),
            (State::Fault, "this program is of", Reading { program_ms: NOW_MS + HOUR_MS, ..good.clone() }),
            (State::Ok, "", Reading { newest: newest(NOW_MS + 59_000), ..good.clone() }),
            (State::Ok, "", Reading { newest: newest(NOW_MS - 1_000 * HOUR_MS), ..good.clone() }),
            (
                State::Fault,
                "2 h 0 min before `data/journal/1` was written",
                Reading { newest: newest(NOW_MS + 2 * HOUR_MS), is_in_step: Some(true), ..good },
            ),
        ];
        for (state, seen, reading) in cases {
            let finding = judge(&reading);
            assert_eq!(finding.state(), state, "{reading:?}");
            assert!(finding.text().contains(seen), "{}", finding.text());
        }
    }
}
