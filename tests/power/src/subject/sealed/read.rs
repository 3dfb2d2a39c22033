//! What is found in sealed storage.

use std::io::Write;

use anyhow::{Context, Result};
use storage::{Change, Life, Storage, Table};
use vault::{Class, Keyring};

use super::{purge, rows, shred};
use crate::keyring::opening;

/// Where the reader writes.
const OWN: Table = Table { name: "reader", class: Class::Metadata, schema_version: 1 };

pub(super) async fn read(storage: &Storage, marks: &[String]) -> Result<()> {
    let mut output = std::io::stdout().lock();
    for fact in rows::facts(storage).await? {
        writeln!(output, "{fact}")?;
    }
    for name in purge::living(storage, marks).await? {
        writeln!(output, "lives {name}")?;
    }
    for round in shred::passing(storage).await? {
        writeln!(output, "passing {round}")?;
    }
    for name in storage.with_keyring(|keyring| opening(keyring, marks))? {
        writeln!(output, "opens {name}")?;
    }
    writeln!(output, "deletion {}", storage.with_keyring(Keyring::status)?.deletion)?;
    drop(output);
    // What opens must also take changes, and go through a pass of maintenance.
    let organization = "reader";
    if !storage.organizations().iter().any(|known| known == organization) {
        storage.create_organization(organization).await?;
    }
    let change = Change::new(organization).put(OWN, "was here", Life::Standing, b"yes".to_vec());
    storage.commit(change).await.context("no change is taken")?;
    let change = Change::new(organization).delete(OWN, "was here");
    storage.commit(change).await.context("no change is taken")?;
    storage.maintain().await.context("no maintenance")?;
    Ok(())
}
