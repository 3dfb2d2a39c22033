//! Where a guest's words go: log lines by the contract's import, standard output and standard error.

use crate::meter::{LimitHit, Meter};
use crate::text::clean_line;
use scrub::Place;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// One line is cut here; a longer one is no failure.
const LINE_BYTES_MAX: usize = 64 << 10;
/// Lines of standard error kept to find a panic's message in.
const STDERR_LINES: usize = 64;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Keeps or shows log lines. Called on a guest thread for each line, in the order of one instance: it must be quick and may
/// not block. Lines may hold row values and must be kept as carefully as rows.
pub trait LogSink: Send + Sync {
    /// One line of the connector of that name, without control characters.
    fn line(&self, connector: &str, level: Level, target: &str, text: &str);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLogs;

impl LogSink for NoLogs {
    fn line(&self, _connector: &str, _level: Level, _target: &str, _text: &str) {}
}

/// The words of one instance.
pub(crate) struct Logs {
    connector: String,
    sink: Arc<dyn LogSink>,
    meter: Arc<Meter>,
    stderr: Mutex<VecDeque<String>>,
}

impl Logs {
    pub(crate) fn new(connector: String, sink: Arc<dyn LogSink>, meter: Arc<Meter>) -> Self {
        Self { connector, sink, meter, stderr: Mutex::default() }
    }

    pub(crate) fn line(&self, level: Level, target: &str, text: &str) -> Result<(), LimitHit> {
        let scrubbed = |text| self.meter.secrets.text(Place::Log, text);
        let text = clean_line(&scrubbed(text), LINE_BYTES_MAX);
        self.meter.log_line(&text)?;
        self.sink.line(&self.connector, level, &clean_line(&scrubbed(target), 256), &text);
        Ok(())
    }

    /// A line of standard output or standard error.
    pub(crate) fn output(&self, stream: Output, text: &str) -> Result<(), LimitHit> {
        let text = &*self.meter.secrets.text(Place::Log, text);
        if stream == Output::Stderr {
            let mut kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == STDERR_LINES {
                kept.pop_front();
            }
            kept.push_back(clean_line(text, LINE_BYTES_MAX));
        }
        let level = if stream == Output::Stderr { Level::Warn } else { Level::Info };
        self.line(level, stream.name(), text)
    }

    /// The message of the last panic on standard error, as Rust, JavaScript or Python print it; else its last line.
    pub(crate) fn panic_message(&self) -> Option<String> {
        let kept = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = kept.iter().map(String::as_str).collect();
        let Some(at) = lines.iter().rposition(|line| line.contains("panicked at ")) else {
            return lines.last().map(|line| (*line).to_owned());
        };
        let place =
            lines.get(at).and_then(|line| line.split_once("panicked at ")).map_or("", |(_, place)| place);
        let message = lines.get(at + 1).copied().unwrap_or_default();
        Some(format!("panicked at {}: {message}", place.trim_end_matches(':')))
    }
}

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

impl Output {
    fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, LogSink, Logs, Output};
    use crate::limits::Limits;
    use crate::meter::{Counters, Meter};
    use scrub::{Place, Watch};
    use std::sync::{Arc, Mutex};

    const SECRET: &str = "tok_4eC39HqLyjWDarjtT1";

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl LogSink for Lines {
        fn line(&self, _connector: &str, _level: Level, target: &str, text: &str) {
            self.0.lock().unwrap().push(format!("{target}: {text}"));
        }
    }

    /// What is shown of a line, kept of it for a failure, and taken for a panic's message.
    #[test]
    fn a_secret_is_blanked_before_a_line_goes_anywhere() {
        let (watch, lines) = (Watch::new(), Arc::new(Lines::default()));
        watch.add("api", SECRET.as_bytes());
        let counters = Arc::new(Counters::new(Limits::defaults(), watch.clone()));
        let logs = Logs::new("c".into(), lines.clone(), Arc::new(Meter::new(Arc::clone(&counters))));
        logs.line(Level::Info, SECRET, &format!("GET /?key={SECRET}")).unwrap();
        logs.output(Output::Stderr, &format!("thread 'main' panicked at {SECRET}:1:")).unwrap();
        logs.output(Output::Stderr, SECRET).unwrap();
        let blank = "*".repeat(SECRET.len());
        let panicked = format!("thread 'main' panicked at {blank}:1:");
        let shown = [
            format!("{blank}: GET /?key={blank}"),
            format!("stderr: {panicked}"),
            format!("stderr: {blank}"),
        ];
        assert_eq!(*lines.0.lock().unwrap(), shown);
        assert_eq!(counters.log_tail(), [format!("GET /?key={blank}"), panicked, blank.clone()]);
        assert_eq!(logs.panic_message(), Some(format!("panicked at {blank}:1: {blank}")));
        assert!(watch.hits().iter().all(|count| count.place == Place::Log));
        assert_eq!(watch.hits().iter().map(|count| count.count).sum::<u64>(), 4, "each once");
    }

    #[test]
    fn a_secret_that_would_be_cut_is_blanked_first() {
        let watch = Watch::new();
        watch.add("api", SECRET.as_bytes());
        let limits = Limits { error_text_bytes: 10, ..Limits::defaults() };
        let counters = Counters::new(limits, watch);
        assert_eq!(counters.error_text(&format!("a {SECRET}")), "a ******** … (14 bytes more)");
    }
}
