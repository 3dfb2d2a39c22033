//! `cofferdam connect`: a person enters a credential, and it is kept sealed.

use records::{EnteredCredential, KeptCredential};
use serde_json::json;

use crate::arguments::Connect;
use crate::connect::{
    Candidates, Chosen, Error, How, Obtained, Settings, by, line_to_add, missing, obtained,
};
use crate::deployment::Deployment;
use crate::output::Output;
use crate::problem::{Problem, Problems, REVEALED};
use crate::remote;
use crate::text::plain_line;

pub(super) async fn run(command: &Connect, output: &Output) -> Result<(), Problems> {
    if command.server.is_meant(&command.data)? {
        return remote::connect(command, output).await;
    }
    let candidates = Candidates::of(command)?;
    let data = candidates.data.clone();
    let mut chosen = candidates.named(command.ask.as_deref())?;
    if chosen.len() > 1 {
        let deployment = Deployment::made(&data, &command.data, output).await?;
        let found = missing(chosen, &deployment.records).await;
        deployment.close().await?;
        chosen = found?;
    }
    if let [first] = chosen.as_mut_slice() {
        first.name = command.name.clone().unwrap_or_else(|| first.name.clone());
    } else if command.name.is_some() || !command.given.is_empty() {
        let known = chosen.iter().map(|one| format!("`{}`", one.settings.ask.name)).collect();
        return Err(Error::WhichAsk { known, option: "--ask" }.into());
    }
    // While a person types, reads and consents, the data directory is free for others.
    let mut entered = Vec::new();
    for one in &chosen {
        output.aside(&introduced(one));
        if one.settings.ask.reveal {
            output.warning(&held(one));
        }
        let how =
            How { given: &command.given, consent: &command.consent, network: &command.network, former: None };
        entered.push(obtained(&one.settings, &one.name, how, output).await?);
    }
    let deployment = Deployment::made(&data, &command.data, output).await?;
    let mut kept = Vec::new();
    for (one, obtained) in chosen.iter().zip(entered) {
        kept.push(deployment.records.enter_credential(as_kept(one, obtained)).await?);
    }
    deployment.close().await?;
    show(&chosen, &kept, output)
}

fn as_kept(chosen: &Chosen, obtained: Obtained) -> EnteredCredential {
    let Obtained { fields, expires_ms } = obtained;
    EnteredCredential {
        name: chosen.name.clone(),
        binding: chosen.binding.clone(),
        settings: chosen.settings.to_value(),
        fields,
        expires_ms,
        by: by(),
    }
}

/// What a person agrees to by entering it.
fn introduced(chosen: &Chosen) -> String {
    let Chosen { settings: Settings { ask, .. }, binding, name, .. } = chosen;
    let reason = ask.reason.as_deref().map_or_else(String::new, |reason| format!(": {}", plain_line(reason)));
    let mut text = format!("credential `{}` of {} ({}){reason}\n", ask.name, binding.connector, binding.kind);
    for rule in &binding.audience {
        text.push_str(&format!("  sent to  {}\n", plain_line(rule)));
    }
    for (what, url) in ask.kind.endpoints() {
        text.push_str(&format!("  {what}  {}\n", plain_line(&url.to_string())));
    }
    text.push_str(&format!("  kept as  {name}\n"));
    text
}

fn held(chosen: &Chosen) -> Problem {
    let message = format!(
        "the connector wants to hold the secret of `{}` itself, and can do with it whatever it may do",
        chosen.settings.ask.name
    );
    Problem::new(REVEALED, message).hint("enter it only if you trust the connector's publisher with it")
}

fn show(chosen: &[Chosen], kept: &[KeptCredential], output: &Output) -> Result<(), Problems> {
    if output.json {
        return output.document(&json!({ "entered": kept }));
    }
    let mut text = String::new();
    for (one, kept) in chosen.iter().zip(kept) {
        text.push_str(&format!(
            "`{}` is kept, for `{}` of {}\n",
            kept.name, kept.binding.ask, kept.binding.connector
        ));
        if !one.is_granted {
            text.push_str("to let a sync use it, add\n");
            line_to_add(one).lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    }
    output.text(&text)
}
