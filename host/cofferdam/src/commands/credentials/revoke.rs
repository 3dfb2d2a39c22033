//! `cofferdam credentials revoke`: gone for every reader at once, and erased before the command ends. A run that goes on has
//! the data directory, and is asked to do it: whatever it sends with the credential is cut off first.

use serde_json::json;

use crate::arguments::CredentialsRevoke;
use crate::confirm::confirmed;
use crate::connect::revoke::{Revoked, revoke};
use crate::control::Holder;
use crate::data::Directory;
use crate::deployment::Deployment;
use crate::output::Output;
use crate::places;
use crate::problem::Problems;
use crate::units::counted;

pub(super) async fn run(command: &CredentialsRevoke, output: &Output) -> Result<(), Problems> {
    let data = places::data_here(command.data.data.as_deref());
    let mut directory = Directory::existing(&data, &command.data.keys)?;
    let revoked = match directory.keyring_unless_held()? {
        None => of_holder(command, &directory).await?,
        Some(keyring) => {
            let deployment = Deployment::open(directory, keyring).await?;
            let revoked = of_ours(command, &deployment).await;
            deployment.close().await?;
            revoked?
        }
    };
    revoked.warnings.iter().for_each(|problem| output.warning(problem));
    if output.json {
        let Revoked { kept, provider_told, resealed, cut, .. } = &revoked;
        return output.document(&json!({
            "revoked": kept, "provider_told": provider_told, "resealed": resealed.unwrap_or_default(), "cut_off": cut,
        }));
    }
    output.text(&text(&revoked))
}

async fn of_ours(command: &CredentialsRevoke, deployment: &Deployment) -> Result<Revoked, Problems> {
    let kept = deployment.records.credential(&command.name).await?;
    confirmed(command.yes, &what(&kept), &command.name)?;
    revoke(&deployment.records, &deployment.storage, &command.name, &command.network).await
}

async fn of_holder(command: &CredentialsRevoke, directory: &Directory) -> Result<Revoked, Problems> {
    let holder = Holder::of(directory);
    let kept = holder.credential(&command.name).await?;
    confirmed(command.yes, &format!("{}, and what uses it now is cut off", what(&kept)), &command.name)?;
    holder.revoke(&command.name).await
}

fn what(kept: &records::KeptCredential) -> String {
    format!(
        "the credential `{}`, for `{}` of {}, is deleted for good",
        kept.name, kept.binding.ask, kept.binding.connector
    )
}

fn text(revoked: &Revoked) -> String {
    let mut text = String::new();
    for effect in &revoked.cut {
        let requests = counted(effect.cut as u64, "request was", "requests were");
        text.push_str(&format!("`{}` is cut off: {requests} under way\n", effect.connection));
    }
    text.push_str(&format!("`{}` is deleted", revoked.kept.name));
    if let Some(records) = revoked.resealed {
        let anew = counted(records, "record was", "records were");
        text.push_str(&format!(
            " and erased: {anew} sealed anew, and the former key is destroyed\nearlier backups open no more: make a new one"
        ));
    }
    text.push_str(match revoked.provider_told {
        true => "\nits provider was told and takes it no more\n",
        false => "\nrevoke it where it came from too: whoever has a copy of it can still use it there\n",
    });
    text
}
