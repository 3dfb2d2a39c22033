use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::OsFiles;
use crate::error::Error;
use crate::files::{FileSystem, Guard, replace};

fn with_file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    OsFiles.create(&path, b"old").unwrap();
    (directory, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_file_is_its_owners_alone_and_never_overwritten() {
    let (_directory, path) = with_file();
    assert_eq!(mode(&path), 0o600);
    assert!(matches!(OsFiles.create(&path, b"new"), Err(Error::File { action: "create", .. })));
    assert_eq!(OsFiles.read(&path, Guard::Private).unwrap().unwrap(), b"old");
}

#[test]
fn replacing_leaves_nothing_beside_and_clears_what_a_crash_left() {
    let (directory, path) = with_file();
    fs::write(directory.path().join("file.new"), "left over").unwrap();
    replace(&OsFiles, &path, b"new").unwrap();
    assert_eq!(OsFiles.read(&path, Guard::Private).unwrap().unwrap(), b"new");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let (_directory, path) = with_file();
    for bits in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        let error = OsFiles.read(&path, Guard::Private).unwrap_err();
        assert_eq!(error.code(), "CD0914", "{error}");
        assert!(error.to_string().contains(&format!("mode {bits:04o}")), "{error}");
    }
}

#[test]
fn a_credential_may_show_the_access_list_as_group_bits_and_no_more() {
    let (_directory, path) = with_file();
    let read = |bits| {
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        OsFiles.read(&path, Guard::Credential)
    };
    assert!(read(0o400).is_ok());
    assert!(read(0o440).is_ok());
    for bits in [0o444, 0o460, 0o404] {
        assert_eq!(read(bits).unwrap_err().code(), "CD0914");
    }
}

#[test]
fn links_directories_and_pipes_are_refused() {
    let (directory, path) = with_file();
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    let error = OsFiles.read(&link, Guard::Private).unwrap_err();
    assert!(error.to_string().ends_with("is a symbolic link, not a regular file"), "{error}");
    assert_eq!(OsFiles.overwrite(&link, 0, b"x").unwrap_err().code(), "CD0915");
    assert_eq!(OsFiles.lock(&link).map(|_| ()).unwrap_err().code(), "CD0915");
    assert_eq!(OsFiles.read(directory.path(), Guard::Private).unwrap_err().code(), "CD0915");
    let pipe = directory.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).unwrap();
    assert_eq!(OsFiles.read(&pipe, Guard::Private).unwrap_err().code(), "CD0915");
}

#[test]
fn what_is_not_there_is_none_and_removing_it_is_fine() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nothing");
    assert!(OsFiles.read(&path, Guard::Private).unwrap().is_none());
    OsFiles.remove(&path).unwrap();
}

#[test]
fn a_part_is_overwritten_where_it_lies() {
    let (_directory, path) = with_file();
    OsFiles.overwrite(&path, 1, b"x").unwrap();
    assert_eq!(OsFiles.read(&path, Guard::Private).unwrap().unwrap(), b"oxd");
}

#[test]
fn a_path_is_inside_by_whatever_name() {
    let (directory, path) = with_file();
    let alias = directory.path().join("alias");
    symlink(directory.path(), &alias).unwrap();
    assert!(OsFiles.is_inside(&path, &alias).unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    assert!(!OsFiles.is_inside(&path, elsewhere.path()).unwrap());
}

#[test]
fn a_lock_is_held_by_one_and_given_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lock");
    let first = OsFiles.lock(&path).unwrap();
    assert!(first.is_some());
    assert!(OsFiles.lock(&path).unwrap().is_none());
    drop(first);
    assert!(OsFiles.lock(&path).unwrap().is_some());
}
