//! A CSV file of 1 GB to JSON Lines by the connector `files`, beside a native program that does the same.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;

use anyhow::{Result, ensure};

use crate::child::{Usage, usage_of};
use crate::report::{Goal, Report, Row};
use crate::small_run::run_line;

const BYTES: u64 = 1 << 30;

const SYNC: &str = r#"
sync = 1
name = "files"

[source]
connector = "COMPONENTS/files.wasm"
[source.config]
path = "/data/rows.csv"
[source.grants.directories]
data = { path = "data" }

[destination]
connector = "COMPONENTS/files.wasm"
[destination.config]
directory = "/out"
format = "json_lines"
[destination.grants.directories]
out = { path = "out", access = "write" }
"#;

pub(crate) fn run(program: &Path, components: &Path, report: &mut Report) -> Result<()> {
    let components = std::fs::canonicalize(components)?;
    // Beside the components: a directory for temporary files may be memory.
    let directory = tempfile::tempdir_in(components.parent().unwrap_or(&components))?;
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("data"))?;
    std::fs::create_dir(at("out"))?;
    let rows = write_csv(&at("data/rows.csv"))?;
    std::fs::write(at("sync.toml"), SYNC.replace("COMPONENTS", &components.display().to_string()))?;
    let ours = usage_of(&run_line(program, &at("sync.toml"), &at("records"), &at("cache")))?;
    ensure!(lines_of(&at("out"))? == rows, "the sync lost rows");
    std::fs::create_dir(at("native"))?;
    let native = usage_of(&[
        std::env::current_exe()?.into(),
        "native-files".into(),
        at("data/rows.csv").into(),
        at("native/rows.jsonl").into(),
    ])?;
    ensure!(lines_of(&at("native"))? == rows, "the native program lost rows");
    tell(rows, &ours, &native, report);
    Ok(())
}

fn tell(rows: u64, ours: &Usage, native: &Usage, report: &mut Report) {
    let rate = |usage: &Usage| rows as f64 / 1e3 / usage.cpu_ms;
    report.add(Row {
        what: "1 GB CSV to JSON Lines, highest peak of memory".to_owned(),
        unit: "MiB",
        ours: ours.peak_mib,
        reference: Some(native.peak_mib),
        ratio: None,
        goal: Goal::AtMost(150.0),
    });
    report.add(Row {
        what: "1 GB CSV to JSON Lines".to_owned(),
        unit: "M rows per second of processor time",
        ours: rate(ours),
        reference: Some(rate(native)),
        ratio: None,
        goal: Goal::None,
    });
    report.note(format!(
        "1 GB CSV to JSON Lines: {rows} rows; on the wall {:.1} s, natively {:.1} s.",
        ours.wall_ms / 1e3,
        native.wall_ms / 1e3
    ));
}

/// Rows of numbers and texts, some of them quoted; returns how many.
fn write_csv(path: &Path) -> Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let header = "id,name,city,price,quantity,active,note\n";
    file.write_all(header.as_bytes())?;
    let (mut rows, mut bytes) = (0_u64, header.len() as u64);
    while bytes < BYTES {
        rows += 1;
        let line = line(rows);
        bytes += line.len() as u64;
        file.write_all(line.as_bytes())?;
    }
    file.flush()?;
    Ok(rows)
}

fn line(row: u64) -> String {
    // A multiplicative hash: values that look random and need no generator.
    let draw = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let city =
        ["Accra", "Bogotá", "Chennai", "Delft"].get((draw >> 62) as usize).copied().unwrap_or_default();
    let (price, quantity) = ((draw >> 40) % 1_000_000, (draw >> 20) % 1_000);
    let note = if row.is_multiple_of(4) {
        "\"said \"\"later\"\", twice\""
    } else {
        "cedar delta meadow north orchard"
    };
    let active = row.is_multiple_of(2);
    format!(
        "{row},amber harbor {quantity},{city},{}.{:02},{quantity},{active},{note}\n",
        price / 100,
        price % 100
    )
}

/// Lines of all files in a directory and below.
fn lines_of(directory: &Path) -> Result<u64> {
    let mut lines = 0;
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            lines += lines_of(&path)?;
            continue;
        }
        let mut reader = BufReader::with_capacity(1 << 20, File::open(&path)?);
        loop {
            let chunk = reader.fill_buf()?;
            if chunk.is_empty() {
                break;
            }
            lines += chunk.iter().filter(|byte| **byte == b'\n').count() as u64;
            let length = chunk.len();
            reader.consume(length);
        }
    }
    Ok(lines)
}
