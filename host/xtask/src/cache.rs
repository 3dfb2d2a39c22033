//! Directories that are expensive to make: made once, whole or not at all, by one process at a time.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process,
};

use anyhow::{Context, Result};

/// Returns `directory/name`; when it is missing, `build` fills a temporary directory, which is then renamed.
/// A second process waits for the first and finds its result.
pub(crate) fn entry(
    directory: &Path,
    name: &str,
    build: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let finished = directory.join(name);
    if finished.exists() {
        return Ok(finished);
    }
    fs::create_dir_all(directory).with_context(|| format!("failed to create `{}`", directory.display()))?;
    let lock_path = directory.join(format!("{name}.lock"));
    let lock =
        File::create(&lock_path).with_context(|| format!("failed to create `{}`", lock_path.display()))?;
    lock.lock().with_context(|| format!("failed to lock `{}`", lock_path.display()))?;
    if finished.exists() {
        return Ok(finished);
    }
    remove_leftovers(directory, name)?;
    let temporary = directory.join(format!("{name}.tmp-{}", process::id()));
    fs::create_dir(&temporary).with_context(|| format!("failed to create `{}`", temporary.display()))?;
    build(&temporary)?;
    fs::rename(&temporary, &finished)
        .with_context(|| format!("failed to rename to `{}`", finished.display()))?;
    Ok(finished)
}

/// Temporary directories of processes that died: nobody else is building, because we hold the lock.
fn remove_leftovers(directory: &Path, name: &str) -> Result<()> {
    let prefix = format!("{name}.tmp-");
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use anyhow::bail;

    use super::entry;

    #[test]
    fn an_entry_is_built_once_by_many_at_the_same_time() {
        let directory = tempfile::tempdir().unwrap();
        let builds = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let path = entry(directory.path(), "thing", |temporary| {
                        builds.fetch_add(1, Ordering::SeqCst);
                        fs::write(temporary.join("whole"), "yes")?;
                        Ok(())
                    });
                    assert_eq!(fs::read_to_string(path.unwrap().join("whole")).unwrap(), "yes");
                });
            }
        });
        assert_eq!(builds.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_failed_build_leaves_nothing_that_looks_finished() {
        let directory = tempfile::tempdir().unwrap();
        let failed = entry(directory.path(), "thing", |temporary| {
            fs::write(temporary.join("half"), "")?;
            bail!("interrupted")
        });
        assert!(failed.is_err());
        let path = entry(directory.path(), "thing", |_| Ok(())).unwrap();
        assert!(!path.join("half").exists());
    }
}
