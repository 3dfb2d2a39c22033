//! What brings the data back when this machine is lost: a backup of the records, and an export of the keys.

use std::path::{Path, PathBuf};

use super::super::finding::{Finding, Topic::Keys};
use crate::data::Settings;
use crate::units::moment;

/// Rows are kept for 45 days at most: what is older than that has nothing left of them.
const AGE_MS_MAX: u64 = 45 * 24 * 3_600_000;

/// A file that was made, and whether it is where it was made.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) path: PathBuf,
    pub(super) made_ms: u64,
    pub(super) is_there: bool,
}

/// The newest of both; none: none was ever made here.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) now_ms: u64,
    pub(super) export: Option<Made>,
    pub(super) backup: Option<Made>,
}

impl Kept {
    pub(super) fn of(settings: Option<&Settings>, now_ms: u64) -> Self {
        let made = |path: &Path, made_ms| Made { path: path.to_owned(), made_ms, is_there: path.exists() };
        let export = settings.and_then(|settings| settings.export.as_ref());
        let backup = settings.and_then(|settings| settings.backup.as_ref());
        Self {
            now_ms,
            export: export.map(|export| made(&export.path, export.made_ms)),
            backup: backup.map(|backup| made(&backup.path, backup.made_ms)),
        }
    }

    pub(super) fn judge(&self) -> Vec<Finding> {
        let export = self.judge_one(
            ("export of the keys", self.export.as_ref()),
            "when this machine is lost its keys are lost with it, and no backup opens",
            "`cofferdam keys export --to FILE --recovery-key FILE`, to be kept away from backups; `cofferdam keys \
             recovery-key FILE` draws the recovery key",
        );
        let backup = self.judge_one(
            ("backup", self.backup.as_ref()),
            "when this disk is lost, so is where each sync goes on, and all rejected rows and credentials",
            "`cofferdam backup FILE`, also while a sync runs",
        );
        export.into_iter().chain(backup).collect()
    }

    /// None: it is there, and young. One that was moved to a safe place is not where it was made, and that is as it should be.
    fn judge_one(&self, (what, made): (&str, Option<&Made>), why: &str, fix: &str) -> Option<Finding> {
        let Some(Made { path, made_ms, is_there }) = made else {
            return Some(Finding::warning(Keys, format!("there is no {what}"), why, fix));
        };
        if self.now_ms.saturating_sub(*made_ms) <= AGE_MS_MAX {
            return None;
        }
        let place = if *is_there { format!(" (`{}`)", path.display()) } else { String::new() };
        let seen = format!("the newest {what}{place} is of {}", moment(*made_ms));
        Some(Finding::warning(Keys, seen, why, fix))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::State;
    use super::{AGE_MS_MAX, Kept, Made};

    #[test]
    fn a_backup_and_an_export_are_wanted_and_not_for_ever() {
        let made = |made_ms| Some(Made { path: "elsewhere".into(), made_ms, is_there: true });
        let now_ms = 2 * AGE_MS_MAX;
        let (young, old) = (made(AGE_MS_MAX), made(AGE_MS_MAX - 1));
        let cases = [
            (young.clone(), young.clone(), vec![]),
            (None, young.clone(), vec!["there is no export"]),
            (young.clone(), None, vec!["there is no backup"]),
            (old.clone(), young, vec!["the newest export of the keys (`elsewhere`) is of"]),
            (old.clone(), old, vec!["the newest export", "the newest backup"]),
        ];
        for (export, backup, said) in cases {
            let findings = Kept { now_ms, export, backup }.judge();
            assert_eq!(findings.len(), said.len(), "{findings:?}");
            for (finding, said) in findings.iter().zip(said) {
                assert_eq!(finding.state(), State::Warning);
                assert!(finding.text().contains(said), "{}", finding.text());
            }
        }
    }
}
