//! `cofferdam credentials rotate`: other secrets for what a credential was entered for.

use records::{CredentialUpdate, UpdateCause};
use serde_json::json;

use crate::arguments::CredentialsRotate;
use crate::connect::{How, Obtained, Settings, by, obtained};
use crate::deployment::Deployment;
use crate::output::Output;
use crate::places;
use crate::problem::Problems;

pub(super) async fn run(command: &CredentialsRotate, output: &Output) -> Result<(), Problems> {
    let data = places::data_here(command.data.data.as_deref());
    let deployment = Deployment::existing(&data, &command.data).await?;
    let found = deployment.records.credential(&command.name).await;
    deployment.close().await?;
    let kept = found?;
    let settings = Settings::of(&kept)?;
    let how = How {
        given: &command.given,
        consent: &command.consent,
        network: &command.network,
        former: Some(&kept.public),
    };
    let Obtained { fields, expires_ms } = obtained(&settings, &kept.name, how, output).await?;
    let update = CredentialUpdate { fields, expires_ms, cause: UpdateCause::Rotated(by()) };
    let deployment = Deployment::existing(&data, &command.data).await?;
    // Only its person changes a credential from here on; a run that has renewed its tokens meanwhile has done so for the
    // former secrets.
    let seen = deployment.records.credential(&kept.name).await?.generation;
    let kept = deployment.records.update_credential(&kept.name, seen, update).await?;
    deployment.close().await?;
    if output.json {
        return output.document(&json!({ "rotated": kept }));
    }
    output.text(&format!("`{}` has new secrets; revoke the former ones where they came from\n", kept.name))
}
