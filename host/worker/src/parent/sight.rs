//! What connections see of this machine's directories, and so what the walls of their worker leave open.

use runtime::Directory;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

/// What one connection sees, for as long as it is there.
pub(super) struct Sight {
    /// Of all connections, each as often as one sees it.
    pub(super) all: Arc<Mutex<Vec<Directory>>>,
    pub(super) own: Vec<Directory>,
}

impl Drop for Sight {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        for own in &self.own {
            if let Some(at) = all.iter().position(|one| one == own) {
                all.swap_remove(at);
            }
        }
    }
}

/// A directory as it is now. Walls are of what was there when they were put up: another one at its path is behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) directory: Directory,
    /// Device and number; none: nothing is there.
    identity: Option<(u64, u64)>,
}

impl View {
    pub(super) fn of(directory: Directory) -> Self {
        let opened = directory.open().ok().map(OwnedFd::from);
        let stat = opened.and_then(|opened| rustix::fs::fstat(opened).ok());
        Self { identity: stat.map(|stat| (stat.st_dev, stat.st_ino)), directory }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sight, View};
    use runtime::Directory;
    use std::fs;
    use std::sync::{Arc, Mutex};
    use tempfile::TempDir;

    fn directory(path: &std::path::Path) -> Directory {
        Directory { name: "data".into(), path: path.to_owned(), writable: false, root: None }
    }

    #[test]
    fn what_two_see_is_seen_until_both_are_gone() {
        let folder = TempDir::new().unwrap();
        let one = directory(folder.path());
        let all = Arc::new(Mutex::new(vec![one.clone(), one.clone()]));
        let sight = || Sight { all: Arc::clone(&all), own: vec![one.clone()] };
        let (first, second) = (sight(), sight());
        drop(first);
        assert_eq!(*all.lock().unwrap(), [one]);
        drop(second);
        assert_eq!(*all.lock().unwrap(), []);
    }

    #[test]
    fn another_directory_at_the_same_path_is_another_view() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("in");
        let view = || View::of(directory(&path));
        let nothing = view();
        fs::create_dir(&path).unwrap();
        let first = view();
        assert!(first == view() && first != nothing);
        fs::rename(&path, folder.path().join("away")).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(first != view());
    }
}
