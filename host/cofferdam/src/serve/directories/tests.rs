//! Directories as an operator names them, right and wrong.

use super::{Away, judged, whole};
use crate::arguments::{Arguments, Command, Serve};
use crate::serve::sources::Sources;
use clap::Parser;
use control::OfferedDirectory;
use manifest::Access;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn command(config: &Path) -> Box<Serve> {
    let arguments =
        Arguments::try_parse_from(["cofferdam", "serve", "--config", config.to_str().unwrap()]).unwrap();
    let Command::Serve(command) = arguments.command else { panic!("it is another command") };
    command
}

/// What these tables come to, and what is wrong with them. `HERE` is the folder.
fn read(folder: &Path, tables: &str, ours: &[&str]) -> (Vec<OfferedDirectory>, Vec<String>) {
    let file = folder.join("server.toml");
    fs::write(&file, tables.replace("HERE", folder.to_str().unwrap())).unwrap();
    let mut sources = Sources::gather(&command(&file), |_| None).unwrap();
    let away: Vec<Away> = ours
        .iter()
        .map(|path| Away { what: "the data directory", path: whole(&folder.join(path)) })
        .collect();
    let offered = judged(&mut sources, &away);
    (offered, sources.faults)
}

fn folder(names: &[&str]) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().canonicalize().unwrap();
    names.iter().for_each(|name| fs::create_dir_all(path.join(name)).unwrap());
    (folder, path)
}

#[test]
fn a_directory_is_named_with_what_may_be_done_there_and_by_whom() {
    let (_folder, path) = folder(&["in", "out"]);
    symlink(path.join("out"), path.join("link")).unwrap();
    let tables = r#"
[[directories]]
name = "imports"
path = "HERE/in"
access = "read"
organizations = ["org_ab2"]

[[directories]]
name = "exports"
path = "HERE/link"
access = "write"
shared = true
"#;
    let (offered, faults) = read(&path, tables, &["data"]);
    assert_eq!(faults, Vec::<String>::new());
    let imports = OfferedDirectory {
        name: "imports".into(),
        root: path.join("in"),
        access: Access::Read,
        organizations: Some(["org_ab2".to_owned()].into()),
        shared: false,
    };
    let exports = OfferedDirectory {
        name: "exports".into(),
        root: path.join("out"),
        access: Access::Write,
        organizations: None,
        shared: true,
    };
    assert_eq!(offered, [imports, exports], "and a link is where it leads when the server starts");
}

#[test]
fn all_that_is_wrong_is_told_at_once_with_its_place() {
    let (_folder, path) = folder(&["in", "a/b", "ours/keys", "holds/data"]);
    fs::write(path.join("file"), "").unwrap();
    let rows = [
        ("name = \"In\"\npath = \"HERE/in\"\naccess = \"read\"", ".name"),
        (
            "name = \"b\"\npath = \"in\"\naccess = \"read\"",
            ".path` in `HERE/server.toml`: expected a path that begins",
        ),
        (
            "name = \"c\"\npath = \"HERE/gone\"\naccess = \"read\"",
            ".path` in `HERE/server.toml`: it cannot be opened",
        ),
        (
            "name = \"d\"\npath = \"HERE/file\"\naccess = \"read\"",
            ".path` in `HERE/server.toml`: it cannot be listed",
        ),
        ("name = \"e\"\npath = \"/proc/self\"\naccess = \"read\"", "it lies in `/proc`"),
        ("name = \"f\"\npath = \"/\"\naccess = \"read\"", "it holds or lies in"),
        (
            "name = \"g\"\npath = \"HERE/ours/keys\"\naccess = \"read\"",
            "it holds or lies in the data directory: `HERE/ours`",
        ),
        (
            "name = \"h\"\npath = \"HERE/holds\"\naccess = \"read\"",
            "the data directory: `HERE/holds/data/not-yet`",
        ),
        (
            "name = \"i\"\npath = \"HERE/in/.\"\naccess = \"read\"",
            "it holds or lies in the one that is called `In`",
        ),
        ("name = \"j\"\npath = \"HERE/a/b\"\naccess = \"all\"", "unknown variant `all`"),
        ("name = \"k\"\npath = \"HERE/a/b\"", "missing field `access`"),
        ("name = \"l\"\npath = \"HERE/a/b\"\naccess = \"read\"\nwritable = true", "unknown field `writable`"),
        ("name = \"m\"\npath = \"HERE/a/b\"\naccess = \"read\"\norganizations = []", ".organizations"),
        (
            "name = \"m\"\npath = \"HERE/a\"\naccess = \"read\"\norganizations = [\"Acme\"]",
            "two of this name",
        ),
    ];
    let tables: String = rows.iter().map(|(table, _)| format!("[[directories]]\n{table}\n")).collect();
    let (_, faults) = read(&path, &tables, &["ours", "holds/data/not-yet"]);
    for (index, (_, expected)) in rows.iter().enumerate() {
        let at = format!("`directories[{index}]");
        let expected = expected.replace("HERE", path.to_str().unwrap());
        let found = faults.iter().any(|fault| fault.starts_with(&at) && fault.contains(&expected));
        assert!(found, "{at}: {expected} is not among {faults:#?}");
    }
    let (_, faults) = read(&path, "directories = \"here\"", &[]);
    assert!(faults.len() == 1 && faults[0].contains("[[directories]]"), "{faults:?}");
}
