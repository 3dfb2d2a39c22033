//! Rows of `power::script` in sealed storage.

use anyhow::{Result, ensure};
use power::script;
use storage::{Change, Life, Range, Storage, Table};
use vault::Class;

use super::Host;

pub(super) const ROWS: Table = Table { name: "power", class: Class::Rows, schema_version: 1 };
/// A large value is kept so many times as long, so that storage has to cut it in chunks.
const LONGER: usize = 5;
const LARGE: usize = 20_000;

/// The organization of a writer.
pub(super) fn organization(writer: u32) -> String {
    format!("organization-{}", writer % 2)
}

impl Host {
    /// The organizations of the writers.
    pub(super) async fn create_organizations(&self) -> Result<()> {
        for writer in 0..2 {
            self.storage.create_organization(&organization(writer)).await?;
        }
        Ok(())
    }

    /// One step of a writer.
    pub(super) async fn step(&self, writer: u32, number: u32) -> Result<()> {
        let organization = organization(writer);
        let mut change = Change::new(&organization);
        for (key, value) in script::step(writer, number) {
            let found = self.storage.get(&organization, ROWS, key.as_bytes()).await?;
            let revision = found.map(|found| found.revision);
            change = change.expect(ROWS, key.as_bytes(), revision.as_ref());
            change = match value {
                Some(value) => change.put(ROWS, key, Life::Standing, longer(value)),
                None => change.delete(ROWS, key),
            };
        }
        self.marks.say(&format!("begin {writer} {number}"))?;
        self.storage.commit(change).await?;
        self.marks.say(&format!("acknowledged {writer} {number}"))
    }

    /// Steps of two writers of different organizations, one after the other.
    pub(super) async fn steps(&self, numbers: std::ops::Range<u32>) -> Result<()> {
        for number in numbers {
            self.step(0, number).await?;
            self.step(1, number).await?;
        }
        Ok(())
    }
}

/// The facts of the rows of all organizations.
pub(super) async fn facts(storage: &Storage) -> Result<Vec<String>> {
    let mut facts = Vec::new();
    for organization in storage.organizations() {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let range = Range { prefix: b"", after: after.as_deref(), limit: 50 };
            let rows = storage.scan(&organization, ROWS, range).await?;
            let Some((last, _)) = rows.last() else { break };
            let next = last.clone();
            for (key, found) in &rows {
                let one = storage.get(&organization, ROWS, key).await?;
                let one = one.map(|one| one.value.expose().to_vec());
                ensure!(one.as_deref() == Some(found.value.expose()), "a scan and a get differ");
                facts.push(script::fact(std::str::from_utf8(key)?, shorter(found.value.expose())?));
            }
            after = Some(next);
        }
    }
    Ok(facts)
}

fn longer(value: Vec<u8>) -> Vec<u8> {
    if value.len() < LARGE { value } else { value.repeat(LONGER) }
}

fn shorter(value: &[u8]) -> Result<&[u8]> {
    if value.len() < LARGE * LONGER {
        return Ok(value);
    }
    let (first, rest) = value.split_at(value.len() / LONGER);
    ensure!(rest.chunks(first.len()).all(|part| part == first), "a large value is not what was written");
    Ok(first)
}
