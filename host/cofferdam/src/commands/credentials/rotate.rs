//! `cofferdam credentials rotate`: other secrets for what a credential was entered for. A run that goes on has the data
//! directory, and is given them: its next request has the new ones.

use records::{CredentialUpdate, KeptCredential, UpdateCause};
use serde_json::json;

use crate::arguments::CredentialsRotate;
use crate::connect::{How, Obtained, Settings, by, obtained};
use crate::control::{Holder, Rotation};
use crate::data::Directory;
use crate::deployment::Deployment;
use crate::output::Output;
use crate::places;
use crate::problem::Problems;

pub(super) async fn run(command: &CredentialsRotate, output: &Output) -> Result<(), Problems> {
    let kept = found(command).await?;
    let settings = Settings::of(&kept)?;
    let how = How {
        given: &command.given,
        consent: &command.consent,
        network: &command.network,
        former: Some(&kept.public),
    };
    // While a person types and consents, the data directory is free for others.
    let obtained = obtained(&settings, &kept.name, how, output).await?;
    let kept = entered(command, obtained).await?;
    if output.json {
        return output.document(&json!({ "rotated": kept }));
    }
    output.text(&format!("`{}` has new secrets; revoke the former ones where they came from\n", kept.name))
}

/// What is kept of it, without its secrets.
async fn found(command: &CredentialsRotate) -> Result<KeptCredential, Problems> {
    let mut directory = directory(command)?;
    let Some(keyring) = directory.keyring_unless_held()? else {
        return Holder::of(&directory).credential(&command.name).await;
    };
    let deployment = Deployment::open(directory, keyring).await?;
    let found = deployment.records.credential(&command.name).await;
    deployment.close().await?;
    Ok(found?)
}

async fn entered(command: &CredentialsRotate, obtained: Obtained) -> Result<KeptCredential, Problems> {
    let Obtained { fields, expires_ms } = obtained;
    let name = &command.name;
    let mut directory = directory(command)?;
    let Some(keyring) = directory.keyring_unless_held()? else {
        let rotation = Rotation { name: name.clone(), public: fields.public, expires_ms, by: by() };
        return Holder::of(&directory).rotate(&rotation, &fields.secret).await;
    };
    let update = CredentialUpdate { fields, expires_ms, cause: UpdateCause::Rotated(by()) };
    let deployment = Deployment::open(directory, keyring).await?;
    // Only its person changes a credential from here on; a run that has renewed its tokens meanwhile has done so for the
    // former secrets.
    let seen = deployment.records.credential(name).await?.generation;
    let kept = deployment.records.update_credential(name, seen, update).await;
    deployment.close().await?;
    Ok(kept?)
}

fn directory(command: &CredentialsRotate) -> Result<Directory, Problems> {
    Directory::existing(&places::data_here(command.data.data.as_deref()), &command.data.keys)
}
