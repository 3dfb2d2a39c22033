//! `cofferdam credentials list`. Works beside a run.

use records::KeptCredential;
use serde_json::json;

use crate::arguments::CredentialsList;
use crate::control::Holder;
use crate::data::Directory;
use crate::deployment::Deployment;
use crate::output::Output;
use crate::places;
use crate::problem::Problems;
use crate::table::Table;
use crate::units::moment;

pub(super) async fn run(command: &CredentialsList, output: &Output) -> Result<(), Problems> {
    let data = places::data_here(command.data.data.as_deref());
    let mut directory = Directory::existing(&data, &command.data.keys)?;
    let kept = match directory.keyring_unless_held()? {
        None => Holder::of(&directory).credentials().await?,
        Some(keyring) => {
            let deployment = Deployment::open(directory, keyring).await?;
            let kept = deployment.records.credentials().await;
            deployment.close().await?;
            kept?
        }
    };
    if output.json {
        return output.document(&json!({ "credentials": kept }));
    }
    output.text(&text(&kept))
}

fn text(kept: &[KeptCredential]) -> String {
    let mut table = Table::new(&["NAME", "FOR", "KIND", "SENT TO", "STATE", "ENTERED", "BY"]);
    for one in kept {
        let binding = &one.binding;
        table.row([
            one.name.clone(),
            format!("{} of {}", binding.ask, binding.connector),
            binding.kind.clone(),
            binding.audience.join(", "),
            state(one),
            moment(one.entered_ms),
            one.entered_by.clone(),
        ]);
    }
    if table.is_empty() { "no credential is kept\n".to_owned() } else { table.render(0) }
}

fn state(kept: &KeptCredential) -> String {
    match (kept.redeeming_ms, kept.expires_ms) {
        (Some(since), _) => format!("a renewal was cut off at {}", moment(since)),
        (None, Some(expires)) => format!("token until {}", moment(expires)),
        (None, None) => "kept".to_owned(),
    }
}
