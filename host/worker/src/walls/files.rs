//! Landlock: of all files those below the granted directories, and nothing of the network or of other processes.

use super::Wall;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use runtime::Directory;
use std::os::fd::OwnedFd;

/// The newest that is asked for. Older kernels give what they have, which is told.
const NEWEST: ABI = ABI::V6;

pub(super) fn raise(directories: &[Directory]) -> Wall {
    match restricted(directories) {
        Ok(status) => match status.ruleset {
            RulesetStatus::FullyEnforced => Wall::Holds,
            RulesetStatus::PartiallyEnforced => {
                Wall::Partly(format!("this kernel's landlock is {:?}", status.landlock))
            }
            RulesetStatus::NotEnforced => Wall::Missing("this kernel has no landlock".into()),
        },
        Err(error) => Wall::Missing(error.to_string()),
    }
}

fn restricted(directories: &[Directory]) -> Result<RestrictionStatus, RulesetError> {
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    // A directory that cannot be opened is not seen, and its connector's failure says so.
    let rules = directories.iter().filter_map(|directory| {
        let place = OwnedFd::from(directory.open().ok()?);
        Some(Ok::<_, RulesetError>(PathBeneath::new(place, allowed(directory.writable))))
    });
    ruleset.add_rules(rules)?.restrict_self()
}

/// Files and folders, and nothing that is run or is a device. The engine allows less, and never more.
fn allowed(writable: bool) -> BitFlags<AccessFs> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    if !writable {
        return read;
    }
    read | AccessFs::WriteFile
        | AccessFs::RemoveDir
        | AccessFs::RemoveFile
        | AccessFs::MakeDir
        | AccessFs::MakeReg
        | AccessFs::MakeSym
        | AccessFs::Refer
        | AccessFs::Truncate
}

#[cfg(test)]
mod tests {
    use super::raise;
    use crate::walls::Wall;
    use runtime::Directory;
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;
    use std::thread;
    use tempfile::TempDir;

    /// A wall of files is of the thread that puts it up.
    #[test]
    fn of_a_directory_that_is_offered_the_walls_leave_open_what_was_granted() {
        let folder = TempDir::new().unwrap();
        let root = folder.path().to_owned();
        for path in ["org_a/daily", "org_a/other", "org_b"] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        let directory = Directory {
            name: "data".into(),
            path: root.join("org_a/daily"),
            writable: false,
            root: Some(root.clone()),
        };
        let walled = thread::spawn(move || {
            assert_eq!(raise(std::slice::from_ref(&directory)), Wall::Holds);
            let opened = directory.open().unwrap();
            assert_eq!(fs::read_dir(opened.path()).unwrap().count(), 0);
            let denied = |path: &str| fs::read_dir(root.join(path)).unwrap_err().kind();
            for path in ["", "org_a", "org_a/other", "org_b"] {
                assert_eq!(denied(path), ErrorKind::PermissionDenied, "{path}");
            }
            let written = fs::write(opened.path().join("a"), "");
            assert_eq!(written.unwrap_err().kind(), ErrorKind::PermissionDenied);
            (directory, root)
        });
        let (directory, root) = walled.join().unwrap();
        // Somebody puts a link there when the walls stand already: the way to it is not followed.
        fs::rename(&directory.path, root.join("org_a/away")).unwrap();
        symlink("../org_b", &directory.path).unwrap();
        let walled = thread::spawn(move || {
            assert_eq!(raise(std::slice::from_ref(&directory)), Wall::Holds);
            assert_eq!(directory.open().unwrap_err().kind(), ErrorKind::NotADirectory);
            assert_eq!(fs::read_dir(root.join("org_b")).unwrap_err().kind(), ErrorKind::PermissionDenied);
        });
        walled.join().unwrap();
    }
}
