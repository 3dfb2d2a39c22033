//! `cofferdam keys verify`: every key is unwrapped, and every record opened where nobody else has the directory.

use serde_json::json;
use storage::Verified;

use crate::arguments::Verify;
use crate::data::Directory;
use crate::deployment::Deployment;
use crate::output::Output;
use crate::places;
use crate::problem::{Own, Problem, Problems};
use crate::units::{bytes, counted};

pub(super) async fn run(command: &Verify, output: &Output) -> Result<(), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let mut directory = Directory::existing(&path, &command.data.keys)?;
    let status = directory.keyring_beside()?.status()?;
    // Root, standing bucket, the other buckets, organizations.
    let keys = (2 + status.organizations + status.buckets.len()) as u64;
    let holder = directory.holder();
    let verified = match directory.keyring_unless_held()? {
        Some(keyring) => {
            let deployment = Deployment::open(directory, keyring).await?;
            let verified = deployment.storage.verify_all().await?;
            deployment.close().await?;
            Some(verified)
        }
        None => None,
    };
    show(keys, verified.as_ref(), holder.as_deref(), output)?;
    Problems::of(verified.iter().filter_map(fault).collect()).map_err(Problems::told_in_document)
}

fn show(
    keys: u64,
    verified: Option<&Verified>,
    holder: Option<&str>,
    output: &Output,
) -> Result<(), Problems> {
    let records = verified.map(|verified| verified.records);
    if output.json {
        let faults = verified.map(|verified| verified.faults);
        return output.document(&json!({ "keys": keys, "records": records, "faults": faults }));
    }
    let keys = counted(keys, "key opens", "keys open");
    output.text(&match verified {
        Some(verified) => {
            let records = counted(verified.records, "record opens", "records open");
            format!("{keys}; {records}, {}\n", bytes(verified.bytes))
        }
        None => format!(
            "{keys}; records were not looked at: the directory is in use by {}\n",
            holder.unwrap_or("another process")
        ),
    })
}

/// Those that do not open.
fn fault(verified: &Verified) -> Option<Problem> {
    let first = verified.first.first()?;
    let what = counted(verified.faults, "record does not open", "records do not open");
    let problem = Problem::from(Own::Unreadable { what });
    Some(problem.caused_by(format!("in the table `{}`: {} ({})", first.table, first.problem, first.code)))
}
