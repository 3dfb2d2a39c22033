//! What stands: read when somebody wants to know, and told as it was read.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What stands. What could not be read is not told.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Standing {
    /// Of storage.
    pub storage: Option<Storage>,
    /// Of the queue of runs.
    pub queue: Option<Queue>,
    /// Of event endpoints.
    pub events: Option<Events>,
    /// Of worker processes.
    pub workers: Option<Workers>,
    /// Of this process.
    pub process: Option<Process>,
    /// When the certificate for TLS ends, in seconds since the epoch.
    pub certificate_ends: Option<u64>,
}

/// Of storage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Storage {
    /// Commits since storage was made.
    pub commits: u64,
    /// Keys with a value.
    pub entries: u64,
    /// Their keys and values.
    pub live_bytes: u64,
    /// What the database takes on disk.
    pub database_bytes: u64,
    /// What the commit journal takes on disk.
    pub journal_bytes: u64,
    /// What is free on the disk of the data directory.
    pub free_bytes: u64,
    /// Whether it still commits.
    pub is_sound: bool,
}

/// Of the queue of runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Queue {
    /// Runs that wait.
    pub waiting: u64,
    /// Runs that are under way.
    pub running: u64,
}

/// Of event endpoints, all of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Events {
    /// Messages that no run has committed.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
}

/// Of worker processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Workers {
    /// That are there.
    pub alive: u64,
    /// That were started.
    pub started: u64,
    /// That ended before they were to.
    pub lost: u64,
}

/// Of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Process {
    /// Memory that it has.
    pub resident_bytes: u64,
    /// Files, sockets and the like that it has open.
    pub descriptors: u64,
    /// How many it may have.
    pub descriptors_max: u64,
    /// Its threads.
    pub threads: u64,
    /// Time of processors that it has used.
    pub cpu_seconds: f64,
}

/// What was read last.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown(Arc<Mutex<Standing>>);

impl Shown {
    pub(crate) fn set(&self, standing: Standing) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

impl Collector for Shown {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let standing = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tell = Tell(encoder);
        if let Some(storage) = standing.storage {
            tell.storage(storage)?;
        }
        if let Some(Queue { waiting, running }) = standing.queue {
            tell.gauge("runs_waiting", "Runs that wait", waiting)?;
            tell.gauge("runs_running", "Runs that are under way", running)?;
        }
        if let Some(Events { waiting, waiting_bytes }) = standing.events {
            tell.gauge("events_waiting", "Messages at event endpoints that no run has committed", waiting)?;
            tell.gauge("events_waiting_bytes", "Their bytes", waiting_bytes)?;
        }
        if let Some(Workers { alive, started, lost }) = standing.workers {
            tell.gauge("workers", "Worker processes that are there", alive)?;
            tell.counter("workers_started", "Worker processes that were started", started)?;
            tell.counter("workers_lost", "Worker processes that ended before they were to", lost)?;
        }
        if let Some(process) = standing.process {
            tell.process(process)?;
        }
        if let Some(ends) = standing.certificate_ends {
            tell.gauge(
                "certificate_ends_seconds",
                "When the certificate for TLS ends, since the epoch",
                ends,
            )?;
        }
        Ok(())
    }
}

struct Tell<'a>(DescriptorEncoder<'a>);

impl Tell<'_> {
    fn storage(&mut self, storage: Storage) -> Result<(), fmt::Error> {
        self.counter("storage_commits", "Commits since storage was made", storage.commits)?;
        self.gauge("storage_entries", "Keys with a value", storage.entries)?;
        self.gauge("storage_live_bytes", "Keys and values", storage.live_bytes)?;
        self.gauge("storage_database_bytes", "What the database takes on disk", storage.database_bytes)?;
        self.gauge("storage_journal_bytes", "What the commit journal takes on disk", storage.journal_bytes)?;
        self.gauge("storage_free_bytes", "What is free on the disk", storage.free_bytes)?;
        let is_sound = u64::from(storage.is_sound);
        self.gauge("storage_sound", "1 as long as storage commits, 0 when it has stopped", is_sound)
    }

    fn process(&mut self, process: Process) -> Result<(), fmt::Error> {
        self.gauge("process_resident_bytes", "Memory that the server has", process.resident_bytes)?;
        self.gauge("process_open_descriptors", "Descriptors that are open", process.descriptors)?;
        self.gauge("process_max_descriptors", "Descriptors that may be open", process.descriptors_max)?;
        self.gauge("process_threads", "Threads of the server", process.threads)?;
        let used = ConstCounter::new(process.cpu_seconds);
        self.metric("process_cpu_seconds", "Time of processors that the server has used", &used)
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> Result<(), fmt::Error> {
        self.metric(name, help, &ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> Result<(), fmt::Error> {
        self.metric(name, help, &ConstCounter::new(value))
    }

    fn metric(&mut self, name: &str, help: &str, metric: &impl EncodeMetric) -> Result<(), fmt::Error> {
        metric.encode(self.0.encode_descriptor(name, help, None, metric.metric_type())?)
    }
}
