//! A deployment that is open: its storage in its engine, and the records of the only organization that the command line
//! knows. Puts the parts together; what they do is decided below.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use records::SealedRecords;
use storage::sled::Options;
use storage::{Maintenance, SledEngine, Storage, SystemClock};
use vault::Keyring;

use crate::arguments::Data;
use crate::control::{Control, Held};
use crate::data::Directory;
use crate::live::Live;
use crate::output::Output;
use crate::probe::Child;
use crate::problem::{Problem, Problems};
use crate::recovery::NewestBackup;

/// Who all rows of a command line belong to.
pub(crate) const ORGANIZATION: &str = "local";
/// A key may outlive its bucket by five minutes.
const MAINTAIN_EVERY: Duration = Duration::from_secs(4 * 60);

/// A deployment that is open, for this process alone.
pub(crate) struct Deployment {
    pub(crate) directory: Directory,
    pub(crate) storage: Arc<Storage>,
    pub(crate) records: Arc<SealedRecords>,
    pub(crate) engine: Arc<SledEngine>,
}

/// What goes on beside a long command.
pub(crate) struct Beside {
    maintenance: Maintenance,
    control: Control,
}

impl Deployment {
    /// The deployment in this directory, made if this is its first use.
    pub(crate) async fn made(path: &Path, data: &Data, output: &Output) -> Result<Self, Problems> {
        let (directory, keyring) = Directory::made(path, &data.keys, output)?;
        Self::open(directory, keyring).await
    }

    /// The deployment that is there.
    pub(crate) async fn existing(path: &Path, data: &Data) -> Result<Self, Problems> {
        let mut directory = Directory::existing(path, &data.keys)?;
        let keyring = directory.keyring()?;
        Self::open(directory, keyring).await
    }

    /// The deployment whose keyring is open.
    pub(crate) async fn open(directory: Directory, keyring: Keyring) -> Result<Self, Problems> {
        let engine = engine(&directory, &keyring).await?;
        let storage = Storage::open(Arc::clone(&engine) as _, keyring, Arc::new(SystemClock)).await?;
        let storage = Arc::new(storage);
        if !storage.organizations().iter().any(|known| known == ORGANIZATION) {
            storage.create_organization(ORGANIZATION).await?;
        }
        let settings = records::Settings::default();
        let records = Arc::new(SealedRecords::new(Arc::clone(&storage), ORGANIZATION, settings));
        Ok(Self { directory, storage, records, engine })
    }

    /// Maintenance, and answers for others who come beside it, as long as a command goes on.
    pub(crate) fn beside(&self, live: Option<Live>) -> Result<Beside, Problems> {
        let tell = |passed: Result<storage::Pass, storage::Error>| match passed {
            Ok(pass) if pass.is_clock_doubted => {
                tracing::warn!(
                    "the clock has leapt by more than a day: nothing is destroyed before it is believed"
                );
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(code = error.code(), "maintenance of the data directory failed: {error}")
            }
        };
        let maintenance = self.storage.spawn_maintenance(MAINTAIN_EVERY, tell);
        let (storage, records) = (Arc::clone(&self.storage), Arc::clone(&self.records));
        let control = Control::listen(&self.directory.path, Held { storage, records, live })?;
        Ok(Beside { maintenance, control })
    }

    /// Closes what is open, so that the next opening need not look for what a crash has left.
    pub(crate) async fn close(self) -> Result<(), Problems> {
        self.close_keeping().await.map(drop)
    }

    /// Closes it, and gives the directory back.
    pub(crate) async fn close_keeping(self) -> Result<Directory, Problems> {
        let Self { directory, storage, records, engine } = self;
        drop(records);
        storage.maintain().await?;
        drop(storage);
        engine.close().await.map_err(storage::Error::from)?;
        Ok(directory)
    }
}

impl Beside {
    pub(crate) async fn end(self) {
        self.control.end().await;
        self.maintenance.stop().await;
    }
}

/// The engine of a directory whose keyring is open.
pub(crate) async fn engine(directory: &Directory, keyring: &Keyring) -> Result<Arc<SledEngine>, Problems> {
    let options =
        Options::new(&directory.path, *keyring.deployment().as_bytes(), *keyring.journal_key().expose())
            .holder(command_line())
            .probe(Arc::new(Child))
            .newest_backup(Arc::new(NewestBackup::of(directory)));
    let opened = tokio::task::spawn_blocking(move || SledEngine::open(&options)).await;
    let opened = opened.map_err(|error| Problem::bug(format!("opening storage: {error}")))?;
    Ok(Arc::new(opened?))
}

/// What this process says of itself to others: its command, and no value of an option, which may be anything.
fn command_line() -> String {
    let words = std::env::args().skip(1).take_while(|word| !word.starts_with('-')).take(WORDS_MAX);
    let words: Vec<String> = std::iter::once("cofferdam".to_owned()).chain(words).collect();
    words.join(" ")
}

/// A command, one below it, and what it is about.
const WORDS_MAX: usize = 3;

/// The directory as a command that is told to a person has to name it.
pub(crate) fn option_for(path: &Path) -> String {
    if path == Path::new(".cofferdam") { String::new() } else { format!(" --data {}", path.display()) }
}
