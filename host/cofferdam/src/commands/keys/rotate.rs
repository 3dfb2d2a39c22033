//! `cofferdam keys rotate`: a new key-encryption key, a new key of the organization, or both.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use storage::Resealing;
use vault::{KekProvider, KeyFile, OsFiles};

use crate::arguments::Rotate;
use crate::data::{Keys, Provider, Use, passphrase_kek};
use crate::deployment::{Deployment, ORGANIZATION};
use crate::output::Output;
use crate::places;
use crate::problem::Problems;
use crate::units::counted;

pub(super) async fn run(command: &Rotate, output: &Output) -> Result<(), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let mut deployment = Deployment::existing(&path, &command.data).await?;
    let mut kek = None;
    if !command.organization {
        rotate_kek(&mut deployment, command.new_passphrase_file.as_deref()).await?;
        kek = Some(deployment.storage.with_keyring(vault::Keyring::kek_id).to_string());
    }
    let mut resealed = None;
    if !command.kek {
        // `keys status` asks how far it has come.
        let beside = deployment.beside(None)?;
        let done = deployment.storage.rotate_organization(ORGANIZATION).await;
        beside.end().await;
        resealed = Some(done?);
    }
    deployment.close().await?;
    if output.json {
        let records = resealed.map(|resealed| resealed.records);
        return output.document(&json!({ "kek": kek, "resealed": records }));
    }
    output.text(&text(kek.as_deref(), resealed))
}

fn text(kek: Option<&str>, resealed: Option<Resealing>) -> String {
    let mut text = String::new();
    if let Some(kek) = kek {
        text.push_str(&format!("the keyring is wrapped under the new key {kek}\n"));
    }
    if let Some(Resealing { records, unreadable, .. }) = resealed {
        let anew = counted(records, "record is", "records are");
        text.push_str(&format!(
            "{anew} sealed anew; the former key is destroyed, and with it what was deleted\n"
        ));
        if unreadable > 0 {
            text.push_str(&format!(
                "{} open before already\n",
                counted(unreadable, "record did not", "records did not")
            ));
        }
        text.push_str("earlier backups open no more: make a new one\n");
    }
    text.push_str("make a new export: `cofferdam keys export`\n");
    text
}

/// The new key comes from where the former one came from.
async fn rotate_kek(deployment: &mut Deployment, new_passphrase: Option<&Path>) -> Result<(), Problems> {
    let settings = &deployment.directory.settings;
    let provider: Arc<dyn KekProvider> = match &settings.provider {
        Provider::KeyFile { path } => {
            let file = KeyFile::new(Arc::new(OsFiles), path.clone());
            let in_use = deployment.storage.with_keyring(vault::Keyring::kek_id);
            file.add_key(&settings.deployment, &in_use)?;
            Arc::new(file)
        }
        Provider::Passphrase { .. } => {
            let file = new_passphrase.filter(|path| *path != Path::new("-"));
            Arc::new(passphrase_kek(file, "new passphrase", Use::New)?)
        }
        Provider::Credential { .. } => deployment.directory.location().kek,
    };
    deployment.storage.with_keyring_mut(move |keyring| keyring.rotate_kek(provider)).await?;
    if let (Provider::Passphrase { .. }, Some(path)) =
        (&deployment.directory.settings.provider, new_passphrase)
    {
        let shred_key = deployment.directory.settings.shred_key.clone();
        deployment.directory.note_keys(Keys::passphrase(path, shred_key)?)?;
    }
    Ok(())
}
