//! One recording, many cuts: each is made real, opened by the subject in a process of its own, and judged.

use std::cell::RefCell;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fastrand::Rng;
use power::{Disk, Event, Faults, Image, Recording, moments, record, run, scratch};
use tempfile::TempDir;

/// A healthy subject takes a tenth of a second; this is for a machine that does much else.
const LIMIT: Duration = Duration::from_secs(60);
/// So many times more with `COFFERDAM_TEST_LONG`.
const LONG: usize = 17;
/// Each third cut is followed by another while what it has left is opened.
const SECOND_CUTS: usize = 3;

/// The directories that are recorded: data, and what must not lie in it.
const ROOTS: [&str; 2] = ["data", "keys"];

/// What each keyring begins with.
const KEYRING_MAGIC: &[u8] = b"COFFRING";

/// What is cut.
pub(crate) struct Campaign {
    /// The scenario of the subject.
    pub(crate) scenario: &'static str,
    /// How many cuts the ordinary round makes.
    pub(crate) cuts: usize,
    /// Whether every keyring that ever was is tried too, against the keys of now.
    pub(crate) tries_earlier_keyrings: bool,
    /// Whether what was found is right; otherwise what is wrong.
    pub(crate) judge: fn(&After<'_>) -> Result<(), String>,
}

/// What is known after a cut.
pub(crate) struct After<'a> {
    /// What the program said before it, oldest first.
    pub(crate) marks: Vec<&'a str>,
    /// What the subject has found, line by line.
    pub(crate) found: Vec<&'a str>,
}

impl Campaign {
    pub(crate) fn run(&self) {
        let cuts =
            if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { self.cuts * LONG } else { self.cuts };
        let seed = std::env::var("POWER_SEED").map_or(1, |seed| seed.parse().unwrap());
        let site = Site::new();
        let recording = site.record(self.scenario, "write");
        assert!(recording.ended.status.success(), "{}", recording.ended.errors);
        site.missed_nothing(&recording, seed);
        let mut round = Round { campaign: self, site, recording, seed };
        let (moments, total) =
            (moments(&round.recording.events, cuts, &mut Rng::with_seed(seed)), round.recording.events.len());
        let (mut disk, mut done) = (round.recording.start.clone(), 0);
        for (number, moment) in (0..).zip(moments) {
            apply(&mut disk, &round.recording.events[done..moment], seed);
            done = moment;
            let what = format!("`{}`, seed {seed}, cut {number} at {moment} of {total}", self.scenario);
            round.cut(&disk, moment, number, &what);
        }
        eprintln!("`{}`: {cuts} cuts of {total} events, seed {seed}: nothing lost", self.scenario);
    }
}

/// What a failed sync leaves depends on the seed alone, so that one cut can be made again without those before it.
fn apply(disk: &mut Disk, events: &[Event], seed: u64) {
    let mut random = Rng::with_seed(seed);
    events.iter().for_each(|event| disk.apply(event, &mut random).unwrap());
}

struct Round<'a> {
    campaign: &'a Campaign,
    site: Site,
    recording: Recording,
    seed: u64,
}

impl Round<'_> {
    fn cut(&mut self, disk: &Disk, moment: usize, number: usize, what: &str) {
        let mut random = Rng::with_seed(self.seed ^ (number as u64) << 32);
        let marks = marks(&self.recording.events[..moment]);
        self.site.restart(disk, &mut random, &marks);
        if !number.is_multiple_of(SECOND_CUTS) {
            self.read(&marks, moment, what);
            return;
        }
        let recovery = self.site.record(self.campaign.scenario, "read");
        assert!(
            recovery.ended.status.success(),
            "{what}: it does not open: {}",
            self.site.kept(&recovery.ended.errors)
        );
        self.judge(&marks, &recovery.ended.output, what);
        let second = moments(&recovery.events, 1, &mut random)[0];
        let what = format!("{what}, and again while it was opened, at {second} of {}", recovery.events.len());
        let mut disk = recovery.start.clone();
        apply(&mut disk, &recovery.events[..second], self.seed);
        self.site.restart(&disk, &mut random, &marks);
        self.read(&marks, moment, &what);
    }

    fn read(&self, marks: &[&str], moment: usize, what: &str) {
        let mut found = self.site.read(self.campaign.scenario, "read", what);
        if self.campaign.tries_earlier_keyrings {
            self.site.put_earlier(&self.recording.events[..moment]);
            found.push_str(&self.site.read("keyring", "earlier", what));
        }
        self.judge(marks, &found, what);
    }

    fn judge(&self, marks: &[&str], found: &str, what: &str) {
        let after = After { marks: marks.to_vec(), found: found.lines().collect() };
        if let Err(wrong) = (self.campaign.judge)(&after) {
            panic!("{what}: {}", self.site.kept(&wrong));
        }
    }
}

fn marks(events: &[Event]) -> Vec<&str> {
    let mut marks = Vec::new();
    for event in events {
        if let Event::Mark(text) = event {
            marks.push(text.as_str());
        }
    }
    marks
}

/// Where the subject works.
struct Site {
    scratch: TempDir,
    roots: Vec<PathBuf>,
    /// What was found after the last cut.
    image: RefCell<Option<Image>>,
}

impl Site {
    fn new() -> Self {
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
    fn put_earlier(&self, events: &[Event]) {
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

    fn record(&self, scenario: &str, action: &str) -> Recording {
        record(&self.roots, Faults::default(), &self.subject(scenario, action)).unwrap()
    }

    /// The machine comes on again. The subject is told what was said before, which only we remember.
    fn restart(&self, disk: &Disk, random: &mut Rng, marks: &[&str]) {
        let image = disk.after_cut(random);
        image.write(&self.roots).unwrap();
        let kept: Vec<PathBuf> =
            ROOTS.map(|name| self.scratch.path().join(format!("{name}-as-found"))).to_vec();
        image.write(&kept).unwrap();
        std::fs::write(self.facts(), marks.join("\n")).unwrap();
    }

    fn read(&self, scenario: &str, action: &str, what: &str) -> String {
        let ended = run(&mut self.subject(scenario, action), LIMIT);
        let ended = ended.unwrap_or_else(|error| panic!("{what}: {}", self.kept(&error.to_string())));
        assert!(ended.status.success(), "{what}: it does not open: {}", self.kept(&ended.errors));
        ended.output
    }

    fn missed_nothing(&self, recording: &Recording, seed: u64) {
        let mut disk = recording.start.clone();
        apply(&mut disk, &recording.events, seed);
        let there = Disk::read(&self.roots).unwrap().live();
        assert!(disk.live() == there, "the recorder has missed something");
    }

    /// Keeps what was found, to be looked at, and says where.
    fn kept(&self, wrong: &str) -> String {
        let path = std::env::temp_dir().join(format!("power-{}", std::process::id()));
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
