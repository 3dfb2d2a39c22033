//! What a run is doing: a line for each stream on standard error, where that is a terminal. Elsewhere the warnings of
//! the host's crates say what is worth knowing, such as retries.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use pipeline::run::{GroupProgress, Observer, Phase, StreamProgress};

use crate::output::Output;
use crate::text::{cut, plain_line};
use crate::units;

/// Often enough to look live, seldom enough to cost nothing.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// A person reads so many lines at once.
const LINES_MAX: usize = 20;

/// Standard error, shared by progress, logs and warnings, so that none writes over another.
#[derive(Debug, Clone)]
pub(crate) struct Screen {
    lines: Option<MultiProgress>,
}

impl Screen {
    pub(crate) fn new(output: &Output) -> Self {
        let target = || ProgressDrawTarget::stderr_with_hz(10);
        Self { lines: output.live.then(|| MultiProgress::with_draw_target(target())) }
    }

    /// Words above whatever is drawn.
    pub(crate) fn aside(&self, text: &str) {
        // Nobody is left to tell when standard error fails.
        let write = || drop(io::stderr().lock().write_all(text.as_bytes()));
        match &self.lines {
            Some(lines) => lines.suspend(write),
            None => write(),
        }
    }

    /// For whoever wants a stream to write to.
    pub(crate) fn writer(&self) -> Writer {
        Writer { screen: self.clone() }
    }
}

/// Writes above whatever is drawn.
pub(crate) struct Writer {
    screen: Screen,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let line = plain_line(text.trim_end_matches('\n'));
        self.screen.aside(&format!("{line}\n"));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Tells how a run goes.
pub(crate) struct Progress {
    screen: Screen,
    began: Instant,
    drawn: Mutex<Drawn>,
}

#[derive(Default)]
struct Drawn {
    streams: BTreeMap<String, (StreamProgress, ProgressBar)>,
    phases: BTreeMap<String, Phase>,
    footer: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(screen: &Screen) -> Arc<Self> {
        Arc::new(Self { screen: screen.clone(), began: Instant::now(), drawn: Mutex::default() })
    }

    /// Redraw until it is dropped; `memory` says what connectors use.
    pub(crate) async fn draw(&self, memory: impl Fn() -> String) -> Infallible {
        if self.screen.lines.is_none() {
            return std::future::pending().await;
        }
        let mut every = tokio::time::interval(DRAW_EVERY);
        loop {
            every.tick().await;
            self.draw_once(&memory());
        }
    }

    fn draw_once(&self, memory: &str) {
        let Some(lines) = &self.screen.lines else { return };
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Drawn { streams, phases, footer, .. } = &mut *drawn;
        for (progress, bar) in streams.values() {
            bar.set_message(line(progress, phases.get(&progress.group), ms));
        }
        let footer = footer.get_or_insert_with(|| lines.add(bar()));
        footer.set_message(format!("memory  {memory}"));
    }

    /// Take everything away that was drawn.
    pub(crate) fn clear(&self) {
        if let Some(lines) = &self.screen.lines {
            // A terminal that is gone needs no clearing.
            let _ = lines.clear();
        }
    }
}

impl Observer for Progress {
    fn stream(&self, progress: StreamProgress) {
        let Some(lines) = &self.screen.lines else { return };
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, _)) = drawn.streams.get_mut(&progress.stream) {
            *last = progress;
        } else if drawn.streams.len() < LINES_MAX {
            let bar = match &drawn.footer {
                Some(footer) => lines.insert_before(footer, bar()),
                None => lines.add(bar()),
            };
            drawn.streams.insert(progress.stream.clone(), (progress, bar));
        }
    }

    fn group(&self, progress: GroupProgress) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.phases.insert(progress.group, progress.phase);
    }
}

fn bar() -> ProgressBar {
    let style =
        ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style)
}

fn line(progress: &StreamProgress, phase: Option<&Phase>, ms: u64) -> String {
    let StreamProgress { stream, read, rejected, bytes, .. } = progress;
    // What matters fits into 80 columns; the phase is what a narrow terminal cuts.
    format!(
        "{:<16} {:>11} rows {:>11} {:>10} {:>6} rejected  {}",
        cut(&plain_line(stream), 15),
        units::count(*read),
        units::rate(*read, ms),
        units::bytes(*bytes),
        units::count(*rejected),
        phase.map_or("", word),
    )
}

fn word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Opening => "opening",
        Phase::Moving => "moving",
        Phase::Waiting { .. } => "the source waits",
        Phase::Committing => "committing",
        Phase::Retrying { .. } => "waiting to try again",
        Phase::Ended => "done",
    }
}
