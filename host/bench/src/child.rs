//! What a program takes: run as the only child of a small process, whose own size would else count as the child's peak.

use std::ffi::OsString;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use wait4::Wait4 as _;

use crate::clock::median;

/// Often enough for runs of seconds, and too rare to be seen in their time.
const WATCH_EVERY: Duration = Duration::from_millis(20);

/// The program and its arguments.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    line: Vec<OsString>,
}

/// What it took.
#[derive(Serialize, Deserialize)]
pub(crate) struct Usage {
    pub(crate) wall_ms: f64,
    pub(crate) cpu_ms: f64,
    pub(crate) peak_mib: f64,
    /// Of what it had each few milliseconds.
    pub(crate) median_mib: f64,
    /// What it printed on standard output.
    pub(crate) output: String,
}

/// The small process' part.
pub(crate) fn measure(arguments: &Arguments) -> Result<()> {
    let Some((program, rest)) = arguments.line.split_first() else { bail!("no program") };
    let began = Instant::now();
    let mut child = Command::new(program).args(rest).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let process = child.id();
    let watch = std::thread::spawn(move || median(std::iter::from_fn(|| resident_mib(process))));
    let mut output = String::new();
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_string(&mut output)?;
    }
    let ended = child.wait4()?;
    let wall_ms = began.elapsed().as_secs_f64() * 1e3;
    if !ended.status.success() {
        bail!("`{}` failed ({}): {output}", program.to_string_lossy(), ended.status);
    }
    let cpu_ms = (ended.rusage.utime + ended.rusage.stime).as_secs_f64() * 1e3;
    let peak_mib = ended.rusage.maxrss as f64 / f64::from(1 << 20);
    let Ok(median_mib) = watch.join() else { bail!("the watch over the memory panicked") };
    println!("{}", serde_json::to_string(&Usage { wall_ms, cpu_ms, peak_mib, median_mib, output })?);
    Ok(())
}

/// What a process has now, after a while; none once it has ended: then it has no memory, whether or not it was waited for.
fn resident_mib(process: u32) -> Option<f64> {
    std::thread::sleep(WATCH_EVERY);
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<f64>().ok()? / 1024.0)
}

/// Run a program and learn what it took.
pub(crate) fn usage_of(line: &[OsString]) -> Result<Usage> {
    let output = Command::new(std::env::current_exe()?).arg("child").arg("--").args(line).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
