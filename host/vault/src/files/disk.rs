//! A disk for tests: it knows what is live and what is durable, stops after the n-th step, and comes back from a power
//! cut with as much of what was not synced as the test says.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::{FileSystem, Guard, Lock};
use crate::error::Error;

/// What a power cut leaves of that which was not synced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// How many of the names that were not synced are there, oldest first.
    pub(crate) names: usize,
    /// How many bytes of each write that was not synced are there.
    pub(crate) bytes: usize,
}

/// Nothing, everything, and what lies between: names without bytes, bytes without names, torn cells (8 bytes are the
/// order, 20 a part of the key, 60 all but a part of the checksum).
pub(crate) fn cuts() -> impl Iterator<Item = Cut> {
    let bytes = [0, 8, 20, 60, usize::MAX];
    [0, 1, 2, usize::MAX].into_iter().flat_map(move |names| bytes.map(|bytes| Cut { names, bytes }))
}

#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

impl File {
    fn with(&self, bytes_max: usize) -> Vec<u8> {
        let mut contents = self.durable.clone();
        for (offset, bytes) in &self.pending {
            let bytes = &bytes[..bytes.len().min(bytes_max)];
            contents.resize(contents.len().max(offset + bytes.len()), 0);
            contents[*offset..offset + bytes.len()].copy_from_slice(bytes);
        }
        contents
    }
}

#[derive(Clone)]
enum Change {
    Link(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

fn apply(names: &mut BTreeMap<PathBuf, usize>, change: &Change) {
    match change {
        Change::Link(path, file) => {
            names.insert(path.clone(), *file);
        }
        Change::Rename(from, to) => {
            if let Some(file) = names.remove(from) {
                names.insert(to.clone(), file);
            }
        }
        Change::Remove(path) => {
            names.remove(path);
        }
    }
}

#[derive(Clone, Default)]
struct State {
    files: Vec<File>,
    durable: BTreeMap<PathBuf, usize>,
    pending: Vec<Change>,
    steps: usize,
    stop_at: Option<usize>,
    written: Vec<Vec<u8>>,
}

impl State {
    fn live(&self) -> BTreeMap<PathBuf, usize> {
        let mut names = self.durable.clone();
        self.pending.iter().for_each(|change| apply(&mut names, change));
        names
    }

    fn check(&self) -> io::Result<()> {
        let is_off = self.stop_at.is_some_and(|stop_at| self.steps >= stop_at);
        if is_off { Err(io::Error::other("the machine is off")) } else { Ok(()) }
    }

    fn step(&mut self) -> io::Result<()> {
        self.check()?;
        self.steps += 1;
        Ok(())
    }

    fn file(&mut self, path: &Path) -> io::Result<&mut File> {
        let index = self.live().get(path).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.files[index])
    }
}

/// Clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    state: Arc<Mutex<State>>,
    locks: Arc<Mutex<BTreeSet<PathBuf>>>,
}

struct Held(Disk, PathBuf);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.locks.lock().unwrap().remove(&self.1);
    }
}

impl Disk {
    /// Another disk with the same bytes, synced or not; nobody holds its locks.
    pub(crate) fn copy(&self) -> Self {
        let state = self.state.lock().unwrap().clone();
        Self { state: Arc::new(Mutex::new(state)), locks: Arc::default() }
    }

    /// The machine does so many steps more and goes off.
    pub(crate) fn stop_after(&self, steps: usize) {
        let mut state = self.state.lock().unwrap();
        state.stop_at = Some(state.steps + steps);
    }

    pub(crate) fn steps(&self) -> usize {
        self.state.lock().unwrap().steps
    }

    /// The process was killed and the machine stayed on: everything is there, synced or not.
    pub(crate) fn after_kill(&self) -> Self {
        let disk = self.copy();
        disk.state.lock().unwrap().stop_at = None;
        disk
    }

    /// The machine is on again after a power cut.
    pub(crate) fn after_cut(&self, cut: Cut) -> Self {
        let disk = self.after_kill();
        {
            let mut state = disk.state.lock().unwrap();
            for file in &mut state.files {
                *file = File { durable: file.with(cut.bytes), pending: Vec::new() };
            }
            let kept = cut.names.min(state.pending.len());
            let pending = std::mem::take(&mut state.pending);
            pending[..kept].iter().for_each(|change| apply(&mut state.durable, change));
        }
        disk
    }

    /// Puts bytes in the place of a file, as an attacker or a restore does.
    pub(crate) fn put(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.files.push(File { durable: bytes.to_vec(), pending: Vec::new() });
        let file = state.files.len() - 1;
        state.pending.push(Change::Link(path.to_owned(), file));
    }

    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        self.read(path, Guard::Private).unwrap().unwrap()
    }

    /// The contents of every file that was ever made.
    pub(crate) fn written(&self) -> Vec<Vec<u8>> {
        self.state.lock().unwrap().written.clone()
    }

    fn run<T>(
        &self,
        action: &'static str,
        path: &Path,
        step: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> Result<T, Error> {
        let mut state = self.state.lock().unwrap();
        step(&mut state).map_err(|source| Error::File { action, path: path.to_owned(), source })
    }
}

impl FileSystem for Disk {
    fn read(&self, path: &Path, _guard: Guard) -> Result<Option<Vec<u8>>, Error> {
        self.run("read", path, |state| {
            state.check()?;
            let live = state.live();
            Ok(live.get(path).map(|file| state.files[*file].with(usize::MAX)))
        })
    }

    fn create(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        self.run("create", path, |state| {
            state.step()?;
            if state.live().contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.files.push(File { durable: Vec::new(), pending: vec![(0, bytes.to_vec())] });
            let file = state.files.len() - 1;
            state.pending.push(Change::Link(path.to_owned(), file));
            state.written.push(bytes.to_vec());
            Ok(())
        })
    }

    fn overwrite(&self, path: &Path, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.run("write", path, |state| {
            state.step()?;
            state.file(path)?.pending.push((usize::try_from(offset).unwrap(), bytes.to_vec()));
            Ok(())
        })
    }

    fn sync(&self, path: &Path) -> Result<(), Error> {
        self.run("sync", path, |state| {
            state.step()?;
            let file = state.file(path)?;
            *file = File { durable: file.with(usize::MAX), pending: Vec::new() };
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.run("rename", from, |state| {
            state.step()?;
            state.file(from)?;
            state.pending.push(Change::Rename(from.to_owned(), to.to_owned()));
            Ok(())
        })
    }

    /// All names, of whatever directory: tests have each file in a directory of its own.
    fn sync_directory(&self, path: &Path) -> Result<(), Error> {
        self.run("sync", path, |state| {
            state.step()?;
            state.durable = state.live();
            state.pending.clear();
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> Result<(), Error> {
        self.run("remove", path, |state| {
            state.step()?;
            state.pending.push(Change::Remove(path.to_owned()));
            Ok(())
        })
    }

    fn is_inside(&self, path: &Path, directory: &Path) -> Result<bool, Error> {
        Ok(path.starts_with(directory))
    }

    fn lock(&self, path: &Path) -> Result<Option<Lock>, Error> {
        self.run("lock", path, |state| state.check())?;
        let is_new = self.locks.lock().unwrap().insert(path.to_owned());
        Ok(is_new.then(|| Box::new(Held(self.clone(), path.to_owned())) as Lock))
    }
}
