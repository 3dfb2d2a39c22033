//! `cofferdam errors list`.

use records::KeptError;
use serde_json::{Value, json};

use super::{known, state};
use crate::arguments::ErrorsList;
use crate::deployment::Deployment;
use crate::output::Output;
use crate::problem::Problems;
use crate::subject::{Chosen, Subject};
use crate::table::Table;
use crate::units::{counted, moment};

/// Those of one sync, and how many there are of it.
struct Listed {
    sync: String,
    errors: Vec<KeptError>,
    total: u64,
    next: Option<records::ErrorId>,
}

pub(super) async fn run(command: &ErrorsList, output: &Output) -> Result<(), Problems> {
    let subject = Subject::new(command.sync.as_deref(), &command.data)?;
    let deployment = Deployment::existing(&subject.data, &command.data).await?;
    let records = &deployment.records;
    let Chosen { syncs, filter } = Chosen::new(records, &subject, &command.filters).await?;
    let after = command.after.as_ref().map(|after| after.id);
    let mut listed = Vec::new();
    for sync in syncs {
        let page = records.errors(&sync, &filter, after, command.limit).await?;
        let total = records.count_errors(&sync, &filter).await?.values().sum();
        listed.push(Listed { sync, errors: page.errors, total, next: page.next });
    }
    deployment.close().await?;
    if output.json {
        return output.document(&document(&listed));
    }
    output.text(&text(&listed))?;
    output.aside(&more(&listed));
    Ok(())
}

fn document(listed: &[Listed]) -> Value {
    let errors = listed.iter().flat_map(|one| one.errors.iter().map(|error| known(&one.sync, error)));
    let total: u64 = listed.iter().map(|one| one.total).sum();
    let next = listed.iter().filter_map(|one| one.next.map(|next| format!("{}/{next}", one.sync)));
    json!({ "errors": errors.collect::<Vec<_>>(), "total": total, "next": next.collect::<Vec<_>>() })
}

fn text(listed: &[Listed]) -> String {
    let mut table =
        Table::new(&["ID", "STREAM", "OPERATION", "CODE", "STATE", ">TRIES", "REJECTED", "EXPIRES"]);
    for Listed { sync, errors, .. } in listed {
        for error in errors {
            table.row([
                format!("{sync}/{}", error.id),
                error.schema.stream.clone(),
                error.error.operation.map_or("", pipeline::model::Operation::name).to_owned(),
                error.error.code.clone(),
                state(error),
                error.tries.to_string(),
                moment(error.created_ms),
                error.expires_ms.map_or_else(String::new, moment),
            ]);
        }
    }
    if table.is_empty() { "there are no rejected rows\n".to_owned() } else { table.render(0) }
}

fn more(listed: &[Listed]) -> String {
    let more = listed.iter().filter_map(|one| {
        let next = one.next?;
        let total = counted(one.total, "row", "rows");
        Some(format!("`{}` has {total} in all; those behind: --after {}/{next}\n", one.sync, one.sync))
    });
    more.collect()
}
