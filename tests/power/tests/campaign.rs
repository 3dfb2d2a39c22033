//! One recording, many cuts: each is made real, opened by the subject in a process of its own, and judged.

use fastrand::Rng;
use power::{Disk, Event, Faults, Recording, moments};

use crate::site::{Site, apply, marks, seed};

/// So many times more with `COFFERDAM_TEST_LONG`.
const LONG: usize = 17;
/// Each third cut is followed by another while what it has left is opened.
const SECOND_CUTS: usize = 3;

/// What is cut.
pub(crate) struct Campaign {
    /// The scenario of the subject.
    pub(crate) scenario: &'static str,
    /// How many cuts the ordinary round makes.
    pub(crate) cuts: usize,
    /// Only moments after this mark, where most of what comes before is known well.
    pub(crate) from: Option<&'static str>,
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
        let seed = seed();
        let site = Site::new();
        let recording = site.record(self.scenario, "write", Faults::default());
        assert!(recording.ended.status.success(), "{}", recording.ended.errors);
        site.missed_nothing(&recording, seed);
        let mut round = Round { campaign: self, site, recording, seed };
        let total = round.recording.events.len();
        let first = self.from.map_or(0, |mark| position(&round.recording.events, mark));
        let moments = moments(&round.recording.events[first..], cuts, &mut Rng::with_seed(seed));
        let (mut disk, mut done) = (round.recording.start.clone(), 0);
        for (number, moment) in (0..).zip(moments.into_iter().map(|moment| first + moment)) {
            apply(&mut disk, &round.recording.events[done..moment], seed);
            done = moment;
            let what = format!("`{}`, seed {seed}, cut {number} at {moment} of {total}", self.scenario);
            round.cut(&disk, moment, number, &what);
        }
        eprintln!("`{}`: {cuts} cuts of {total} events, seed {seed}: nothing lost", self.scenario);
    }
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
        let recovery = self.site.record(self.campaign.scenario, "read", Faults::default());
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

fn position(events: &[Event], mark: &str) -> usize {
    events.iter().position(|event| matches!(event, Event::Mark(text) if text == mark)).unwrap()
}
