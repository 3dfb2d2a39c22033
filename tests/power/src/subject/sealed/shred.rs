//! Organizations go, among others that stay.
//!
//! Marks: `passing ROUND` a row of an organization that will go.

use anyhow::Result;
use storage::{Change, Life, Range, Storage, Table};
use vault::{Bucket, Class};

use super::Host;
use super::rows::organization;

const ROUNDS: u32 = 4;
const STEPS: u32 = 5;
/// Rows of each.
const ROWS: u32 = 20;
const PASSING: Table = Table { name: "passing", class: Class::Rows, schema_version: 1 };

pub(super) async fn write(host: &Host) -> Result<()> {
    host.create_organizations().await?;
    host.canary("stays", &organization(0), Bucket::Standing)?;
    for round in 0..ROUNDS {
        // The same name comes again: what the one before has left is not found under it.
        let name = format!("passing-{}", round % 2);
        let part = format!("passing-{round}-");
        host.storage.create_organization(&name).await?;
        host.canary(&format!("{part}standing"), &name, Bucket::Standing)?;
        for row in 0..ROWS {
            let (key, value) = (row.to_string(), round.to_string());
            let change = Change::new(&name).put(PASSING, key, Life::Standing, value.into());
            host.storage.commit(change).await?;
            host.marks.say(&format!("passing {round}"))?;
        }
        host.steps(round * STEPS..(round + 1) * STEPS).await?;
        host.doom(&part)?;
        host.storage.delete_organization(&name).await?;
        host.doomed(&part)?;
    }
    Ok(())
}

/// The rounds whose rows are there, one for each row.
pub(super) async fn passing(storage: &Storage) -> Result<Vec<String>> {
    let mut rounds = Vec::new();
    for organization in storage.organizations() {
        let range = Range { limit: 2 * ROWS as usize, ..Range::default() };
        for (_, found) in storage.scan(&organization, PASSING, range).await? {
            rounds.push(String::from_utf8(found.value.expose().to_vec())?);
        }
    }
    Ok(rounds)
}
