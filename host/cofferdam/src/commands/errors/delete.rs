//! `cofferdam errors delete`: gone for every reader at once, and erased before the command ends, for no other process may
//! come that would do it.

use serde_json::json;

use crate::arguments::ErrorsDelete;
use crate::confirm::confirmed;
use crate::deployment::{Deployment, ORGANIZATION};
use crate::output::Output;
use crate::problem::Problems;
use crate::subject::{Chosen, Subject};
use crate::units::counted;

pub(super) async fn run(command: &ErrorsDelete, output: &Output) -> Result<(), Problems> {
    let subject = Subject::new(command.sync.as_deref(), &command.data)?;
    let deployment = Deployment::existing(&subject.data, &command.data).await?;
    let Chosen { syncs, filter } = Chosen::new(&deployment.records, &subject, &command.filters).await?;
    let mut found = 0;
    for sync in &syncs {
        found += deployment.records.count_errors(sync, &filter).await?.values().sum::<u64>();
    }
    if found > 0 {
        let what = format!("{} deleted for good", counted(found, "rejected row is", "rejected rows are"));
        confirmed(command.yes, &what, "delete")?;
    }
    let mut deleted = 0;
    for sync in &syncs {
        deleted += deployment.records.delete_errors(sync, &filter).await?;
    }
    let erased = deployment.storage.erase_now(ORGANIZATION).await?;
    deployment.close().await?;
    let resealed = erased.map_or(0, |erased| erased.records);
    if output.json {
        return output.document(&json!({ "deleted": deleted, "resealed": resealed }));
    }
    let mut text = format!("{} deleted", counted(deleted, "rejected row", "rejected rows"));
    if erased.is_some() {
        let anew = counted(resealed, "record was", "records were");
        text.push_str(&format!(
            " and erased: {anew} sealed anew, and the former key is destroyed\nearlier backups open no more: make a new one"
        ));
    }
    output.text(&format!("{text}\n"))
}
