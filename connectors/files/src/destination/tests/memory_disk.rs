//! A disk in memory that knows what would be left after the power was cut, and cuts it at a chosen step.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, ErrorKind, Read, Write},
    sync::{Arc, Mutex},
};

use crate::destination::disk::Disk;

/// How a run ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The process is killed: everything that it wrote is there.
    Kill,
    /// The power is cut: only what was synced is there.
    Power,
    /// The power is cut, and names had reached the disk before contents.
    PowerNamesFirst,
}

pub(super) const CUTS: [Cut; 3] = [Cut::Kill, Cut::Power, Cut::PowerNamesFirst];

type Names = BTreeMap<String, usize>;

#[derive(Default)]
struct Inner {
    names: Names,
    durable_names: Names,
    /// What was written and what was synced, of each file.
    files: Vec<(Vec<u8>, Vec<u8>)>,
    /// Steps until the run ends; none: it goes on.
    steps_left: Option<usize>,
    /// Bytes until the disk is full.
    bytes_left: Option<usize>,
    steps: usize,
}

/// Runs between two steps of somebody else.
type Interruption = Box<dyn FnOnce() + Send>;

#[derive(Clone, Default)]
pub(super) struct MemoryDisk {
    inner: Arc<Mutex<Inner>>,
    interruption: Arc<Mutex<Option<(usize, Interruption)>>>,
}

impl MemoryDisk {
    /// From now on, end after so many steps.
    pub(super) fn end_after(&self, steps: Option<usize>) {
        self.inner.lock().unwrap().steps_left = steps;
    }

    pub(super) fn fill_after(&self, bytes: Option<usize>) {
        self.inner.lock().unwrap().bytes_left = bytes;
    }

    /// A second handle on the same disk that does something else before a step of its own.
    pub(super) fn interrupted_at(&self, step: usize, interruption: impl FnOnce() + Send + 'static) -> Self {
        let disk = Self { inner: self.inner.clone(), interruption: Arc::default() };
        *disk.interruption.lock().unwrap() = Some((step, Box::new(interruption)));
        disk
    }

    /// Whether the interruption has come.
    pub(super) fn was_interrupted(&self) -> bool {
        self.interruption.lock().unwrap().is_none()
    }

    /// What is there after the run has ended.
    pub(super) fn cut(&self, cut: Cut) {
        let mut inner = self.inner.lock().unwrap();
        match cut {
            Cut::Kill => {}
            Cut::Power => inner.names = inner.durable_names.clone(),
            Cut::PowerNamesFirst => inner.durable_names = inner.names.clone(),
        }
        if cut != Cut::Kill {
            inner.files.iter_mut().for_each(|(written, synced)| written.clone_from(synced));
        }
        inner.steps_left = None;
    }

    /// The files that others see, by name.
    pub(super) fn visible(&self) -> BTreeMap<String, Vec<u8>> {
        let inner = self.inner.lock().unwrap();
        let visible = inner.names.iter().filter(|(name, _)| !name.starts_with('.'));
        visible.map(|(name, file)| (name.clone(), inner.files[*file].0.clone())).collect()
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) {
        let mut inner = self.inner.lock().unwrap();
        inner.files.push((bytes.to_vec(), bytes.to_vec()));
        let file = inner.files.len() - 1;
        inner.names.insert(name.to_owned(), file);
        inner.durable_names.insert(name.to_owned(), file);
    }

    fn step(&self) -> io::Result<std::sync::MutexGuard<'_, Inner>> {
        let due = self.interruption.lock().unwrap().take_if(|(step, _)| {
            *step = step.wrapping_sub(1);
            *step == usize::MAX
        });
        if let Some((_, interruption)) = due {
            interruption();
        }
        let mut inner = self.inner.lock().unwrap();
        inner.steps += 1;
        match &mut inner.steps_left {
            Some(0) => return Err(io::Error::other("the run has ended")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(inner)
    }
}

pub(super) struct MemoryFile {
    disk: MemoryDisk,
    file: usize,
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.disk.step()?;
        // Half of what is asked for: a write may always be short.
        let mut count = bytes.len().div_ceil(2);
        if let Some(left) = &mut inner.bytes_left {
            count = count.min(*left);
            *left -= count;
            if count == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
        }
        inner.files[self.file].0.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Disk for MemoryDisk {
    type File = MemoryFile;

    fn create(&self, name: &str) -> io::Result<MemoryFile> {
        let mut inner = self.step()?;
        inner.files.push(Default::default());
        let file = inner.files.len() - 1;
        inner.names.insert(name.to_owned(), file);
        Ok(MemoryFile { disk: self.clone(), file })
    }

    fn sync(&self, file: &MemoryFile) -> io::Result<()> {
        let mut inner = self.step()?;
        let (written, synced) = &mut inner.files[file.file];
        synced.clone_from(written);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.step()?;
        let file = inner.names.remove(from).ok_or(ErrorKind::NotFound)?;
        inner.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.step()?;
        inner.names.remove(name).map(drop).ok_or(ErrorKind::NotFound.into())
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read>> {
        let inner = self.step()?;
        let file = inner.names.get(name).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(inner.files[*file].0.clone())))
    }

    fn exists(&self, name: &str) -> bool {
        self.inner.lock().unwrap().names.contains_key(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.step()?.names.keys().cloned().collect())
    }

    fn sync_directory(&self) -> io::Result<()> {
        let mut inner = self.step()?;
        inner.durable_names = inner.names.clone();
        Ok(())
    }
}
