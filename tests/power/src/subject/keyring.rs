//! The keyring by itself: keys come, are rotated and are shredded. A record for each key says whether it is still there.
//!
//! Marks: `record NAME ORGANIZATION BUCKET HEX` a key that must be there, `doom PART` those with this part in their names may
//! go, all or none, `doomed PART` they are gone.

use std::io::Write;
use std::sync::Arc;

use anyhow::{Context, Result};
use vault::{Bucket, Class, Keyring, Place};

use crate::home::{CREATED, DEPLOYMENT, Home};
use crate::marks::Marks;
use crate::{facts, hex};

const HOUR_MS: u64 = 60 * 60 * 1_000;
pub(crate) const NOW_MS: u64 = 1_000;
/// None of them ends.
const BUCKETS: [Bucket; 3] = [Bucket::Standing, Bucket::Hour(1_000), Bucket::Day(300)];
/// Those that end come one after the other from here.
const FIRST_HOUR: u32 = 20;
const ROUNDS: u32 = 3;

struct Writer {
    keyring: Keyring,
    marks: Marks,
}

pub(crate) fn write(home: &Home<'_>) -> Result<()> {
    let marks = Marks::open()?;
    let keyring = home.create()?;
    marks.say(CREATED)?;
    let mut writer = Writer { keyring, marks };
    writer.keyring.create_buckets(&BUCKETS, NOW_MS)?;
    for organization in ["acme", "other"] {
        writer.keyring.create_organization(organization)?;
        writer.records(organization, 1)?;
    }
    for round in 0..ROUNDS {
        writer.rotate_kek(home)?;
        writer.rotate_organization("acme")?;
        writer.shred_organization(&format!("passing-{round}"))?;
        writer.end_hour(FIRST_HOUR + round)?;
        writer.keyring.save_counters()?;
    }
    writer.doom("other-1-", |keyring| keyring.delete_organization("other"))?;
    writer.marks.say("end")
}

impl Writer {
    fn records(&self, organization: &str, generation: u32) -> Result<()> {
        BUCKETS.iter().try_for_each(|bucket| self.record(organization, *bucket, generation))
    }

    fn record(&self, organization: &str, bucket: Bucket, generation: u32) -> Result<()> {
        let name = format!("{organization}-{generation}-{}", bucket_name(bucket));
        let record = self.keyring.seal(&place(organization, bucket), name.as_bytes(), NOW_MS)?;
        let (bucket, record) = (bucket_name(bucket), hex::encode(&record));
        self.marks.say(&format!("record {name} {organization} {bucket} {record}"))
    }

    fn doom(
        &mut self,
        part: &str,
        shred: impl FnOnce(&mut Keyring) -> Result<(), vault::Error>,
    ) -> Result<()> {
        self.marks.say(&format!("doom {part}"))?;
        shred(&mut self.keyring)?;
        self.marks.say(&format!("doomed {part}"))
    }

    fn rotate_kek(&mut self, home: &Home<'_>) -> Result<()> {
        let file = home.key_file();
        file.add_key(&DEPLOYMENT, &self.keyring.kek_id())?;
        self.keyring.rotate_kek(Arc::new(file))?;
        self.marks.say("the KEK was rotated")
    }

    fn rotate_organization(&mut self, organization: &str) -> Result<()> {
        let generation = self.keyring.rotate_organization(organization)?;
        self.records(organization, generation)?;
        let before = format!("{organization}-{}-", generation - 1);
        self.doom(&before, |keyring| keyring.retire_generations(organization))
    }

    fn shred_organization(&mut self, organization: &str) -> Result<()> {
        self.keyring.create_organization(organization)?;
        self.records(organization, 1)?;
        self.doom(&format!("{organization}-1-"), |keyring| keyring.delete_organization(organization))
    }

    fn end_hour(&mut self, hour: u32) -> Result<()> {
        let bucket = Bucket::Hour(hour);
        self.keyring.create_buckets(&[bucket], NOW_MS)?;
        let organization = format!("hourly-{hour}");
        self.keyring.create_organization(&organization)?;
        self.record(&organization, bucket, 1)?;
        self.doom(&format!("-{}", bucket_name(bucket)), |keyring| {
            keyring.destroy_ended_buckets(u64::from(hour) * HOUR_MS).map(drop)
        })
    }
}

/// Prints the names of the records that open, and afterwards what the keyring says of itself.
pub(crate) fn read(home: &Home<'_>) -> Result<()> {
    let marks = facts::read()?;
    let keyring = home.open(&marks)?;
    let mut output = std::io::stdout().lock();
    for name in opening(&keyring, &marks)? {
        writeln!(output, "opens {name}")?;
    }
    let status = keyring.status()?;
    writeln!(output, "deletion {}", status.deletion)?;
    // What is opened is also written again.
    drop(keyring);
    Keyring::open(home.location(), Some(&DEPLOYMENT))?.save_counters()?;
    Ok(())
}

/// Prints the names of the records that open by any of the earlier keyrings that are given, with the keys of now.
pub(crate) fn read_earlier(home: &Home<'_>) -> Result<()> {
    let marks = facts::read()?;
    let earlier = std::env::var_os("POWER_EARLIER").context("no POWER_EARLIER")?;
    let mut output = std::io::stdout().lock();
    for entry in std::fs::read_dir(earlier)? {
        let location = home.location_of(entry?.path());
        let Ok(keyring) = Keyring::open_read_only(location, Some(&DEPLOYMENT)) else { continue };
        for name in opening(&keyring, &marks)? {
            writeln!(output, "earlier {name}")?;
        }
    }
    Ok(())
}

pub(crate) fn opening(keyring: &Keyring, marks: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for record in facts::all(marks, "record") {
        let parts: Vec<&str> = record.split(' ').collect();
        let [name, organization, bucket, record] = parts.as_slice() else {
            anyhow::bail!("a record of {} parts", parts.len());
        };
        let bucket = bucket_of(bucket).context("a bucket")?;
        let place = place(organization, bucket);
        // At a time when nothing has ended: what is gone must be gone by its key.
        let opened = keyring.open_record(&place, &hex::decode(record).context("hex")?, NOW_MS);
        if opened.is_ok_and(|plaintext| plaintext.expose() == name.as_bytes()) {
            names.push((*name).to_owned());
        }
    }
    Ok(names)
}

pub(crate) fn place(organization: &str, bucket: Bucket) -> Place<'_> {
    Place { organization, table: "power", key: b"a record", schema_version: 1, class: Class::Rows, bucket }
}

pub(crate) fn bucket_name(bucket: Bucket) -> String {
    match bucket {
        Bucket::Standing => "standing".to_owned(),
        Bucket::Hour(number) => format!("hour{number}"),
        Bucket::Day(number) => format!("day{number}"),
    }
}

fn bucket_of(name: &str) -> Option<Bucket> {
    if name == "standing" {
        return Some(Bucket::Standing);
    }
    match name.strip_prefix("hour") {
        Some(number) => number.parse().ok().map(Bucket::Hour),
        None => name.strip_prefix("day")?.parse().ok().map(Bucket::Day),
    }
}
