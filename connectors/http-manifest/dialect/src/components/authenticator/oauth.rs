//! A token of an OAuth 2 server, which the host obtains and renews.

use super::{Authenticator, Source, literal, literals, only, required_source, source, word};
use crate::component::{Component, Fields};
use crate::template::{Names, Template};
use crate::words::quoted;

/// A token of an OAuth 2 server.
#[derive(Debug, Clone)]
pub struct OAuth {
    /// Where tokens are given.
    pub token_url: Template,
    /// How the first token comes about.
    pub grant: Grant,
    /// Where the client's id comes from.
    pub client_id: Source,
    /// Where the client's secret comes from.
    pub client_secret: Option<Source>,
    /// Where the refresh token comes from.
    pub refresh_token: Option<Source>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Whether the client names itself in a header, not in the form.
    pub names_itself_in_header: bool,
    /// More fields of the form.
    pub parameters: Vec<(String, String)>,
}

/// How the first token comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// The user enters a refresh token.
    RefreshToken,
    /// The client acts for itself.
    ClientCredentials,
}

const GRANTS: [(&str, Grant); 2] =
    [("refresh_token", Grant::RefreshToken), ("client_credentials", Grant::ClientCredentials)];

const FIELDS: Fields = Fields {
    read: &[
        "client_id",
        "client_secret",
        "refresh_token",
        "token_refresh_endpoint",
        "grant_type",
        "scopes",
        "refresh_request_body",
        "refresh_request_headers",
        "access_token_name",
        "expires_in_name",
        "client_id_name",
        "client_secret_name",
        "refresh_token_name",
        "grant_type_name",
    ],
    // The host keeps tokens and when they end, and tells its own errors from those of the provider.
    ignored: &[
        "access_token_value",
        "token_expiry_date",
        "token_expiry_date_format",
        "token_expiry_is_time_of_expiration",
        "refresh_token_updater",
        "refresh_token_error_status_codes",
        "refresh_token_error_key",
        "refresh_token_error_values",
    ],
    later: &[
        ("profile_assertion", "assertions in place of refresh tokens"),
        ("use_profile_assertion", "assertions in place of refresh tokens"),
    ],
};

/// Names that the host knows in one way only.
const NAMES: [(&str, &str); 6] = [
    ("access_token_name", "access_token"),
    ("expires_in_name", "expires_in"),
    ("client_id_name", "client_id"),
    ("client_secret_name", "client_secret"),
    ("refresh_token_name", "refresh_token"),
    ("grant_type_name", "grant_type"),
];

pub(super) fn read(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&FIELDS);
    for (name, value) in NAMES {
        only(component, name, value);
    }
    let grant = match component.field("grant_type") {
        Some(item) => word(&item, &GRANTS),
        None => Some(Grant::RefreshToken),
    };
    let token_url = component.required("token_refresh_endpoint");
    let token_url = token_url.map(|item| component.template_of(&item, Names::CONFIG));
    let client_id = required_source(component, "client_id");
    let scopes = component.field("scopes").map(|item| item.items()).unwrap_or_default();
    let scopes = scopes.iter().filter_map(literal).filter(|scope| !scope.is_empty()).collect();
    Some(Authenticator::OAuth(Box::new(OAuth {
        token_url: token_url?,
        grant: grant?,
        client_id: client_id?,
        client_secret: source(component, "client_secret"),
        refresh_token: source(component, "refresh_token"),
        scopes,
        names_itself_in_header: names_itself_in_header(component),
        parameters: literals(component, "refresh_request_body"),
    })))
}

/// Headers of the token's request that the host writes by itself: the form's type, and the client's name and secret.
fn names_itself_in_header(component: &Component<'_>) -> bool {
    let headers = component.field("refresh_request_headers").map(|item| item.entries()).unwrap_or_default();
    let mut found = false;
    for (name, item) in headers {
        let value = item.scalar_text().unwrap_or_default();
        let is_known = match name.to_ascii_lowercase().as_str() {
            "authorization" => {
                let basic = value.trim_start().to_ascii_lowercase().starts_with("basic ");
                found |= basic;
                basic
            }
            "content-type" => value.starts_with("application/x-www-form-urlencoded"),
            "accept" => true,
            _ => false,
        };
        if !is_known {
            item.fault(format!("the host asks for tokens without the header {}", quoted(&name)));
        }
    }
    found
}
