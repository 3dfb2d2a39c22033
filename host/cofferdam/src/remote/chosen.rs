//! Which server is meant, who asks, and which organization: from the command line, the environment, or a login.

use vault::Plaintext;

use super::address::Address;
use super::client::Client;
use super::login::{Login, Logins};
use super::{Error, look_up, trust};
use crate::arguments::{Data, Server};
use crate::problem::{Own, Problems};

const SERVER: &str = "COFFERDAM_SERVER";
const ORGANIZATION: &str = "COFFERDAM_ORGANIZATION";
const TOKEN: &str = "COFFERDAM_TOKEN";
const ORGANIZATIONS: &str = "/v1/organizations";

impl Server {
    /// Whether a command that can be done here is to be done by a server. A data directory that is named is what is meant,
    /// whatever the environment says.
    pub(crate) fn is_meant(&self, data: &Data) -> Result<bool, Error> {
        match (&self.server, &data.data) {
            (Some(address), Some(_)) => {
                let reason = "a data directory is named beside it, and one of the two is asked";
                Err(Error::BadAddress { address: address.clone(), reason })
            }
            (Some(_), None) => Ok(true),
            (None, Some(_)) => Ok(false),
            (None, None) => Ok(variable(SERVER).is_some()),
        }
    }

    /// The server, asked by whoever is logged in there, or by a program with a token.
    pub(crate) fn client(&self) -> Result<Client, Problems> {
        let (address, login) = self.known()?;
        let token = match variable(TOKEN) {
            Some(token) => token,
            None => match &login {
                Some(login) => login.token.clone(),
                None => return Err(Error::NotLoggedIn { server: address.to_string() }.into()),
            },
        };
        let authorities = self.authorities_or(login)?;
        self.client_with(address, authorities.as_deref(), Some(Plaintext::new(token.into_bytes())))
    }

    /// The server, asked by nobody.
    pub(crate) fn stranger(&self) -> Result<Client, Problems> {
        let (address, login) = self.known()?;
        let authorities = self.authorities_or(login)?;
        self.client_with(address, authorities.as_deref(), None)
    }

    /// The server, asked by whoever is logged in there, whatever a program would be let in by.
    pub(crate) fn person(&self, login: Login) -> Result<Client, Problems> {
        let (address, _) = self.known()?;
        let token = Plaintext::new(login.token.clone().into_bytes());
        let authorities = self.authorities_or(Some(login))?;
        self.client_with(address, authorities.as_deref(), Some(token))
    }

    fn client_with(
        &self,
        address: Address,
        authorities: Option<&str>,
        token: Option<Plaintext>,
    ) -> Result<Client, Problems> {
        let tls = if address.is_tls { Some(self.trusting(authorities)?) } else { None };
        Ok(Client::new(address, tls, token))
    }

    fn trusting(&self, authorities: Option<&str>) -> Result<tokio_rustls::TlsConnector, Problems> {
        let path = || self.ca.clone().unwrap_or_default();
        let wrong = |reason| Own::WrongFile { what: "the file of authorities", path: path(), reason };
        Ok(trust::connector(authorities).map_err(wrong)?)
    }

    /// The authorities of the command line, or those that were given when somebody came in.
    pub(crate) fn authorities_or(&self, login: Option<Login>) -> Result<Option<String>, Problems> {
        let Some(path) = &self.ca else { return Ok(login.and_then(|login| login.authorities)) };
        let read = std::fs::read_to_string(path);
        let failed = |source| Own::Read { what: "the file of authorities", path: path.clone(), source };
        Ok(Some(read.map_err(failed)?))
    }

    /// Where the server is, and who is logged in there.
    pub(crate) fn known(&self) -> Result<(Address, Option<Login>), Problems> {
        let logins = Logins::read()?;
        let said = self.server.clone().or_else(|| variable(SERVER));
        let Some(said) = said.or_else(|| logins.current().map(ToOwned::to_owned)) else {
            return Err(Error::WhichServer { known: logins.known() }.into());
        };
        let address: Address = said.parse()?;
        let login = logins.at(&address.to_string()).cloned();
        Ok((address, login))
    }

    /// The id of the organization.
    pub(crate) async fn organization(&self, client: &Client) -> Result<String, Problems> {
        look_up::id(client, ORGANIZATIONS, self.named_organization().as_deref(), "organization").await
    }

    /// The same where no list has it any more.
    pub(crate) fn organization_by_id(&self) -> Result<String, Error> {
        let unsaid = Error::WhichOne { what: "organization", said: None, known: Vec::new() };
        self.organization.clone().or_else(|| variable(ORGANIZATION)).ok_or(unsaid)
    }

    fn named_organization(&self) -> Option<String> {
        let of_login = || self.known().ok()?.1?.organization;
        self.organization.clone().or_else(|| variable(ORGANIZATION)).or_else(of_login)
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
