//! The directory of one commit unit: its steps, with errors that say the file.

use std::io::{self, ErrorKind, Write};

use cofferdam_sdk::{Error, Result};

use super::{disk::Disk, names::Hidden, state::State};
use crate::input::explain;

/// The directory of one commit unit.
pub(crate) struct Directory<D> {
    pub(crate) disk: D,
    pub(crate) hidden: Hidden,
    /// For messages.
    directory: String,
}

impl<D: Disk> Directory<D> {
    pub(crate) fn new(disk: D, directory: &str, unit: &str) -> Self {
        Self { disk, hidden: Hidden::new(unit), directory: directory.trim_end_matches('/').to_owned() }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    pub(crate) fn explain(&self, doing: &str, name: &str, fault: io::Error) -> Error {
        explain(doing, &self.path(name), fault)
    }

    pub(crate) fn list(&self) -> Result<Vec<String>> {
        self.disk.list().map_err(|fault| explain("listing", &self.directory, fault))
    }

    pub(crate) fn create(&self, name: &str) -> Result<D::File> {
        self.disk.create(name).map_err(|fault| self.explain("making", name, fault))
    }

    pub(crate) fn sync_file(&self, name: &str, file: &D::File) -> Result<()> {
        self.disk.sync(file).map_err(|fault| self.explain("writing", name, fault))
    }

    pub(crate) fn write_file(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut file = self.create(name)?;
        file.write_all(bytes).map_err(|fault| self.explain("writing", name, fault))?;
        self.sync_file(name, &file)
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.disk.rename(from, to).map_err(|fault| self.explain("publishing", to, fault))
    }

    pub(crate) fn sync(&self) -> Result<()> {
        self.disk.sync_directory().map_err(|fault| explain("writing", &self.directory, fault))
    }

    /// Remove a file; one that is gone already is fine.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        match self.disk.remove(name) {
            Err(fault) if fault.kind() != ErrorKind::NotFound => Err(self.explain("removing", name, fault)),
            _ => Ok(()),
        }
    }

    /// The fences of which there are states, the newest last.
    pub(crate) fn fences(&self) -> Result<Vec<u64>> {
        let mut fences: Vec<u64> =
            self.list()?.iter().filter_map(|name| self.hidden.fence_of(name)).collect();
        fences.sort_unstable();
        Ok(fences)
    }

    /// An error if a newer run has taken over.
    pub(crate) fn check_fence(&self, fence: u64) -> Result<()> {
        match self.fences()?.last() {
            Some(newest) if *newest > fence => Err(Error::data(format!(
                "fenced off: a newer run (fence {newest}) has written to `{}`, this one has fence {fence}. Either it is \
                 still under way, or the host keeps its runs elsewhere now: give this sync the data directory of that run, \
                 or an empty directory to write to",
                self.directory
            ))),
            _ => Ok(()),
        }
    }

    /// The truth; none if there is no commit yet.
    pub(crate) fn truth(&self) -> Result<Option<State>> {
        for fence in self.fences()?.into_iter().rev() {
            let state = match State::load(self, fence) {
                // A newer run removed it since: what that one wrote is the truth.
                Err(_) if !self.disk.exists(&self.hidden.state(fence)) => return self.truth(),
                loaded => loaded?,
            };
            if state.adopted {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    /// Take over what earlier runs left: finish their last commit, and remove what they never committed.
    pub(crate) fn adopt(&self, fence: u64) -> Result<State> {
        self.check_fence(fence)?;
        if !self.disk.exists(&self.hidden.state(fence)) {
            // From here on an older run publishes nothing more; what it committed before is seen below.
            State::new().save(self, fence)?;
        }
        let mut state = self.truth()?.unwrap_or_else(State::new);
        self.check_fence(fence)?;
        self.publish(&state)?;
        state.adopted = true;
        (state.renames, state.removes) = (Vec::new(), Vec::new());
        state.save(self, fence)?;
        self.remove_leftovers(fence, &state)?;
        Ok(state)
    }

    /// Do what a commit has to do after it was written down. Doing it twice does no harm: hidden names never come again.
    pub(crate) fn publish(&self, state: &State) -> Result<()> {
        for (from, to) in &state.renames {
            match self.disk.rename(from, to) {
                // Done already.
                Err(fault) if fault.kind() == ErrorKind::NotFound && !self.disk.exists(from) => {}
                renamed => renamed.map_err(|fault| self.explain("publishing", to, fault))?,
            }
        }
        state.removes.iter().try_for_each(|name| self.remove(name))
    }

    /// The highest number among the hidden parts with this fence.
    pub(crate) fn last_part(&self, fence: u64) -> Result<u64> {
        let names = self.list()?;
        let parts = names.iter().filter_map(|name| self.hidden.part_of(name));
        Ok(parts.filter(|(of, _)| *of == fence).map(|(_, number)| number).max().unwrap_or(0))
    }

    /// What a newer run has made in the meantime stays.
    fn remove_leftovers(&self, fence: u64, state: &State) -> Result<()> {
        let kept: Vec<&str> = state.hidden_files().collect();
        for name in self.list()? {
            let is_old = |of: u64| of <= fence;
            let old_state = self.hidden.fence_of(&name).is_some_and(|of| of < fence);
            let unfinished = self.hidden.unfinished_fence_of(&name).is_some_and(is_old);
            let old_part = self.hidden.part_of(&name).is_some_and(|(of, _)| is_old(of));
            if old_state || unfinished || (old_part && !kept.contains(&name.as_str())) {
                self.remove(&name)?;
            }
        }
        Ok(())
    }
}
