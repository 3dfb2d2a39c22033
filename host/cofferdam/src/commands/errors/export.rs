//! `cofferdam errors export`: rejected rows with their values, for whoever repairs them.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use pipeline::records::RowCopy;
use pipeline::rows;
use records::{ErrorFilter, KeptError, SealedRecords};
use serde_json::{Map, Value, json};

use super::known;
use crate::arguments::{ErrorsExport, ExportFormat};
use crate::deployment::Deployment;
use crate::output::Output;
use crate::problem::{Own, Problem, Problems};
use crate::subject::{Chosen, Subject};
use crate::units::counted;

/// Rows that are in memory at one time.
const PAGE: usize = 256;

pub(super) async fn run(command: &ErrorsExport, output: &Output) -> Result<(), Problems> {
    let ExportFormat::JsonLines = command.format;
    let subject = Subject::new(command.sync.as_deref(), &command.data)?;
    let deployment = Deployment::existing(&subject.data, &command.data).await?;
    let Chosen { syncs, filter } = Chosen::new(&deployment.records, &subject, &command.filters).await?;
    let mut lines = Lines::to(command.to.as_deref(), output)?;
    for sync in syncs {
        write_all(&deployment.records, &sync, &filter, &mut lines).await?;
    }
    deployment.close().await?;
    lines.end(output)
}

async fn write_all(
    records: &SealedRecords,
    sync: &str,
    filter: &ErrorFilter,
    lines: &mut Lines<'_>,
) -> Result<(), Problems> {
    let mut after = None;
    loop {
        let page = records.errors(sync, filter, after, PAGE).await?;
        for error in &page.errors {
            lines.write(&Value::Object(whole(sync, error)))?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// All that is known of a rejected row.
pub(super) fn whole(sync: &str, error: &KeptError) -> Map<String, Value> {
    let mut map = known(sync, error);
    map.insert("message".into(), json!(error.error.message));
    let (row, reason) = row(error);
    map.insert("row".into(), row.unwrap_or_default());
    map.insert("without_row".into(), json!(reason));
    map
}

/// The row's values as JSON, or why there are none.
pub(super) fn row(error: &KeptError) -> (Option<Value>, Option<String>) {
    match &error.error.row {
        RowCopy::Row(row) => {
            let json = rows::row_json(&row.to_batch(), &error.schema, 0);
            match json.and_then(|json| serde_json::from_str(&json).ok()) {
                Some(value) => (Some(value), None),
                None => (None, Some("its values cannot be shown as JSON".to_owned())),
            }
        }
        RowCopy::Raw(bytes) => (Some(json!(String::from_utf8_lossy(bytes))), None),
        RowCopy::TooLarge { bytes } => {
            (None, Some(format!("the row was not kept: it has {}", crate::units::bytes(*bytes))))
        }
        RowCopy::Withheld => {
            let fields = error.error.fields.join(", ");
            (None, Some(format!("the row is not kept, by `row_data = \"off\"`; its fields: {fields}")))
        }
        RowCopy::GivenUp => (None, Some("the row was given up for memory".to_owned())),
    }
}

/// Where lines go.
struct Lines<'o> {
    to: Option<(BufWriter<File>, &'o Path)>,
    output: &'o Output,
    count: u64,
}

impl<'o> Lines<'o> {
    fn to(path: Option<&'o Path>, output: &'o Output) -> Result<Self, Problems> {
        let mut options = OpenOptions::new();
        // There are rows in it.
        options.write(true).create(true).truncate(true).mode(0o600);
        let to = match path {
            Some(path) => {
                let file = options.open(path).map_err(|source| failed(path, source))?;
                Some((BufWriter::new(file), path))
            }
            None => None,
        };
        Ok(Self { to, output, count: 0 })
    }

    fn write(&mut self, value: &Value) -> Result<(), Problems> {
        let line = serde_json::to_string(value).map_err(|error| Problem::bug(error.to_string()))?;
        self.count += 1;
        match &mut self.to {
            Some((file, path)) => Ok(writeln!(file, "{line}").map_err(|source| failed(path, source))?),
            None => self.output.text(&format!("{line}\n")),
        }
    }

    fn end(self, output: &Output) -> Result<(), Problems> {
        let Some((mut file, path)) = self.to else { return Ok(()) };
        file.flush().map_err(|source| failed(path, source))?;
        if output.json {
            return output.document(&json!({ "rows": self.count, "file": path }));
        }
        output.text(&format!(
            "{} in `{}`\n",
            counted(self.count, "rejected row", "rejected rows"),
            path.display()
        ))
    }
}

fn failed(path: &Path, source: std::io::Error) -> Problem {
    Own::Write { what: "the rejected rows", path: path.to_owned(), source }.into()
}
