//! What connectors log, and what the host's own crates warn of, on standard error.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle};

use opentelemetry_sdk::trace::SdkTracer;
use records::{LogLevel, LogLine, RunLog};
use runtime::{Level, LogSink};
use tracing::Metadata;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

use crate::output::Output;
use crate::progress::Screen;
use crate::traces::TARGET;
use crate::units;

/// Shows lines of connectors from a level on. A guest's thread hands its line over and goes on; another thread writes.
pub(crate) struct GuestLogs {
    least: Level,
    lines: Mutex<Option<Sender<String>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Where a run keeps them, sealed, whatever is shown.
    kept: OnceLock<Arc<RunLog>>,
}

impl GuestLogs {
    pub(crate) fn new(output: &Output, screen: &Screen) -> Arc<Self> {
        let (sender, receiver) = channel();
        let screen = screen.clone();
        let writer = Builder::new().name("logs".into()).spawn(move || write(&receiver, &screen)).ok();
        Arc::new(Self {
            least: least(output.verbose),
            lines: Mutex::new(writer.is_some().then_some(sender)),
            writer: Mutex::new(writer),
            kept: OnceLock::new(),
        })
    }

    /// Shows nobody anything: for a run that nobody watches.
    pub(crate) fn unseen() -> Arc<Self> {
        let (lines, writer, kept) = (Mutex::default(), Mutex::default(), OnceLock::new());
        Arc::new(Self { least: Level::Error, lines, writer, kept })
    }

    /// Keep every line from now on with a run.
    pub(crate) fn keep_in(&self, log: Arc<RunLog>) {
        // A command has one run.
        let _ = self.kept.set(log);
    }

    /// Show what is still on its way; later lines are dropped.
    pub(crate) fn finish(&self) {
        drop(self.lines.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // It panics only if standard error cannot be used, and then nobody reads.
            let _ = writer.join();
        }
    }
}

impl LogSink for GuestLogs {
    fn line(&self, connector: &str, level: Level, _target: &str, text: &str) {
        if let Some(kept) = self.kept.get() {
            let (connector, text) = (connector.to_owned(), text.to_owned());
            kept.push(LogLine { at_ms: units::now_ms(), connector, level: kept_level(level), text });
        }
        if level < self.least {
            return;
        }
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lines) = lines.as_ref() {
            // Without a writer there is nobody to show it to.
            let _ = lines.send(format!("{connector} {}: {text}\n", word(level)));
        }
    }
}

fn write(lines: &Receiver<String>, screen: &Screen) {
    for line in lines {
        screen.aside(&line);
    }
}

fn least(verbose: u8) -> Level {
    match verbose {
        0 => Level::Warn,
        1 => Level::Info,
        _ => Level::Trace,
    }
}

fn kept_level(level: Level) -> LogLevel {
    match level {
        Level::Trace => LogLevel::Trace,
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warning",
        Level::Error => "error",
    }
}

/// How the host's own log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Format {
    /// For a person.
    #[default]
    Text,
    /// A line of JSON each, with the time and the request in which it was written.
    Json,
}

/// Show what the host's crates say, from warnings on.
pub(crate) fn show_own(output: &Output, screen: &Screen) {
    show(output, screen, Format::Text, None);
}

/// The same in this format, and tell traces to whoever collects them. What libraries say is none of the host's words: they may
/// say what others sent.
pub(crate) fn show(output: &Output, screen: &Screen, format: Format, traces: Option<SdkTracer>) {
    let most = match output.verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let is_shown = move |about: &Metadata<'_>| is_own(about) && *about.level() <= most;
    let screen = screen.clone();
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_target(false)
        .with_writer(move || screen.writer());
    let lines = match format {
        Format::Text => lines.without_time().with_filter(FilterFn::new(is_shown)).boxed(),
        Format::Json => {
            let lines = lines.json().flatten_event(true).with_span_list(false);
            lines.with_filter(FilterFn::new(is_shown)).boxed()
        }
    };
    let is_span = |about: &Metadata<'_>| about.is_span() && about.target() == TARGET;
    let spans = traces.map(|tracer| {
        let layer = tracing_opentelemetry::layer().with_tracer(tracer).with_location(false);
        let layer = layer.with_threads(false).with_tracked_inactivity(false);
        layer.with_filter(FilterFn::new(is_span))
    });
    // A second subscriber in one process would be refused; there is one call.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(lines).with(spans));
}

/// Whether a crate of ours says it.
fn is_own(about: &Metadata<'_>) -> bool {
    let name = about.target().split("::").next().unwrap_or_default();
    name == "cofferdam" || name == "worker" || name.starts_with("cofferdam_")
}
