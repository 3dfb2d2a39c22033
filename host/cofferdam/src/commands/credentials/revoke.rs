//! `cofferdam credentials revoke`: gone for every reader at once, and erased before the command ends.

use serde_json::json;

use crate::arguments::CredentialsRevoke;
use crate::confirm::confirmed;
use crate::connect;
use crate::deployment::{Deployment, ORGANIZATION};
use crate::output::Output;
use crate::places;
use crate::problem::Problems;
use crate::units::counted;

pub(super) async fn run(command: &CredentialsRevoke, output: &Output) -> Result<(), Problems> {
    let data = places::data_here(command.data.data.as_deref());
    let deployment = Deployment::existing(&data, &command.data).await?;
    let opened = deployment.records.open_credential(&command.name).await?;
    let what = format!(
        "the credential `{}`, for `{}` of {}, is deleted for good",
        opened.kept.name, opened.kept.binding.ask, opened.kept.binding.connector
    );
    confirmed(command.yes, &what, &command.name)?;
    // Before it is gone here: afterwards nobody could tell its provider any more. What the provider answers stops nothing.
    let told = connect::given_back(&opened, &command.network, output).await;
    drop(opened);
    let revoked = deployment.records.revoke_credential(&command.name).await?;
    let erased = deployment.storage.erase_now(ORGANIZATION).await?;
    deployment.close().await?;
    if output.json {
        let resealed = erased.map_or(0, |erased| erased.records);
        return output.document(&json!({ "revoked": revoked, "provider_told": told, "resealed": resealed }));
    }
    let mut text = format!("`{}` is deleted", revoked.name);
    if let Some(erased) = erased {
        let anew = counted(erased.records, "record was", "records were");
        text.push_str(&format!(
            " and erased: {anew} sealed anew, and the former key is destroyed\nearlier backups open no more: make a new one"
        ));
    }
    text.push_str(match told {
        true => "\nits provider was told and takes it no more\n",
        false => "\nrevoke it where it came from too: whoever has a copy of it can still use it there\n",
    });
    output.text(&text)
}
