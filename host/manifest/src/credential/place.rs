//! Where in a request a credential is put. What the connector itself wrote there is dropped.

use std::fmt;

use super::header_name::folded;
use super::{CredentialKind, Hmac};

/// A place that holds one credential at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// This header, in lower case.
    Header(String),
    /// This parameter of the query.
    Parameter(String),
    /// The signature over the request: a second one would sign the first, or not.
    Signature,
    /// The certificate that is shown when the connection is made.
    ClientCertificate,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(formatter, "the header `{name}`"),
            Self::Parameter(name) => {
                write!(formatter, "the query parameter {}", crate::text::quoted(name))
            }
            Self::Signature => formatter.write_str("the signature of the request"),
            Self::ClientCertificate => formatter.write_str("the client certificate"),
        }
    }
}

impl Place {
    /// Whether some server would take the two for one, or the host would drop one as it places the other.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Header(one), Self::Header(other)) => folded(one) == folded(other),
            (Self::Parameter(one), Self::Parameter(other)) => parameter(one) == parameter(other),
            (one, other) => one == other,
        }
    }
}

/// A parameter's name without an index in brackets, with `.` and space as `_` (PHP), and whatever its case (ASP.NET).
fn parameter(name: &str) -> String {
    let name = name.split('[').next().unwrap_or(name).trim();
    name.chars().map(|c| if matches!(c, '.' | ' ') { '_' } else { c.to_ascii_lowercase() }).collect()
}

impl CredentialKind {
    /// Every place that a credential of this kind takes.
    #[must_use]
    pub fn places(&self) -> Vec<Place> {
        let header = |name: &str| Place::Header(name.to_owned());
        match self {
            Self::Bearer | Self::Basic => vec![header("authorization")],
            Self::Header(place) => vec![header(&place.header)],
            Self::Query(place) => vec![Place::Parameter(place.parameter.clone())],
            Self::Hmac(hmac) => std::iter::once(Place::Signature).chain(hmac.headers().map(header)).collect(),
            Self::AwsSigv4(_) => {
                let headers = ["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token"];
                std::iter::once(Place::Signature).chain(headers.map(header)).collect()
            }
            Self::OAuth2(oauth2) => vec![header(&oauth2.header)],
            Self::JwtBearer(jwt) => vec![header(&jwt.header)],
            Self::Mtls => vec![Place::ClientCertificate],
        }
    }
}

impl Hmac {
    /// Every header that the host writes, the signature's first.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let others = [&self.timestamp_header, &self.nonce_header, &self.key_id_header];
        std::iter::once(self.header.as_str()).chain(others.into_iter().flatten().map(String::as_str))
    }

    /// Whether a request cannot be signed without the key's id.
    #[must_use]
    pub fn needs_key_id(&self) -> bool {
        self.key_id_header.is_some() || self.sign.parts().contains(&super::SignedPart::KeyId)
    }
}
