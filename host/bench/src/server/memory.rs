//! What a server and its workers have in memory together.
//!
//! Of processes that share pages the sum of what each has would count these several times; the sum of their proportional
//! set sizes (PSS) counts each page once.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};

/// Peaks of runs of a tenth of a second are not missed, and looking costs a hundredth of a processor.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Looks until it is asked.
pub(super) struct Watch {
    is_over: Arc<AtomicBool>,
    watching: JoinHandle<Peak>,
}

/// The most that there was.
#[derive(Default)]
pub(super) struct Peak {
    pub(super) mib: f64,
    /// Of that, the server itself.
    pub(super) server_mib: f64,
    /// How many processes there were then, the server among them.
    pub(super) processes: usize,
}

impl Watch {
    pub(super) fn start(server: u32) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let watching = std::thread::spawn(move || {
            let mut peak = Peak::default();
            while !stop.load(Ordering::Relaxed) {
                let now = look(server);
                if now.mib > peak.mib {
                    peak = now;
                }
                std::thread::sleep(LOOK_EVERY);
            }
            peak
        });
        Self { is_over, watching }
    }

    pub(super) fn stop(self) -> Result<Peak> {
        self.is_over.store(true, Ordering::Relaxed);
        self.watching.join().map_err(|_| anyhow!("the watch over the memory panicked"))
    }
}

/// What one process has resident, shared pages included.
pub(super) fn resident_mib(process: u32) -> Result<f64> {
    kib_of(&format!("/proc/{process}/status"), "VmRSS:").map(|kib| kib / 1024.0)
}

fn look(server: u32) -> Peak {
    let processes = tree(server);
    // One that has ended meanwhile has nothing.
    let pss = |process: u32| kib_of(&format!("/proc/{process}/smaps_rollup"), "Pss:").unwrap_or_default();
    let mib = processes.iter().copied().map(pss).sum::<f64>() / 1024.0;
    Peak { mib, server_mib: pss(server) / 1024.0, processes: processes.len() }
}

fn kib_of(path: &str, name: &str) -> Result<f64> {
    let text = fs::read_to_string(path).with_context(|| format!("failed to read `{path}`"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kib.with_context(|| format!("`{path}` has no `{name}`"))?.trim().parse()?)
}

/// A process and all below it.
fn tree(root: u32) -> Vec<u32> {
    let all: Vec<(u32, u32)> = fs::read_dir("/proc").into_iter().flatten().filter_map(parent).collect();
    let mut tree = vec![root];
    let mut looked_at = 0;
    while let Some(above) = tree.get(looked_at).copied() {
        tree.extend(all.iter().filter(|(_, parent)| *parent == above).map(|(process, _)| *process));
        looked_at += 1;
    }
    tree
}

/// A process and its parent; none: it is no process, or has ended.
fn parent(entry: std::io::Result<fs::DirEntry>) -> Option<(u32, u32)> {
    let name = entry.ok()?.file_name().into_string().ok()?;
    let stat = fs::read_to_string(format!("/proc/{name}/stat")).ok()?;
    // Behind the name of the program, which may have anything in it.
    let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
    Some((name.parse().ok()?, parent))
}
