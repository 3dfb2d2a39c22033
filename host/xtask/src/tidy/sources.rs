//! The Rust files of the repository, and the rule on their length.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// A file that is longer has more than one responsibility.
const LINES_MAX: usize = 500;

/// What is built or fetched is not ours.
const SKIPPED: [&str; 2] = ["target", "node_modules"];

/// A Rust file, its path relative to the root of the repository.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// All Rust files of the repository.
pub(super) struct Sources(Vec<Source>);

impl Sources {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        collect(root, root, &mut files)?;
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self(files))
    }

    #[cfg(test)]
    pub(super) fn made_up(files: &[(&str, &str)]) -> Self {
        let source = |(path, text): &(&str, &str)| Source { path: path.into(), text: (*text).to_owned() };
        Self(files.iter().map(source).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Source> {
        self.0.iter()
    }

    /// One line for each file over the limit.
    pub(super) fn too_long(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for source in self.iter() {
            let lines = source.text.lines().count();
            if lines > LINES_MAX {
                faults
                    .push(format!("length: `{}` has {lines} lines, over {LINES_MAX}", source.path.display()));
            }
        }
        faults
    }
}

fn collect(root: &Path, directory: &Path, files: &mut Vec<Source>) -> Result<()> {
    for entry in
        fs::read_dir(directory).with_context(|| format!("failed to read `{}`", directory.display()))?
    {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.starts_with('.') || SKIPPED.contains(&name.as_ref()) {
            continue;
        }
        // Links are not followed: they lead out of the repository or back into it.
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else if name.ends_with(".rs") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
            files.push(Source { path: path.strip_prefix(root)?.to_owned(), text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Sources;

    #[test]
    fn a_file_over_the_limit_is_a_fault() {
        let (good, bad) = ("x\n".repeat(500), "x\n".repeat(501));
        let sources = Sources::made_up(&[("good.rs", &good), ("bad.rs", &bad)]);
        assert_eq!(sources.too_long(), ["length: `bad.rs` has 501 lines, over 500"]);
    }

    #[test]
    fn built_and_hidden_files_are_not_ours() {
        let root = tempfile::tempdir().unwrap();
        for directory in ["src/deep", "target", ".git", "a/node_modules"] {
            fs::create_dir_all(root.path().join(directory)).unwrap();
            fs::write(root.path().join(directory).join("file.rs"), "").unwrap();
        }
        let sources = Sources::read(root.path()).unwrap();
        let paths: Vec<_> = sources.iter().map(|source| source.path.to_string_lossy().into_owned()).collect();
        assert_eq!(paths, ["src/deep/file.rs"]);
    }
}
