//! The test guest `chance` in JavaScript and in Python: made once by the tools of these languages, which are fetched, and kept
//! beside them. Whoever writes connectors in another language than Rust gets a component of the same contract.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{PACKAGE_LOCK, python::REQUIREMENTS};
use crate::{cache, paths, shell};

const WIT: &str = "wit/0.1.0";
const WORLD: &str = "source-connector";
const JAVASCRIPT: &str = "tests/guests/javascript/chance.js";
const PYTHON: &str = "tests/guests/python/chance.py";
/// What the guest in Rust says of itself is true of the others.
const MANIFEST: &str = "tests/guests/chance/connector.toml";

/// A folder with `chance-js.wasm` and `chance-py.wasm`.
pub(super) fn guests(node_modules: &Path, packages: &Path) -> Result<PathBuf> {
    let read = |path: &str| {
        let path = paths::root().join(path);
        fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))
    };
    let (javascript, python, manifest) = (read(JAVASCRIPT)?, read(PYTHON)?, read(MANIFEST)?);
    let wit = texts_below(&paths::root().join(WIT))?;
    let mut hasher = DefaultHasher::new();
    (PACKAGE_LOCK, REQUIREMENTS, &javascript, &python, &manifest, &wit).hash(&mut hasher);
    cache::entry(&paths::cache()?, &format!("interpreted-{:016x}", hasher.finish()), |directory| {
        let work = directory.join("work");
        let javascript = of_javascript(&work, node_modules, &wit, &String::from_utf8(javascript)?)?;
        fs::write(directory.join("chance-js.wasm"), with_sections(javascript, &manifest))?;
        let python = of_python(&work, packages, &python)?;
        fs::write(directory.join("chance-py.wasm"), with_sections(python, &manifest))?;
        Ok(fs::remove_dir_all(work)?)
    })
}

/// The tool starts the guest while it builds it, beside real imports of WASI and traps in the place of all others, and then takes
/// a stream of `wasi:http`, whose resource is that of `wasi:io`, for another one. So it gets to see all that the guest itself
/// imports under another name, of another patch version than what its interpreter imports.
fn of_javascript(
    work: &Path,
    node_modules: &Path,
    wit: &BTreeMap<PathBuf, String>,
    source: &str,
) -> Result<Vec<u8>> {
    let masked = |text: &str| text.replace("wasi:", "wasx:").replace("0.2.12", "0.2.11");
    for (path, text) in wit {
        let path = work.join("wit").join(path);
        fs::create_dir_all(path.parent().context("a file is in a folder")?)?;
        fs::write(path, masked(text))?;
    }
    let (script, made) = (work.join("chance.js"), work.join("js.wasm"));
    fs::write(&script, masked(source))?;
    let mut node = Command::new("node");
    node.arg(node_modules.join("componentize-qjs/cli.mjs")).arg("--sync").arg("--wit").arg(work.join("wit"));
    shell::run(node.args(["--world", WORLD]).arg("--js").arg(script).arg("--output").arg(&made))?;
    let mut bytes = fs::read(&made).context("the guest in JavaScript was not made")?;
    unmask(&mut bytes);
    Ok(bytes)
}

/// Names of the same length.
fn unmask(bytes: &mut [u8]) {
    const MASK: &[u8] = b"wasx:";
    for at in 0..bytes.len() {
        if let Some(name) = bytes.get_mut(at..at + MASK.len()).filter(|name| **name == *MASK) {
            name.copy_from_slice(b"wasi:");
        }
    }
}

/// From a folder of its own: the interpreter that is snapshotted leaves its compiled code beside what it reads.
fn of_python(work: &Path, packages: &Path, source: &[u8]) -> Result<Vec<u8>> {
    let (folder, made) = (work.join("python"), work.join("py.wasm"));
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("chance.py"), source)?;
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", packages).arg(packages.join("bin/componentize-py"));
    python.arg("--wit-path").arg(paths::root().join(WIT));
    python.args(["--world", WORLD, "componentize", "--python-path"]).arg(folder);
    shell::run(python.args(["chance", "--output"]).arg(&made))?;
    fs::read(&made).context("the guest in Python was not made")
}

/// With the sections in which a component says what it is.
fn with_sections(mut component: Vec<u8>, manifest: &[u8]) -> Vec<u8> {
    for (name, content) in [("cofferdam:manifest", manifest), ("cofferdam:contract", b"0.1.0")] {
        let mut section = leb128(name.len());
        section.extend([name.as_bytes(), content].concat());
        component.push(0);
        component.extend(leb128(section.len()));
        component.extend(section);
    }
    component
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// Every file below a folder, by its path from there.
fn texts_below(folder: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut texts = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("failed to read `{}`", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.insert(path.strip_prefix(folder)?.to_owned(), fs::read_to_string(&path)?);
            }
        }
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::{leb128, unmask, with_sections};

    #[test]
    fn numbers_are_written_in_groups_of_seven_bits() {
        assert_eq!(leb128(0), [0]);
        assert_eq!(leb128(127), [0x7f]);
        assert_eq!(leb128(128), [0x80, 1]);
        assert_eq!(leb128(624_485), [0xe5, 0x8e, 0x26]);
    }

    #[test]
    fn a_section_has_its_kind_its_length_its_name_and_its_content() {
        let component = with_sections(vec![9], b"x");
        assert_eq!(component[..3], [9, 0, 20]);
        assert_eq!(&component[3..23], b"\x12cofferdam:manifestx");
    }

    #[test]
    fn every_masked_name_is_given_back_and_nothing_else_is_touched() {
        let mut bytes = *b"wasx:io wasx wasx:";
        unmask(&mut bytes);
        assert_eq!(&bytes, b"wasi:io wasx wasi:");
    }
}
