//! Landlock: of all files those below the granted directories, and nothing of the network or of other processes.

use super::Wall;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use runtime::Directory;

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
        let path = PathFd::new(&directory.path).ok()?;
        Some(Ok::<_, RulesetError>(PathBeneath::new(path, allowed(directory.writable))))
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
