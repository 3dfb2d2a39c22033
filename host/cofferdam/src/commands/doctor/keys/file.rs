//! A file that holds a key, as the vault wants it: of its owner alone, a file and no link, outside of what it opens.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::finding::{Finding, Topic::Keys};

const CREDENTIAL: &str = "credential";
const DIRECTORY: &str = "data directory";

/// Who may do anything with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    Owner,
    /// The group may read it: a service manager hands files over so.
    OwnerAndGroup,
}

/// A file, or the data directory itself.
#[derive(Debug)]
pub(super) struct File {
    pub(super) what: &'static str,
    pub(super) path: PathBuf,
    pub(super) guard: Guard,
    pub(super) is_inside: bool,
    pub(super) found: io::Result<Found>,
}

/// What the system says of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) mode: u32,
    pub(super) owner: u32,
    /// Neither a link, nor a folder where a file should be.
    pub(super) is_plain: bool,
}

impl File {
    pub(super) fn of(what: &'static str, path: &Path, data: &Path, guard: Guard) -> Self {
        let found = fs::symlink_metadata(path).map(|found| Found::of(&found, found.is_file()));
        Self { what, path: path.to_owned(), guard, is_inside: is_inside(path, data), found }
    }

    pub(super) fn directory(path: &Path) -> Self {
        let found = fs::metadata(path).map(|found| Found::of(&found, found.is_dir()));
        Self { what: DIRECTORY, path: path.to_owned(), guard: Guard::Owner, is_inside: false, found }
    }

    /// Whether it is one of the service manager's.
    pub(super) fn is_credential(&self) -> bool {
        self.what == CREDENTIAL
    }

    /// None: it is as it should be.
    pub(super) fn judge(&self, user: u32) -> Option<Finding> {
        let (what, path) = (self.what, self.path.display());
        let named = format!("the {what} `{path}`");
        let found = match &self.found {
            Ok(found) => *found,
            Err(error) => return Some(self.absent(&named, error)),
        };
        if !found.is_plain {
            let fix = format!("put the file itself at `{path}`");
            return Some(Finding::fault(Keys, format!("{named} is a link or no file"), EXCHANGED, fix));
        }
        if found.mode & self.forbidden() != 0 {
            return Some(self.open_to_others(&named, found.mode));
        }
        if found.owner != user && found.owner != 0 {
            let seen = format!("{named} belongs to user {}, not to user {user}", found.owner);
            return Some(Finding::fault(
                Keys,
                seen,
                EXCHANGED,
                format!("`chown {user} {path}`, or run as its owner"),
            ));
        }
        self.is_inside.then(|| {
            let why = "whoever gets the data directory, or a backup of its folder, gets the key with it";
            let fix = format!("move it elsewhere, and name it once with `--{} PATH`", what.replace(' ', "-"));
            Finding::fault(Keys, format!("{named} lies in the data directory"), why, fix)
        })
    }

    fn absent(&self, named: &str, error: &io::Error) -> Finding {
        let why = "without it nothing that is kept there can be opened";
        let fix = match self.what {
            CREDENTIAL => "name it in `LoadCredentialEncrypted=` of the unit".to_owned(),
            what => format!("put it back, or say where it is now with `--{} PATH`", what.replace(' ', "-")),
        };
        Finding::fault(Keys, format!("{named} cannot be looked at: {error}"), why, fix)
    }

    fn open_to_others(&self, named: &str, mode: u32) -> Finding {
        let path = self.path.display();
        let seen = format!("{named} has mode {mode:04o}, which lets others in");
        if self.what == DIRECTORY {
            let why = "all in it is sealed; what there is, how much and since when can be seen";
            return Finding::warning(Keys, seen, why, format!("`chmod 700 {path}`"));
        }
        let why = "whoever reads it opens all that is kept; cofferdam refuses to use it so";
        Finding::fault(Keys, seen, why, format!("`chmod 600 {path}`"))
    }

    fn forbidden(&self) -> u32 {
        match self.guard {
            Guard::Owner => 0o077,
            Guard::OwnerAndGroup => 0o037,
        }
    }
}

const EXCHANGED: &str = "somebody else could exchange it; cofferdam refuses to use it so";

impl Found {
    fn of(found: &Metadata, is_plain: bool) -> Self {
        Self { mode: found.mode() & 0o777, owner: found.uid(), is_plain }
    }
}

/// A key file that is not there yet, or anymore, is asked for by its folder.
fn is_inside(path: &Path, data: &Path) -> bool {
    let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    let data = fs::canonicalize(data).ok();
    folder.zip(data).is_some_and(|(folder, data)| folder.starts_with(data))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt;

    use super::super::super::finding::State;
    use super::{File, Found, Guard};

    #[test]
    fn a_key_is_its_owners_alone() {
        let good = Found { mode: 0o600, owner: 1000, is_plain: true };
        let cases = [
            (Guard::Owner, good, false, None),
            (Guard::Owner, Found { owner: 0, mode: 0o400, ..good }, false, None),
            (Guard::Owner, Found { mode: 0o644, ..good }, false, Some("has mode 0644")),
            (Guard::Owner, Found { mode: 0o640, ..good }, false, Some("`chmod 600 key`")),
            (Guard::OwnerAndGroup, Found { mode: 0o440, ..good }, false, None),
            (Guard::OwnerAndGroup, Found { mode: 0o444, ..good }, false, Some("lets others in")),
            (Guard::Owner, Found { owner: 7, ..good }, false, Some("`chown 1000 key`")),
            (Guard::Owner, Found { is_plain: false, ..good }, false, Some("is a link or no file")),
            (Guard::Owner, good, true, Some("lies in the data directory")),
        ];
        for (guard, found, is_inside, said) in cases {
            let file = File { what: "key file", path: "key".into(), guard, is_inside, found: Ok(found) };
            let finding = file.judge(1000);
            assert_eq!(finding.is_some(), said.is_some(), "{file:?}");
            if let (Some(finding), Some(said)) = (finding, said) {
                assert_eq!(finding.state(), State::Fault, "{file:?}");
                assert!(finding.text().contains(said), "{}", finding.text());
            }
        }
    }

    #[test]
    fn a_key_that_is_not_there_is_a_fault_with_the_option_that_finds_it() {
        for (what, fix) in [
            ("key file", "--key-file PATH"),
            ("shred key", "--shred-key PATH"),
            ("passphrase file", "--passphrase-file PATH"),
            ("credential", "LoadCredentialEncrypted="),
        ] {
            let found = Err(ErrorKind::NotFound.into());
            let file = File { what, path: "key".into(), guard: Guard::Owner, is_inside: false, found };
            let finding = file.judge(0).unwrap();
            assert_eq!(finding.state(), State::Fault);
            assert!(finding.text().contains(fix), "{}", finding.text());
        }
    }

    #[test]
    fn a_data_directory_that_others_see_is_warned_of() {
        let folder = tempfile::tempdir().unwrap();
        let judged = |mode| {
            std::fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            File::directory(folder.path()).judge(rustix::process::geteuid().as_raw())
        };
        assert_eq!(judged(0o700), None);
        assert_eq!(judged(0o755).unwrap().state(), State::Warning);
    }

    #[test]
    fn a_link_is_no_file_and_what_lies_inside_is_seen_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("data"), folder.path().join("link"));
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(&data, &link).unwrap();
        assert!(File::of("key file", &link.join("key"), &data, Guard::Owner).is_inside);
        let file = File::of("key file", &link, &data, Guard::Owner);
        assert!(!file.is_inside && !file.found.unwrap().is_plain);
    }
}
