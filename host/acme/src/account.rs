//! The account at a directory: the one that is kept, or a new one, which is kept before it is used.

use crate::error::Error;
use crate::kept::Kept;
use crate::problem::wrong;
use crate::settings::Settings;
use crate::wire::Wire;
use instant_acme::{Account, ExternalAccountKey, NewAccount};

/// The account that is kept, if there is one.
pub(crate) async fn kept_account(
    settings: &Settings,
    kept: &Kept,
    wire: &Wire,
) -> Result<Option<Account>, Error> {
    let Some(credentials) = kept.account(&settings.account()).await? else { return Ok(None) };
    let builder = Account::builder_with_http(Box::new(wire.clone()));
    let account = builder.from_credentials(credentials).await;
    let account = account.map_err(|error| wrong("read the directory", error, wire))?;
    wire.clocks()?;
    Ok(Some(account))
}

/// The account of these settings.
pub(crate) async fn account(settings: &Settings, kept: &Kept, wire: &Wire) -> Result<Account, Error> {
    if let Some(account) = kept_account(settings, kept, wire).await? {
        return Ok(account);
    }
    let builder = Account::builder_with_http(Box::new(wire.clone()));
    let contact = settings.contact.as_ref().map(|contact| format!("mailto:{contact}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    // An operator has agreed: there are no settings of ACME without that.
    let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let external = settings.external.as_ref();
    let external = external.map(|external| ExternalAccountKey::new(external.id.clone(), &external.key));
    let created = builder.create(&new, settings.directory.to_string(), external.as_ref()).await;
    let (account, credentials) = created.map_err(|error| wrong("make an account", error, wire))?;
    wire.clocks()?;
    kept.keep_account(&settings.account(), &credentials).await?;
    Ok(account)
}
