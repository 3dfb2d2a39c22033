//! The program `cofferdam` with ten records and compiled code in its cache: what it takes to start and to end.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;

use crate::child::{Usage, usage_of};
use crate::clock::median;
use crate::report::{Goal, Report, Row};

const REPETITIONS: usize = 20;

const SYNC: &str = r#"
sync = 1
name = "small"

[source]
connector = "COMPONENTS/faker.wasm"
[source.config]
streams = [{ name = "people", rows = 10 }]

[destination]
connector = "COMPONENTS/null.wasm"
"#;

pub(crate) fn run(program: &Path, components: &Path, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let sync = directory.path().join("sync.toml");
    let components = std::fs::canonicalize(components)?;
    std::fs::write(&sync, SYNC.replace("COMPONENTS", &components.display().to_string()))?;
    let once = |name: &str| -> Result<Usage> {
        let (data, cache) = (directory.path().join(name), directory.path().join("cache"));
        usage_of(&run_line(program, &sync, &data, &cache))
    };
    let cold = once("cold")?;
    let runs = (0..REPETITIONS).map(|number| once(&number.to_string())).collect::<Result<Vec<_>>>()?;
    let peak = runs.iter().map(|usage| usage.peak_mib).fold(0.0, f64::max);
    for (what, unit, ours, goal) in [
        ("processor time", "ms", median(runs.iter().map(|usage| usage.cpu_ms)), Goal::AtMost(30.0)),
        ("highest peak of memory", "MiB", peak, Goal::AtMost(60.0)),
        ("time on the wall", "ms", median(runs.iter().map(|usage| usage.wall_ms)), Goal::None),
    ] {
        let what = format!("`run` of ten records with a warm cache, {what}");
        report.add(Row { what, unit, ours, reference: None, ratio: None, goal });
    }
    report.note(format!(
        "The first `run`, which compiles both components: {:.0} ms of processor time, {:.0} MiB.",
        cold.cpu_ms, cold.peak_mib
    ));
    Ok(())
}

/// `cofferdam run` with everything that it keeps in our hands.
pub(crate) fn run_line(program: &Path, sync: &Path, data: &Path, cache: &Path) -> Vec<OsString> {
    let words = ["run", "--json", "--data"].map(OsString::from);
    let mut line = vec![program.into()];
    line.extend(words);
    let key = data.with_extension("key");
    line.extend([data.into(), "--key-file".into(), key.into()]);
    line.extend(["--cache".into(), cache.into(), sync.into()]);
    line
}
