//! A connection as whoever runs its connector gets it.

use super::{Connection, Connections};
use crate::error::Error;
use manifest::{Authority, CredentialGrant, Grants, Limits, Role, TlsGrant};
use std::path::PathBuf;

impl Connections {
    /// A connection as a document would have it under this name, and what its connector can be. The connector is named by the
    /// digest of its component: where that lies is known by whoever runs it. Of the rights there are those that an admin
    /// consented to, and of the credentials those that were entered for what is asked now.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], or when storage cannot be read.
    pub async fn run_connection(
        &self,
        organization: &str,
        id: &str,
        name: &str,
    ) -> Result<(manifest::Connection, Vec<Role>), Error> {
        let connection = self.read(organization, id).await?;
        let roles = self.roles(organization, id).await?;
        Ok((document(connection, name), roles))
    }
}

pub(crate) fn document(connection: Connection, name: &str) -> manifest::Connection {
    manifest::Connection {
        name: name.to_owned(),
        grants: granted(&connection),
        connector: PathBuf::from(connection.installation),
        config: connection.config,
        limits: Limits::default(),
    }
}

fn granted(connection: &Connection) -> Grants {
    let consent = connection.consent.clone().unwrap_or_default();
    let entered = connection.credentials.iter().filter(|credential| credential.is_current);
    let credentials = entered.map(|credential| {
        let reveal = consent.reveal.contains(&credential.ask);
        (credential.ask.clone(), CredentialGrant { stored: credential.stored.clone(), reveal })
    });
    Grants {
        credentials: credentials.collect(),
        hosts: consent.hosts,
        addresses: consent.addresses,
        tls: consent.authority.map(|pem| TlsGrant { ca: Authority::Pem(pem) }),
        ..Grants::default()
    }
}
