//! Time zones: schedules by the clock of a place need to know when that place changes it.

use std::env;
use std::path::{Path, PathBuf};

use super::finding::{Finding, Topic::TimeZones};
use super::small;

/// Where systems keep the database.
const PLACES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// A zone that every database has and no empty folder.
const ZONE: &str = "Europe/Paris";
/// In whose first line the version of the database stands.
const VERSION: &str = "tzdata.zi";

pub(super) fn findings() -> Vec<Finding> {
    let chosen = env::var_os("TZDIR").map(PathBuf::from);
    let places = chosen.into_iter().chain(PLACES.map(PathBuf::from));
    let found = places.filter(|place| place.join(ZONE).is_file()).map(|place| {
        let version = small::text(place.join(VERSION)).and_then(|text| version(&text));
        (place, version)
    });
    vec![judge(found.into_iter().next())]
}

fn judge(found: Option<(PathBuf, Option<String>)>) -> Finding {
    let shown = |place: &Path| format!("`{}`", place.display());
    match found {
        Some((place, Some(version))) => {
            Finding::ok(TimeZones, format!("{}, version {version}", shown(&place)))
        }
        Some((place, None)) => Finding::ok(TimeZones, shown(&place)),
        None => Finding::warning(
            TimeZones,
            "this machine has no database of time zones",
            "schedules use the one inside of cofferdam, which learns of no change that a government makes after its build",
            "install `tzdata` and keep it up to date",
        ),
    }
}

fn version(text: &str) -> Option<String> {
    text.lines().next()?.strip_prefix("# version ").map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::finding::State;
    use super::{judge, version};

    #[test]
    fn a_machine_without_time_zones_is_warned_of() {
        assert_eq!(judge(None).state(), State::Warning);
        let known = judge(Some(("/zones".into(), version("# version 2026a\nR A 1 2"))));
        assert_eq!(known.state(), State::Ok);
        assert!(known.text().contains("`/zones`, version 2026a"), "{}", known.text());
        assert_eq!(judge(Some(("/zones".into(), version("R A")))).state(), State::Ok);
    }
}
