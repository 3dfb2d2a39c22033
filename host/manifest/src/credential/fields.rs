//! The fields of each kind: what an admin enters, and what the host keeps beside it.

use serde::Serialize;

use super::{CredentialKind, OAuth2Grant};

/// One thing that an admin enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Whether it is a secret; otherwise the connector may see it.
    pub secret: bool,
    /// Whether it may be left out.
    pub optional: bool,
}

/// One thing that the host keeps beside what was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its name.
    pub name: &'static str,
    /// Whether it is a secret.
    pub secret: bool,
}

const fn secret(name: &'static str) -> Field {
    Field { name, secret: true, optional: false }
}

const fn public(name: &'static str) -> Field {
    Field { name, secret: false, optional: false }
}

impl Field {
    const fn or_none(self) -> Self {
        Self { optional: true, ..self }
    }
}

const BEARER: [Field; 1] = [secret("token")];
const VALUE: [Field; 1] = [secret("value")];
pub(crate) const USERNAME: &str = "username";
const BASIC: [Field; 2] = [public(USERNAME), secret("password")];
/// Where a key stands in the place of a name, there is mostly no password.
pub(crate) const BASIC_OF_SECRETS: [Field; 2] = [secret(USERNAME), secret("password").or_none()];
const HMAC: [Field; 2] = [secret("key"), public("key_id").or_none()];
const HMAC_WITH_KEY_ID: [Field; 2] = [secret("key"), public("key_id")];
const AWS_SIGV4: [Field; 3] =
    [public("access_key_id"), secret("secret_access_key"), secret("session_token").or_none()];
/// Without a refresh token, `cofferdam connect` obtains one.
const AUTHORIZATION_CODE: [Field; 3] =
    [public("client_id"), secret("client_secret").or_none(), secret("refresh_token").or_none()];
const CLIENT_CREDENTIALS: [Field; 2] = [public("client_id"), secret("client_secret")];
const REFRESH_TOKEN: [Field; 3] =
    [public("client_id"), secret("client_secret").or_none(), secret("refresh_token")];
const JWT_BEARER: [Field; 4] =
    [secret("private_key"), public("issuer"), public("key_id").or_none(), public("subject").or_none()];
const MTLS: [Field; 2] = [public("certificate"), secret("private_key")];

const TOKEN: [Kept; 2] =
    [Kept { name: "access_token", secret: true }, Kept { name: "expires_at", secret: false }];

impl CredentialKind {
    /// The fields of this kind; what an admin enters is said by the ask.
    #[must_use]
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Self::Bearer => &BEARER,
            Self::Header(_) | Self::Query(_) => &VALUE,
            Self::Basic => &BASIC,
            Self::Hmac(hmac) if hmac.needs_key_id() => &HMAC_WITH_KEY_ID,
            Self::Hmac(_) => &HMAC,
            Self::AwsSigv4(_) => &AWS_SIGV4,
            Self::OAuth2(oauth2) => match oauth2.grant {
                OAuth2Grant::AuthorizationCode => &AUTHORIZATION_CODE,
                OAuth2Grant::ClientCredentials => &CLIENT_CREDENTIALS,
                OAuth2Grant::RefreshToken => &REFRESH_TOKEN,
            },
            Self::JwtBearer(_) => &JWT_BEARER,
            Self::Mtls => &MTLS,
        }
    }

    /// What the host keeps beside it.
    #[must_use]
    pub fn kept(&self) -> &'static [Kept] {
        match self {
            Self::OAuth2(_) | Self::JwtBearer(_) => &TOKEN,
            _ => &[],
        }
    }
}
