//! Rows in files under `/data`, so that a test sees what is durable and visible, and when.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
};

use cofferdam_sdk::{Mode, Result, StreamPlan};

const TOKEN: &str = "/data/token";

/// The files of one writer.
#[derive(Default)]
pub(crate) struct Files {
    /// Mode and uncommitted lines of each stream.
    streams: BTreeMap<String, (Option<Mode>, String)>,
}

impl Files {
    /// The token of the last commit.
    pub(crate) fn token() -> Result<Option<String>> {
        match fs::read_to_string(TOKEN) {
            Ok(token) => Ok(Some(token)),
            Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Make the stream's file, as a table is made.
    pub(crate) fn prepare(&mut self, plan: &StreamPlan) -> Result<()> {
        let stream = &plan.schema.stream;
        append(&visible(stream), "")?;
        self.streams.insert(stream.clone(), (Some(plan.mode), String::new()));
        Ok(())
    }

    pub(crate) fn write(&mut self, stream: &str, rows: impl Iterator<Item = String>) {
        let (_, lines) = self.streams.entry(stream.to_owned()).or_default();
        rows.for_each(|row| lines.push_str(&(row + "\n")));
    }

    /// What replaces others is gathered beside them until the last commit of its generation.
    pub(crate) fn commit(&mut self, token: &str, last: bool) -> Result<()> {
        for (stream, (mode, lines)) in &mut self.streams {
            let lines = std::mem::take(lines);
            if *mode != Some(Mode::Replace) {
                append(&visible(stream), &lines)?;
                continue;
            }
            let gathered = format!("/data/{stream}.gathered");
            append(&gathered, &lines)?;
            if last {
                fs::rename(&gathered, visible(stream))?;
            }
        }
        Ok(fs::write(TOKEN, token)?)
    }
}

fn visible(stream: &str) -> String {
    format!("/data/{stream}.rows")
}

fn append(path: &str, text: &str) -> Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}
