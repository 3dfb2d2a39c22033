//! Carries the `log` façade to the host.
//!
//! The logger is installed before the first call of the connector. `tracing` works too: its feature `log` hands each
//! event to the façade. Levels finer than `debug` are off, since each line costs a call of the host and counts against
//! the limit on log lines; `log::set_max_level` changes that.

use std::sync::Once;

use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::bindings::shared::cofferdam::connector::logging;

struct HostLog;

static HOST_LOG: HostLog = HostLog;
static INSTALL: Once = Once::new();

/// Install the logger, once. Outside of a component there is no host to log to.
pub(crate) fn install() {
    INSTALL.call_once(|| {
        // A connector that brings its own logger keeps it.
        if cfg!(target_arch = "wasm32") && log::set_logger(&HOST_LOG).is_ok() {
            log::set_max_level(LevelFilter::Debug);
        }
    });
}

impl Log for HostLog {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        logging::log(level(record.level()), record.target(), &record.args().to_string());
    }

    fn flush(&self) {}
}

fn level(level: Level) -> logging::Level {
    match level {
        Level::Error => logging::Level::Error,
        Level::Warn => logging::Level::Warn,
        Level::Info => logging::Level::Info,
        Level::Debug => logging::Level::Debug,
        Level::Trace => logging::Level::Trace,
    }
}
