//! Where the subject works, and where the machine comes on again after a cut.

use std::cell::RefCell;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fastrand::Rng;
use power::{Disk, Event, Faults, Image, Recording, record, run, scratch};
use tempfile::TempDir;

/// A healthy subject takes a tenth of a second; this is for a machine that does much else.
const LIMIT: Duration = Duration::from_secs(60);
/// The directories that are recorded: data, and what must not lie in it.
const ROOTS: [&str; 3] = ["data", "keys", "backups"];

/// What each keyring begins with.
const KEYRING_MAGIC: &[u8] = b"COFFRING";

/// The seed of all chance, which may be named.
pub(crate) fn seed() -> u64 {
    std::env::var("POWER_SEED").map_or(1, |seed| seed.parse().unwrap())
}

/// Makes a disk go through what happened. What a failed sync leaves is the seed's choice.
pub(crate) fn apply(disk: &mut Disk, events: &[Event], seed: u64) {
    let mut random = Rng::with_seed(seed);
    events.iter().for_each(|event| disk.apply(event, &mut random).unwrap());
}

/// What the program said.
pub(crate) fn marks(events: &[Event]) -> Vec<&str> {
    let mut marks = Vec::new();
    for event in events {
        if let Event::Mark(text) = event {
            marks.push(text.as_str());
        }
    }
    marks
}

/// Where the subject works.
pub(crate) struct Site {
    scratch: TempDir,
    roots: Vec<PathBuf>,
    /// What was found after the last cut.
    image: RefCell<Option<Image>>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let scratch = scratch().unwrap();
        let roots = ROOTS.map(|name| scratch.path().join(name)).to_vec();
        roots.iter().for_each(|root| std::fs::create_dir(root).unwrap());
        Self { scratch, roots, image: RefCell::default() }
    }

    fn subject(&self, scenario: &str, action: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_subject"));
        command.args([scenario, action]).args(&self.roots);
        command.env("POWER_FACTS", self.facts()).env("POWER_EARLIER", self.earlier());
        command
    }

    fn facts(&self) -> PathBuf {
        self.scratch.path().join("facts")
    }

    fn earlier(&self) -> PathBuf {
        self.scratch.path().join("earlier")
    }

    /// A keyring is written whole, by one write.
    pub(crate) fn put_earlier(&self, events: &[Event]) {
        let path = self.earlier();
        if path.exists() {
            std::fs::remove_dir_all(&path).unwrap();
        }
        std::fs::create_dir(&path).unwrap();
        for (number, event) in events.iter().enumerate() {
            if let Event::Write { data, .. } = event
                && data.starts_with(KEYRING_MAGIC)
            {
                let file = path.join(number.to_string());
                std::fs::write(&file, data).unwrap();
                std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
            }
        }
    }

    pub(crate) fn record(&self, scenario: &str, action: &str, faults: Faults) -> Recording {
        record(&self.roots, faults, &self.subject(scenario, action)).unwrap()
    }

    /// The machine comes on again. The subject is told what was said before, which only we remember.
    pub(crate) fn restart(&self, disk: &Disk, random: &mut Rng, marks: &[&str]) {
        let image = disk.after_cut(random);
        image.write(&self.roots).unwrap();
        let kept: Vec<PathBuf> =
            ROOTS.map(|name| self.scratch.path().join(format!("{name}-as-found"))).to_vec();
        image.write(&kept).unwrap();
        std::fs::write(self.facts(), marks.join("\n")).unwrap();
    }

    pub(crate) fn read(&self, scenario: &str, action: &str, what: &str) -> String {
        let ended = run(&mut self.subject(scenario, action), LIMIT);
        let ended = ended.unwrap_or_else(|error| panic!("{what}: {}", self.kept(&error.to_string())));
        assert!(ended.status.success(), "{what}: it does not open: {}", self.kept(&ended.errors));
        ended.output
    }

    pub(crate) fn missed_nothing(&self, recording: &Recording, seed: u64) {
        let mut disk = recording.start.clone();
        apply(&mut disk, &recording.events, seed);
        let there = Disk::read(&self.roots).unwrap().live();
        assert!(disk.live() == there, "the recorder has missed something");
    }

    /// Keeps what was found, to be looked at, and says where.
    pub(crate) fn kept(&self, wrong: &str) -> String {
        let kept = tempfile::Builder::new().prefix("power-kept-").tempdir();
        let path = kept.unwrap().keep();
        if let Some(image) = self.image.take() {
            let found = ROOTS.map(|name| self.scratch.path().join(format!("{name}-as-found")));
            image.write(&found).unwrap();
        }
        let copied = copy(self.scratch.path(), &path);
        format!(
            "{wrong}\n(kept in `{}`; see tests/power/README.md{})",
            path.display(),
            match copied {
                Ok(()) => String::new(),
                Err(error) => format!("; not all of it: {error}"),
            }
        )
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else if entry.file_type()?.is_file() {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
