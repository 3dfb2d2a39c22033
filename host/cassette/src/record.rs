//! Writes a cassette.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::VERSION;
use crate::error::Error;
use crate::files;
use crate::format::{Connection, Head, Headers};
use crate::open::Open;
use crate::tape::Writer;
use crate::timeline::Ready;

/// Instances of a run that has ended are dropped on other threads; one that is not dropped by then never is.
const SETTLE: Duration = Duration::from_secs(10);

/// A recording that is under way. Clones are the same one.
#[derive(Clone)]
pub struct Recorder(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    folder: PathBuf,
    state: Mutex<State>,
    /// Told whenever an instance is gone.
    gone: Condvar,
}

#[derive(Default)]
struct State {
    head: Head,
    /// How many instances there were of each kind.
    ordinals: BTreeMap<String, u32>,
    begun: bool,
    alive: usize,
    fault: Option<Error>,
}

impl Recorder {
    /// A recording into this folder, which is made when there is something to record: a sync that cannot be opened leaves
    /// nothing behind.
    ///
    /// # Errors
    /// [`Error::NotEmpty`], or [`Error::Read`].
    pub fn create(folder: &Path, head: Head) -> Result<Self, Error> {
        match fs::read_dir(folder) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(Error::NotEmpty { path: folder.to_owned() });
                }
            }
            Err(source) if source.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::read(folder, source)),
        }
        let head = Head { cassette: VERSION, complete: false, ..head };
        let state = Mutex::new(State { head, ..State::default() });
        Ok(Self(Arc::new(Inner { folder: folder.to_owned(), state, gone: Condvar::new() })))
    }

    /// What a connection is.
    pub fn describe(&self, name: &str, connection: Connection) {
        self.0.state().head.connections.insert(name.to_owned(), connection);
    }

    /// Where a unit stands; only the first word counts, from before the run changed anything.
    pub fn stands(&self, unit: &str, record: serde_json::Value) {
        self.0.state().head.units.entry(unit.to_owned()).or_insert(record);
    }

    /// Why the recording cannot go on.
    pub fn fault(&self) -> Option<Error> {
        self.0.state().fault.clone()
    }

    /// Ends the recording of this run, once its instances are gone, and says how many exchanges it has. It blocks.
    ///
    /// # Errors
    /// What went wrong first since the recording began; [`Error::Incomplete`] where an instance does not end.
    pub fn finish(&self, run: u64, complete: bool) -> Result<u64, Error> {
        self.finish_within(SETTLE, run, complete)
    }

    fn finish_within(&self, settle: Duration, run: u64, complete: bool) -> Result<u64, Error> {
        let state = self.0.state();
        let waited = self.0.gone.wait_timeout_while(state, settle, |state| state.alive > 0);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(fault) = &state.fault {
            return Err(fault.clone());
        }
        if state.alive > 0 {
            return Err(Error::Incomplete { path: self.0.folder.clone() });
        }
        let head = Head { run, complete, ..state.head.clone() };
        files::make_folder(&self.0.folder)?;
        files::write_document(&self.0.folder.join(files::HEAD), &head)?;
        Ok(head.instances.values().map(|count| u64::from(*count)).sum())
    }

    pub(crate) fn tape(
        &self,
        connection: &str,
        call: &str,
        about: &str,
        seed: [u8; 32],
    ) -> Result<Recording, Error> {
        let name = {
            let mut state = self.0.state();
            if !state.begun {
                self.0.begin(&state.head)?;
                state.begun = true;
            }
            let kind = files::instance(connection, call, about, 0);
            let ordinal = state.ordinals.entry(kind).or_default();
            *ordinal += 1;
            let name = files::instance(connection, call, about, *ordinal);
            state.alive += 1;
            name
        };
        Recording::new(Arc::clone(&self.0), name, seed)
    }
}

impl Inner {
    /// That it is a cassette, and broken off, is known also after the power is gone.
    fn begin(&self, head: &Head) -> Result<(), Error> {
        files::make_folder(&self.folder)?;
        files::write_document(&self.folder.join(files::HEAD), head)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one instance exchanges.
pub struct Recording {
    recorder: Arc<Inner>,
    name: String,
    pub(crate) folder: PathBuf,
    seed: [u8; 32],
    exchanges: AtomicU32,
    time: Mutex<Option<Writer>>,
}

impl Recording {
    fn new(recorder: Arc<Inner>, name: String, seed: [u8; 32]) -> Result<Self, Error> {
        let folder = recorder.folder.join(&name);
        let tape =
            Self { recorder, name, folder, seed, exchanges: AtomicU32::new(0), time: Mutex::new(None) };
        // From here on it counts as alive, and is dropped when this fails.
        files::make_folder(&tape.folder)?;
        let writer = Writer::create(tape.folder.join(files::TAPE), &tape.name, &seed)?;
        *tape.time() = Some(writer);
        Ok(tape)
    }

    fn time(&self) -> MutexGuard<'_, Option<Writer>> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self, write: impl FnOnce(&mut Writer) -> Result<(), Error>) {
        let written = self.time().as_mut().map_or(Ok(()), write);
        self.note(written);
    }

    /// From what all of its randomness is made.
    pub fn seed(&self) -> [u8; 32] {
        self.seed
    }

    /// A call of the contract begins.
    pub fn begin_call(&self, call: &str) {
        self.writing(|writer| writer.begin_call(call));
    }

    /// The time of day was read.
    pub fn wall_ms(&self, ms: u64) {
        self.writing(|writer| writer.wall_ms(ms));
    }

    /// The other clock was read.
    pub fn monotonic_ms(&self, ms: u64) {
        self.writing(|writer| writer.monotonic_ms(ms));
    }

    /// A wait has ended.
    pub fn ready(&self, ready: Ready) {
        self.writing(|writer| writer.ready(ready));
    }

    /// A request begins.
    pub fn exchange(self: &Arc<Self>, method: &str, url: &str, headers: Headers) -> Open {
        let number = self.exchanges.fetch_add(1, Ordering::Relaxed) + 1;
        Open::new(Arc::clone(self), number, method, url, headers)
    }

    /// Why the recording cannot go on.
    pub fn fault(&self) -> Option<Error> {
        self.recorder.state().fault.clone()
    }

    /// Keeps what went wrong first.
    pub(crate) fn note(&self, written: Result<(), Error>) {
        if let Err(error) = written {
            self.recorder.state().fault.get_or_insert(error);
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.writing(Writer::finish);
        let mut state = self.recorder.state();
        state.alive = state.alive.saturating_sub(1);
        state.head.instances.insert(self.name.clone(), self.exchanges.load(Ordering::Relaxed));
        self.recorder.gone.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Head, Recorder};

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_recording_whose_instance_does_not_end_is_not_whole() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::create(folder.path(), Head::default()).unwrap();
        let tape = recorder.tape("source", "open", "", [0; 32]).unwrap();
        assert_eq!(recorder.finish_within(Duration::ZERO, 1, true).unwrap_err().code(), "CD0855");
        drop(tape);
        assert_eq!(recorder.finish_within(Duration::ZERO, 1, true).unwrap(), 0);
    }

    /// Which of the two comes first is left to the machine, so there are many rounds.
    #[test]
    fn an_instance_that_is_still_being_dropped_is_waited_for_and_not_longer() {
        let began = Instant::now();
        for _round in 0..100 {
            let folder = tempfile::tempdir().unwrap();
            let recorder = Recorder::create(folder.path(), Head::default()).unwrap();
            let tape = recorder.tape("source", "open", "", [0; 32]).unwrap();
            let both = Barrier::new(2);
            thread::scope(|scope| {
                let finished = scope.spawn(|| {
                    both.wait();
                    recorder.finish_within(LONG, 1, true)
                });
                both.wait();
                thread::yield_now();
                drop(tape);
                assert_eq!(finished.join().unwrap().unwrap(), 0);
            });
        }
        assert!(began.elapsed() < LONG);
    }
}
