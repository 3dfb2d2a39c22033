//! The kinds of credentials, each with what must be known to use one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ConfigText, EndpointUrl, SignTemplate};
use crate::host::Error;

/// What a credential is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum CredentialKind {
    /// A token in `authorization: Bearer …`.
    Bearer,
    /// A value in a header.
    Header(Header),
    /// A value in the query.
    Query(Query),
    /// A user's name and password in `authorization: Basic …`.
    Basic,
    /// A keyed hash over parts of the request.
    Hmac(Hmac),
    /// Amazon's signature, version 4.
    AwsSigv4(AwsSigv4),
    /// A token that an OAuth 2 server gives and renews.
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuth2>),
    /// A token that is signed with a private key, or that such a token is exchanged for.
    JwtBearer(JwtBearer),
    /// A client certificate.
    Mtls,
}

/// A value in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The header's name, in lower case.
    pub header: String,
    /// What stands before the value.
    pub prefix: String,
}

/// A value in the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// The parameter's name, as it is before percent-encoding.
    pub parameter: String,
}

/// A keyed hash over parts of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hmac {
    /// What is signed.
    pub sign: SignTemplate,
    /// The hash.
    pub hash: Digest,
    /// How the signature is written.
    pub encoding: Encoding,
    /// How the key is written that the admin enters.
    pub key_encoding: KeyEncoding,
    /// The header of the signature, in lower case.
    pub header: String,
    /// What stands before the signature.
    pub prefix: String,
    /// The header that carries the time of signing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    /// How that time is written, there and in what is signed.
    pub timestamp: TimestampForm,
    /// The header that carries a number used once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_header: Option<String>,
    /// The header that carries the key's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id_header: Option<String>,
}

/// A hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Digest {
    /// SHA-1: broken as a hash, not yet as a keyed one; some services know no other.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits in lower case.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64 of the URL alphabet, without padding.
    Base64url,
}

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyEncoding {
    /// The bytes of the text are the key.
    Text,
    /// The text is the key in hexadecimal digits.
    Hex,
    /// The text is the key in base64, of either alphabet, padded or not.
    Base64,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimestampForm {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
    /// `2026-01-31T12:00:00Z`
    Rfc3339,
}

/// Amazon's signature, version 4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsSigv4 {
    /// The service, such as `s3`.
    pub service: ConfigText,
    /// The region, such as `eu-central-1`.
    pub region: ConfigText,
}

/// A token of an OAuth 2 server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OAuth2 {
    /// How the first token comes about.
    pub grant: OAuth2Grant,
    /// Where tokens are given. Only the host calls this and the other URLs.
    pub token_url: EndpointUrl,
    /// Where a user consents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize_url: Option<EndpointUrl>,
    /// Where a device asks for a code that the user types elsewhere (RFC 8628).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_url: Option<EndpointUrl>,
    /// Where a token is given back (RFC 7009).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_url: Option<EndpointUrl>,
    /// Who must have answered, where the answer says it (RFC 9207).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<EndpointUrl>,
    /// What is asked of the user.
    pub scopes: Vec<String>,
    /// What stands between two scopes: a space, unless the provider wants something else.
    pub scope_separator: String,
    /// How the host names itself to the token URL.
    pub client_authentication: ClientAuthentication,
    /// More parameters for the token URL.
    pub token_parameters: BTreeMap<String, String>,
    /// More parameters for the page on which the user consents.
    pub authorize_parameters: BTreeMap<String, String>,
    /// The header of the token, in lower case.
    pub header: String,
    /// What stands before the token.
    pub prefix: String,
}

/// How the first token comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OAuth2Grant {
    /// A user consents in a browser (with PKCE), or types a code on another device.
    AuthorizationCode,
    /// The client acts for itself.
    ClientCredentials,
    /// The admin enters a refresh token.
    RefreshToken,
}

/// How a client names itself to the token URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuthentication {
    /// In `authorization: Basic …`.
    Basic,
    /// In the form.
    Body,
}

/// A token that is signed with a private key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JwtBearer {
    /// How it is signed.
    pub algorithm: JwtAlgorithm,
    /// Where the signed token is exchanged for an access token (RFC 7523); none: requests carry the signed token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_url: Option<EndpointUrl>,
    /// The claim `aud`; none: the token URL, or no such claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_audience: Option<ConfigText>,
    /// The claim `scope`, and what is asked of the token URL.
    pub scopes: Vec<String>,
    /// How long a signed token is good.
    pub lifetime_ms: u64,
    /// More claims.
    pub claims: BTreeMap<String, String>,
    /// The header of the token, in lower case.
    pub header: String,
    /// What stands before the token.
    pub prefix: String,
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JwtAlgorithm {
    /// RSA with SHA-256 (PKCS #1 v1.5).
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl Digest {
    pub(crate) const CHOICES: [(&'static str, Self); 3] =
        [("sha256", Self::Sha256), ("sha512", Self::Sha512), ("sha1", Self::Sha1)];
}

impl Encoding {
    pub(crate) const CHOICES: [(&'static str, Self); 3] =
        [("hex", Self::Hex), ("base64", Self::Base64), ("base64url", Self::Base64url)];
}

impl KeyEncoding {
    pub(crate) const CHOICES: [(&'static str, Self); 3] =
        [("text", Self::Text), ("hex", Self::Hex), ("base64", Self::Base64)];
}

impl TimestampForm {
    pub(crate) const CHOICES: [(&'static str, Self); 3] =
        [("seconds", Self::Seconds), ("milliseconds", Self::Milliseconds), ("rfc3339", Self::Rfc3339)];
}

impl CredentialKind {
    /// The words of documents, in the order in which they are told.
    pub const WORDS: [&'static str; 9] =
        ["bearer", "header", "query", "basic", "hmac", "aws-sigv4", "oauth2", "jwt-bearer", "mtls"];

    /// The word that stands for it in documents.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Header(_) => "header",
            Self::Query(_) => "query",
            Self::Basic => "basic",
            Self::Hmac(_) => "hmac",
            Self::AwsSigv4(_) => "aws-sigv4",
            Self::OAuth2(_) => "oauth2",
            Self::JwtBearer(_) => "jwt-bearer",
            Self::Mtls => "mtls",
        }
    }

    /// Every URL that the host itself calls or opens for this credential, with the setting's name. None of them has to
    /// stand in the asks for hosts: the connector never calls them.
    #[must_use]
    pub fn endpoints(&self) -> Vec<(&'static str, &EndpointUrl)> {
        let endpoints = match self {
            Self::OAuth2(oauth2) => vec![
                ("token_url", Some(&oauth2.token_url)),
                ("authorize_url", oauth2.authorize_url.as_ref()),
                ("device_url", oauth2.device_url.as_ref()),
                ("revoke_url", oauth2.revoke_url.as_ref()),
                ("issuer", oauth2.issuer.as_ref()),
            ],
            Self::JwtBearer(jwt) => vec![("token_url", jwt.token_url.as_ref())],
            _ => Vec::new(),
        };
        endpoints.into_iter().filter_map(|(name, url)| url.map(|url| (name, url))).collect()
    }

    /// Those of them that the host calls while it runs a sync; the others are for `cofferdam connect` alone.
    #[must_use]
    pub fn called_endpoints(&self) -> Vec<&EndpointUrl> {
        match self {
            Self::OAuth2(oauth2) => vec![&oauth2.token_url],
            Self::JwtBearer(jwt) => jwt.token_url.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// JSON Pointers of the configuration values that the settings need.
    pub(crate) fn pointers(&self) -> Vec<String> {
        let mut pointers: Vec<String> =
            self.endpoints().into_iter().flat_map(|(_, url)| url.pointers()).collect();
        match self {
            Self::AwsSigv4(aws) => {
                pointers.extend(aws.service.pointer());
                pointers.extend(aws.region.pointer());
            }
            Self::JwtBearer(jwt) => {
                pointers.extend(jwt.token_audience.as_ref().and_then(ConfigText::pointer))
            }
            _ => {}
        }
        pointers
    }

    /// The settings with the configuration's values in them.
    pub(crate) fn resolve(&self, config: &Value) -> Result<Self, Error> {
        Ok(match self {
            Self::AwsSigv4(aws) => Self::AwsSigv4(AwsSigv4 {
                service: aws.service.resolve_word(config)?,
                region: aws.region.resolve_word(config)?,
            }),
            Self::OAuth2(oauth2) => Self::OAuth2(Box::new(OAuth2 {
                token_url: oauth2.token_url.resolve(config)?,
                authorize_url: resolve_optional(oauth2.authorize_url.as_ref(), config)?,
                device_url: resolve_optional(oauth2.device_url.as_ref(), config)?,
                revoke_url: resolve_optional(oauth2.revoke_url.as_ref(), config)?,
                issuer: resolve_optional(oauth2.issuer.as_ref(), config)?,
                ..oauth2.as_ref().clone()
            })),
            Self::JwtBearer(jwt) => Self::JwtBearer(JwtBearer {
                token_url: resolve_optional(jwt.token_url.as_ref(), config)?,
                token_audience: jwt.token_audience.as_ref().map(|text| text.resolve(config)).transpose()?,
                ..jwt.clone()
            }),
            other => other.clone(),
        })
    }
}

fn resolve_optional(url: Option<&EndpointUrl>, config: &Value) -> Result<Option<EndpointUrl>, Error> {
    url.map(|url| url.resolve(config)).transpose()
}
