//! A connection as whoever runs its connector gets it.

use super::{Connection, Connections, Consent};
use crate::error::Error;
use manifest::{Authority, CredentialGrant, Grants, Limits, Role, TlsGrant};
use std::path::PathBuf;

impl Connections {
    /// A connection as a document would have it under this name, and what its connector can be. The connector is named by the
    /// digest of its component: where that lies is known by whoever runs it. Of the rights there are those that an admin
    /// consented to, and of the credentials those that were entered for what is asked now.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::DirectoryNotOffered`], or when storage cannot be read.
    pub async fn run_connection(
        &self,
        organization: &str,
        id: &str,
        name: &str,
    ) -> Result<(manifest::Connection, Vec<Role>), Error> {
        let connection = self.read(organization, id).await?;
        let roles = self.roles(organization, id).await?;
        Ok((self.document(organization, connection, name)?, roles))
    }

    pub(crate) fn document(
        &self,
        organization: &str,
        connection: Connection,
        name: &str,
    ) -> Result<manifest::Connection, Error> {
        let consent = connection.consent.clone().unwrap_or_default();
        let directories = self.granted_directories(organization, &consent)?;
        Ok(manifest::Connection {
            name: name.to_owned(),
            grants: Grants { directories, ..granted(&connection, consent) },
            connector: PathBuf::from(connection.installation),
            config: connection.config,
            limits: Limits::default(),
        })
    }
}

/// All but directories, which are not everywhere at the same place.
fn granted(connection: &Connection, consent: Consent) -> Grants {
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
