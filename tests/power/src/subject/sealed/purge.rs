//! Rows that end, hour by hour.
//!
//! Marks: `fading NAME ENDS_MS` a row that is there until then.

use anyhow::{Context, Result, ensure};
use storage::{Change, Life, Storage, Table};
use vault::{Bucket, Class};

use super::Host;
use super::clock::HOUR_MS;
use crate::facts;

pub(super) const FADING: Table = Table { name: "fading", class: Class::Cache, schema_version: 1 };
const ORGANIZATION: &str = "organization-0";
const HOURS: u32 = 6;
/// Rows an hour.
const ROWS: u32 = 12;

pub(super) async fn write(host: &Host) -> Result<()> {
    host.create_organizations().await?;
    for hour in 0..HOURS {
        let now_ms = host.storage.now_ms();
        let ends_ms = (now_ms / HOUR_MS + 1) * HOUR_MS;
        let bucket = Bucket::Hour(u32::try_from(ends_ms / HOUR_MS)?);
        let part = format!("-hour{}", ends_ms / HOUR_MS);
        host.canary(&format!("acme{part}"), ORGANIZATION, bucket)?;
        for row in 0..ROWS {
            host.fading(&format!("{hour}-{row}"), ends_ms).await?;
            host.fading(&format!("{hour}-{row}-later"), ends_ms + 2 * HOUR_MS).await?;
        }
        host.steps(hour * 3..(hour + 1) * 3).await?;
        host.doom(&part)?;
        host.set_clock(ends_ms)?;
        let pass = host.storage.maintain().await?;
        ensure!(pass.buckets_destroyed.contains(&bucket), "{pass:?}");
        ensure!(pass.records_purged >= ROWS.into(), "{pass:?}");
        host.doomed(&part)?;
    }
    Ok(())
}

impl Host {
    async fn fading(&self, name: &str, ends_ms: u64) -> Result<()> {
        let change = Change::new(ORGANIZATION).put(FADING, name, Life::Until(ends_ms), name.into());
        self.storage.commit(change).await?;
        self.marks.say(&format!("fading {name} {ends_ms}"))
    }
}

/// Which of the rows that were said are there.
pub(super) async fn living(storage: &Storage, marks: &[String]) -> Result<Vec<String>> {
    let mut living = Vec::new();
    for said in facts::all(marks, "fading") {
        let (name, _) = said.split_once(' ').context("a name and an end")?;
        if let Some(found) = storage.get(ORGANIZATION, FADING, name.as_bytes()).await? {
            ensure!(found.value.expose() == name.as_bytes(), "`{name}` has another value");
            living.push(name.to_owned());
        }
    }
    Ok(living)
}
