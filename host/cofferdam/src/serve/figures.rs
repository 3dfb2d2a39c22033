//! What stands, for Prometheus: of storage, of the queue, of worker processes, of this process.

use std::path::PathBuf;
use std::sync::Arc;

use api::Figures;
use async_trait::async_trait;
use measures::{Process, Standing, Storage, Workers};
use rustix::process::{Resource, getrlimit};
use storage::SledEngine;

/// What Linux counts time of processors in, whatever its kernel does inside (`proc(5)`).
const TICKS_A_SECOND: f64 = 100.0;

/// Reads what stands.
pub(crate) struct Stands {
    pub(crate) engine: Arc<SledEngine>,
    pub(crate) directory: PathBuf,
    pub(crate) queue: Arc<control::Queue>,
    pub(crate) endpoints: Arc<control::Endpoints>,
}

#[async_trait]
impl Figures for Stands {
    async fn read(&self) -> Standing {
        let (engine, directory) = (Arc::clone(&self.engine), self.directory.clone());
        let read = tokio::task::spawn_blocking(move || (storage(&engine, directory), process())).await;
        let (storage, process) = read.unwrap_or_default();
        let load = self.queue.load().await.ok();
        let queue = load.map(|control::Load { waiting, running }| measures::Queue { waiting, running });
        let events = self.endpoints.load().await.ok();
        let events = events.map(|control::EventLoad { messages, bytes }| measures::Events {
            waiting: messages,
            waiting_bytes: bytes,
        });
        let worker::Tally { alive, started, lost } = worker::tally();
        Standing {
            storage,
            queue,
            events,
            workers: Some(Workers { alive, started, lost }),
            process,
            certificate_ends: None,
        }
    }
}

fn storage(engine: &SledEngine, directory: PathBuf) -> Option<Storage> {
    let status = engine.status();
    let disk = rustix::fs::statvfs(directory).ok();
    Some(Storage {
        commits: status.sequence,
        entries: status.entries,
        live_bytes: status.live_bytes,
        database_bytes: status.disk_bytes,
        journal_bytes: engine.journal_bytes(),
        free_bytes: disk.map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        is_sound: engine.is_sound(),
    })
}

/// From `/proc`; none where there is none.
fn process() -> Option<Process> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let descriptors = std::fs::read_dir("/proc/self/fd").ok()?.count() as u64;
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse::<u64>().ok()
    };
    // The name of the program stands in parentheses, and may hold anything. Of what follows time is the 12th and 13th.
    let (_, after) = stat.rsplit_once(')')?;
    let ticks: u64 =
        after.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok()).sum();
    Some(Process {
        resident_bytes: number("VmRSS")? * 1_024,
        descriptors,
        descriptors_max: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
        threads: number("Threads")?,
        cpu_seconds: ticks as f64 / TICKS_A_SECOND,
    })
}

#[cfg(test)]
mod tests {
    use super::process;
    use std::fs::File;

    #[test]
    fn a_process_sees_itself() {
        let before = process().unwrap();
        assert!(before.resident_bytes > 4_096 && before.threads > 0);
        let open: Vec<_> = (0..5).map(|_| File::open("/proc/self/stat").unwrap()).collect();
        let after = process().unwrap();
        assert!(after.descriptors >= before.descriptors + 5 && after.descriptors <= after.descriptors_max);
        assert!(after.cpu_seconds >= before.cpu_seconds);
        drop(open);
    }
}
