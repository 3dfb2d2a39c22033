//! A directory that was granted, and how it is opened. Where an operator offers a directory, those who may write there are not
//! those whose word counts on this machine: on the way from its root to what was granted no symbolic link is followed.

use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

/// Whoever made the process says by its mask what of this is left.
const MODE: Mode = Mode::from_raw_mode(0o777);

/// A directory that was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// The ask's name; the connector sees the directory as `/name`.
    pub name: String,
    /// Where it is on this machine.
    pub path: PathBuf,
    /// Whether files may be made, changed and removed.
    pub writable: bool,
    /// From where on no symbolic link is followed; none: what its owner says of a path counts everywhere.
    pub root: Option<PathBuf>,
}

/// A directory that stays the same one for as long as this lives, whatever becomes of its path.
#[derive(Debug)]
pub struct Opened(OwnedFd);

impl Directory {
    /// Opens it as a place: nothing is read by that.
    ///
    /// # Errors
    /// What the system says; `NotADirectory` for a symbolic link below the root.
    pub fn open(&self) -> io::Result<Opened> {
        self.walk(|_, _| Ok(()))
    }

    /// As [`Self::open`], with every part below the root made that is not there. The root itself is its operator's.
    ///
    /// # Errors
    /// What the system says.
    pub fn make(&self) -> io::Result<Opened> {
        self.walk(|at, part| match mkdirat(at, part, MODE) {
            Err(Errno::EXIST) => Ok(()),
            made => Ok(made?),
        })
    }

    fn walk(&self, before: impl Fn(&OwnedFd, &Path) -> io::Result<()>) -> io::Result<Opened> {
        // As a place: a worker may pass directories that it may not read.
        let place = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // Never by the older `open`, which a worker's walls do not know.
        let whole = |path: &Path| openat(CWD, path, place, Mode::empty());
        let Some(root) = &self.root else { return Ok(Opened(whole(&self.path)?)) };
        let mut at = whole(root)?;
        let below = self.path.strip_prefix(root).map_err(io::Error::other)?;
        for part in below.components() {
            let Component::Normal(part) = part else { return Err(Errno::INVAL.into()) };
            before(&at, part.as_ref())?;
            at = openat(&at, part, place | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(Opened(at))
    }
}

impl Opened {
    /// By which this process opens it once more, and no other one.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }
}

impl From<Opened> for OwnedFd {
    fn from(opened: Opened) -> Self {
        opened.0
    }
}

#[cfg(test)]
mod tests {
    use super::Directory;
    use std::fs;
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;
    use std::path::Path;
    use tempfile::TempDir;

    fn below(root: &Path, path: &str) -> Directory {
        Directory { name: "data".into(), path: root.join(path), writable: true, root: Some(root.to_owned()) }
    }

    /// The names in it, by its descriptor.
    fn names(directory: &Directory) -> Vec<String> {
        let opened = directory.open().unwrap();
        let entries = fs::read_dir(opened.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_is_below_a_root_is_found_and_made_part_by_part() {
        let folder = TempDir::new().unwrap();
        let directory = below(folder.path(), "acme/2026");
        assert_eq!(directory.open().unwrap_err().kind(), ErrorKind::NotFound);
        directory.make().unwrap();
        directory.make().unwrap();
        fs::write(folder.path().join("acme/2026/a.csv"), "").unwrap();
        assert_eq!(names(&directory), ["a.csv"]);
        assert_eq!(names(&below(folder.path(), "")), ["acme"]);
        fs::write(folder.path().join("file"), "").unwrap();
        assert_eq!(below(folder.path(), "file").make().unwrap_err().kind(), ErrorKind::NotADirectory);
        let gone = below(&folder.path().join("gone"), "acme");
        assert_eq!(gone.make().unwrap_err().kind(), ErrorKind::NotFound, "a root is never made");
    }

    #[test]
    fn no_link_is_followed_below_a_root_wherever_it_leads() {
        let (folder, outside) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let root = folder.path();
        fs::create_dir_all(outside.path().join("in")).unwrap();
        fs::create_dir_all(root.join("globex/in")).unwrap();
        symlink(outside.path(), root.join("acme")).unwrap();
        symlink("globex", root.join("beside")).unwrap();
        symlink(outside.path().join("in"), root.join("globex/last")).unwrap();
        for path in ["acme", "acme/in", "beside", "beside/in", "globex/last"] {
            for opened in [below(root, path).open(), below(root, path).make()] {
                assert_eq!(opened.unwrap_err().kind(), ErrorKind::NotADirectory, "{path}");
            }
        }
        for path in ["globex/../../x", ".."] {
            let error = below(root, path).make().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{path}");
        }
        assert!(names(&below(root, "globex")).len() == 2, "and nothing was made");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        let elsewhere = Directory { path: outside.path().to_owned(), ..below(root, "") };
        assert!(elsewhere.open().is_err());
    }

    #[test]
    fn what_was_opened_stays_what_it_was() {
        let folder = TempDir::new().unwrap();
        let directory = below(folder.path(), "acme");
        let opened = directory.make().unwrap();
        fs::write(folder.path().join("acme/a.csv"), "").unwrap();
        fs::rename(folder.path().join("acme"), folder.path().join("moved")).unwrap();
        symlink("/", folder.path().join("acme")).unwrap();
        assert_eq!(fs::read_dir(opened.path()).unwrap().count(), 1);
    }
}
