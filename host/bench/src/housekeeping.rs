//! What storage does besides commits: backups, sealing anew, purging, opening.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use storage::Life;
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::runtime::Runtime;

use crate::clock::{Took, Watch, median};
use crate::report::{Goal, Report, Row};
use crate::sealed::{Fill, HOUR_MS, Home, ORGANIZATION, Open};

const LARGE_BYTES: usize = 16 << 10;
const MEGABYTE: f64 = 1e6;
const OPENINGS: usize = 5;
/// 1 GiB.
const MUCH: Fill = Fill { records: 65_536, bytes: LARGE_BYTES, life: Life::Standing };
/// 64 MiB.
const SOME: Fill = Fill { records: 4_096, bytes: LARGE_BYTES, life: Life::Standing };
const EXPIRING: usize = 100_000;
const EXPIRING_BYTES: usize = 100;

pub(crate) fn run(tokio: &Runtime, directory: &Path, report: &mut Report) -> Result<()> {
    tokio.block_on(async {
        purge(directory, report).await?;
        backup_and_seal_anew(directory, report).await?;
        open_much(directory, report).await
    })
}

async fn purge(directory: &Path, report: &mut Report) -> Result<()> {
    let home = Home::new_in(directory)?;
    let open = home.open().await?;
    let life = Life::Until(open.storage.now_ms() + 3 * HOUR_MS);
    open.fill(Fill { records: EXPIRING, bytes: EXPIRING_BYTES, life }).await?;
    home.pass_ms(4 * HOUR_MS);
    let watch = Watch::start()?;
    let pass = open.storage.maintain().await?;
    let took = watch.stop()?;
    ensure!(pass.records_purged == EXPIRING as u64, "{} records were purged", pass.records_purged);
    report.add(Row {
        what: format!("purging {EXPIRING} expired records of {EXPIRING_BYTES} B"),
        unit: "k rows/s",
        ours: EXPIRING as f64 / 1e3 / took.wall.as_secs_f64(),
        reference: None,
        ratio: None,
        goal: Goal::AtLeast(10.0),
    });
    open.close().await
}

async fn backup_and_seal_anew(directory: &Path, report: &mut Report) -> Result<()> {
    let home = Home::new_in(directory)?;
    let open = home.open().await?;
    open.fill(SOME).await?;
    let (bytes, took) = backup(&home, &open).await?;
    report.add(speed("backup of 16 KiB records, synced", bytes as f64, took));
    let watch = Watch::start()?;
    let done = open.storage.rotate_organization(ORGANIZATION).await?;
    let took = watch.stop()?;
    ensure!(done.records >= SOME.records as u64, "{} records were sealed anew", done.records);
    report.add(speed("sealing 16 KiB records anew", done.bytes as f64, took));
    open.close().await
}

/// The bytes of the backup, and what it took until it was durable.
async fn backup(home: &Home, open: &Open) -> Result<(u64, Took)> {
    let watch = Watch::start()?;
    let file = tokio::fs::File::create(home.path().join("backup")).await?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let summary = open.storage.backup(&mut file).await?;
    file.flush().await?;
    file.get_ref().sync_all().await?;
    Ok((summary.bytes, watch.stop()?))
}

async fn open_much(directory: &Path, report: &mut Report) -> Result<()> {
    let home = Home::new_in(directory)?;
    let open = home.open().await?;
    let watch = Watch::start()?;
    open.fill(MUCH).await?;
    let took = watch.stop()?;
    report.add(speed("writing 1 GiB as 16 KiB records", (MUCH.records * MUCH.bytes) as f64, took));
    open.close().await?;
    let mut seconds = Vec::new();
    for _ in 0..OPENINGS {
        let watch = Watch::start()?;
        let open = home.open().await?;
        seconds.push(watch.stop()?.wall.as_secs_f64());
        open.close().await?;
    }
    let longest = seconds.iter().copied().reduce(f64::max).context("nothing was opened")?;
    report.add(Row {
        what: format!("opening storage with 1 GiB in it, the longest of {OPENINGS}"),
        unit: "s",
        ours: longest,
        reference: None,
        ratio: None,
        goal: Goal::AtMost(2.0),
    });
    report.note(format!(
        "Opening, each time after it was closed, with what was just written in the kernel's memory: {:.2} s in the median.",
        median(seconds)
    ));
    Ok(())
}

fn speed(what: &str, bytes: f64, took: Took) -> Row {
    let ours = bytes / MEGABYTE / took.wall.as_secs_f64();
    Row { what: what.to_owned(), unit: "MB/s", ours, reference: None, ratio: None, goal: Goal::None }
}
