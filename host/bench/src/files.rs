//! CSV files of several sizes to JSON Lines by the connector `files`: memory that does not grow with them, and the speed beside
//! a native program that does the same.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::child::{Usage, usage_of};
use crate::report::{Goal, Report, Row};
use crate::small_run::run_line;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// Small enough that all that is seen is what starting and compiling take.
const SMALL: u64 = MIB;
/// Memory is flat if it is the same for each of them.
const SIZES: [u64; 3] = [GIB / 4, GIB / 2, GIB];
const LONG_SIZES: [u64; 2] = [2 * GIB, 4 * GIB];
/// Of this size the speed is told, beside the native program's.
const TOLD: u64 = GIB;

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

pub(crate) fn run(program: &Path, components: &Path, is_long: bool, report: &mut Report) -> Result<()> {
    let components = std::fs::canonicalize(components)?;
    // Beside the components: a directory for temporary files may be memory.
    let directory = tempfile::tempdir_in(components.parent().unwrap_or(&components))?;
    let folder = Folder(directory.path());
    std::fs::create_dir(folder.at("data"))?;
    std::fs::write(folder.at("sync.toml"), SYNC.replace("COMPONENTS", &components.display().to_string()))?;
    write_csv(&folder.at(CSV), SMALL)?;
    let first = folder.sync(program)?;
    report.note(format!(
        "CSV to JSON Lines, the first `run`, which compiles the component: peak {:.0} MiB, with {} MiB of rows.",
        first.peak_mib,
        SMALL / MIB
    ));
    for bytes in SIZES.into_iter().chain(LONG_SIZES.into_iter().filter(|_| is_long)) {
        let rows = write_csv(&folder.at(CSV), bytes)?;
        let ours = folder.sync(program)?;
        ensure!(lines_of(&folder.at("out"))? == rows, "the sync lost rows");
        memory(bytes, &ours, report);
        if bytes == TOLD {
            speed(rows, &ours, &folder.natively(rows)?, report);
        }
    }
    Ok(())
}

const CSV: &str = "data/rows.csv";

/// Where the files of this benchmark are.
struct Folder<'a>(&'a Path);

impl Folder<'_> {
    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// All rows from nothing, with compiled code in the cache from the second time on.
    fn sync(&self, program: &Path) -> Result<Usage> {
        for old in ["out", "records"].map(|name| self.at(name)).iter().filter(|old| old.exists()) {
            std::fs::remove_dir_all(old)?;
        }
        std::fs::create_dir(self.at("out"))?;
        usage_of(&run_line(program, &self.at("sync.toml"), &self.at("records"), &self.at("cache")))
    }

    fn natively(&self, rows: u64) -> Result<Usage> {
        let native = self.at("native");
        std::fs::create_dir(&native)?;
        let out = native.join("rows.jsonl");
        let line = [std::env::current_exe()?.into(), "native-files".into(), self.at(CSV).into(), out.into()];
        let usage = usage_of(&line)?;
        ensure!(lines_of(&native)? == rows, "the native program lost rows");
        std::fs::remove_dir_all(&native)?;
        Ok(usage)
    }
}

fn memory(bytes: u64, ours: &Usage, report: &mut Report) {
    let size = bytes as f64 / GIB as f64;
    for (what, ours, goal) in [
        ("highest peak of memory", ours.peak_mib, Goal::AtMost(150.0)),
        ("memory in the median", ours.median_mib, Goal::None),
    ] {
        let what = format!("{size} GiB of CSV to JSON Lines, {what}");
        report.add(Row { what, unit: "MiB", ours, reference: None, ratio: None, goal });
    }
}

fn speed(rows: u64, ours: &Usage, native: &Usage, report: &mut Report) {
    let rate = |usage: &Usage| rows as f64 / 1e3 / usage.cpu_ms;
    report.add(Row {
        what: "1 GiB of CSV to JSON Lines".to_owned(),
        unit: "M rows per second of processor time",
        ours: rate(ours),
        reference: Some(rate(native)),
        ratio: None,
        goal: Goal::None,
    });
    report.note(format!(
        "1 GiB of CSV to JSON Lines: {rows} rows; on the wall {:.1} s, natively {:.1} s; the native program's peak is {:.0} MiB.",
        ours.wall_ms / 1e3,
        native.wall_ms / 1e3,
        native.peak_mib
    ));
}

/// Rows of numbers and texts, some of them quoted; returns how many.
fn write_csv(path: &Path, bytes_min: u64) -> Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let header = "id,name,city,price,quantity,active,note\n";
    file.write_all(header.as_bytes())?;
    let (mut rows, mut bytes) = (0_u64, header.len() as u64);
    while bytes < bytes_min {
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
