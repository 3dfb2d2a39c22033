//! Directories that may be offered, and what cannot be done there.

use super::super::finding::{Finding, State};
use super::{Place, cannot, look};
use control::OfferedDirectory;
use manifest::Access;
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;
use tempfile::TempDir;

fn offered(root: &Path, access: Access, organizations: &[&str], shared: bool) -> OfferedDirectory {
    let ids = organizations.iter().map(|id| (*id).to_owned()).collect();
    let organizations = (!organizations.is_empty()).then_some(ids);
    OfferedDirectory { name: "files".into(), root: root.to_owned(), access, organizations, shared }
}

/// What is found of each, in short.
fn told(findings: &[Finding]) -> Vec<(State, String)> {
    let short = |finding: &Finding| finding.text().lines().next().unwrap().to_owned();
    findings.iter().map(|finding| (finding.state(), short(finding))).collect()
}

#[test]
fn folders_of_organizations_are_looked_at_where_they_are_apart() {
    let folder = TempDir::new().unwrap();
    let root = folder.path();
    for made in ["org_a", "org_b", "others"] {
        fs::create_dir(root.join(made)).unwrap();
    }
    fs::write(root.join("org_file"), "").unwrap();
    let check = |offered: &OfferedDirectory, expected: &[(State, &str)]| {
        let found = told(&look(offered));
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for ((state, said), (is, says)) in found.iter().zip(expected) {
            assert!(state == is && said.contains(says), "{says}: {found:?}");
        }
    };
    check(&offered(root, Access::Write, &[], false), &[(State::Ok, "can be written, and 2 folders in it")]);
    check(&offered(root, Access::Read, &[], true), &[(State::Ok, "can be read")]);
    check(&offered(root, Access::Read, &["org_a", "org_b"], false), &[(State::Ok, "and 2 folders in it")]);
    // What is read is made by nobody; what is written is made when it is missing.
    let missing = [(State::Warning, "org_c` cannot be read"), (State::Fault, "org_file` cannot be read")];
    check(&offered(root, Access::Read, &["org_a", "org_c", "org_file"], false), &missing);
    check(&offered(root, Access::Write, &["org_c"], false), &[(State::Ok, "can be written")]);
    check(&offered(root, Access::Read, &["org_c"], true), &[(State::Ok, "can be read")]);
    assert_eq!(fs::read_dir(root).unwrap().count(), 4, "nothing is left behind");
}

#[test]
fn what_cannot_be_done_is_told_with_what_mends_it() {
    let place = |access| Place { name: "files".into(), path: "/srv/files".into(), access };
    for (done, access, kind, fix) in [
        ("read", Access::Read, ErrorKind::PermissionDenied, ":rx /srv/files`"),
        ("written", Access::Write, ErrorKind::PermissionDenied, ":rwx /srv/files`"),
        ("read", Access::Read, ErrorKind::NotFound, "`install -d -m 700 -o "),
        ("read", Access::Read, ErrorKind::NotADirectory, "make a directory there"),
        ("written", Access::Write, ErrorKind::ReadOnlyFilesystem, "`ReadWritePaths=`"),
        ("written", Access::Write, ErrorKind::StorageFull, "make room there"),
        ("read", Access::Read, ErrorKind::Other, "the system's log"),
    ] {
        let said = cannot(&place(access), done, &Error::from(kind)).text();
        assert!(said.contains(fix) && said.contains("CD0865") && said.contains("CD1116"), "{said}");
    }
}
