//! Reads the settings of each kind.

use std::collections::BTreeMap;

use super::{
    AwsSigv4, ClientAuthentication, ConfigText, CredentialKind, Digest, Encoding, EndpointUrl, Header, Hmac,
    JwtAlgorithm, JwtBearer, KeyEncoding, OAuth2, OAuth2Grant, Query, SignTemplate, SignedPart,
    TimestampForm, header_name,
};
use crate::amount::milliseconds;
use crate::asks::checked;
use crate::fault::Code;
use crate::reader::{Node, Table};
use crate::text::quoted;

/// Longer texts before a value, names of parameters, scopes and claims are mistakes.
const TEXT_BYTES_MAX: usize = 200;

/// More than any provider asks for.
const SCOPES_MAX: usize = 100;

/// RFC 7523 leaves it open; providers refuse more than an hour.
const LIFETIME_MS_MAX: u64 = 3_600_000;

/// Short enough for every provider that is known (the shortest takes ten minutes).
const LIFETIME_MS_DEFAULT: u64 = 300_000;

/// The keys of a kind, beside those that every kind has.
pub(super) fn keys(kind: &str) -> &'static [&'static str] {
    match kind {
        "header" => &["header", "prefix"],
        "query" => &["parameter"],
        "hmac" => &[
            "sign",
            "hash",
            "encoding",
            "key_encoding",
            "header",
            "prefix",
            "timestamp",
            "timestamp_header",
            "nonce_header",
            "key_id_header",
        ],
        "aws-sigv4" => &["service", "region"],
        "oauth2" => &[
            "grant",
            "token_url",
            "authorize_url",
            "device_url",
            "revoke_url",
            "issuer",
            "scopes",
            "scope_separator",
            "client_authentication",
            "token_parameters",
            "authorize_parameters",
            "header",
            "prefix",
        ],
        "jwt-bearer" => {
            &["algorithm", "token_url", "token_audience", "scopes", "lifetime", "claims", "header", "prefix"]
        }
        _ => &[],
    }
}

/// The kind with its settings.
pub(super) fn read(kind: &str, table: &Table<'_>) -> Option<CredentialKind> {
    Some(match kind {
        "bearer" => CredentialKind::Bearer,
        "header" => {
            let header = table.required("header").and_then(|header| read_header(&header));
            let prefix = read_prefix(table, "");
            CredentialKind::Header(Header { header: header?, prefix: prefix? })
        }
        "query" => {
            let parameter = table.required("parameter").and_then(|parameter| read_text(&parameter));
            CredentialKind::Query(Query { parameter: parameter? })
        }
        "basic" => CredentialKind::Basic,
        "hmac" => CredentialKind::Hmac(read_hmac(table)?),
        "aws-sigv4" => CredentialKind::AwsSigv4(read_aws(table)?),
        "oauth2" => CredentialKind::OAuth2(Box::new(read_oauth2(table)?)),
        "jwt-bearer" => CredentialKind::JwtBearer(read_jwt(table)?),
        "mtls" => CredentialKind::Mtls,
        _ => return None,
    })
}

fn read_hmac(table: &Table<'_>) -> Option<Hmac> {
    let sign = table.required("sign").and_then(|sign| read_template(&sign));
    let hash = table.required("hash").and_then(|hash| hash.choice(&Digest::CHOICES));
    let encoding = table.required("encoding").and_then(|encoding| encoding.choice(&Encoding::CHOICES));
    let key_encoding = word_or(table, "key_encoding", &KeyEncoding::CHOICES, KeyEncoding::Text);
    let header = table.required("header").and_then(|header| read_header(&header));
    let prefix = read_prefix(table, "");
    let timestamp = word_or(table, "timestamp", &TimestampForm::CHOICES, TimestampForm::Seconds);
    let timestamp_header = table.optional("timestamp_header", read_header);
    let nonce_header = table.optional("nonce_header", read_header);
    let key_id_header = table.optional("key_id_header", read_header);
    let hmac = Hmac {
        sign: sign?,
        hash: hash?,
        encoding: encoding?,
        key_encoding: key_encoding?,
        header: header?,
        prefix: prefix?,
        timestamp_header: timestamp_header?,
        timestamp: timestamp?,
        nonce_header: nonce_header?,
        key_id_header: key_id_header?,
    };
    can_be_checked(table, &hmac).then_some(hmac)
}

fn read_template(node: &Node<'_>) -> Option<SignTemplate> {
    let parsed = SignTemplate::parse(node.string()?);
    parsed.map_err(|message| node.fault(Code::WrongValue, message)).ok()
}

/// Whoever checks a signature must learn from the request what was signed.
fn can_be_checked(table: &Table<'_>, hmac: &Hmac) -> bool {
    let signs = |part: &SignedPart| hmac.sign.parts().contains(part);
    let mut sound = true;
    let mut fault = |key: &str, message: String| {
        sound = false;
        table.get(key).as_ref().unwrap_or(table.node()).fault(Code::WrongValue, message);
    };
    let carried = [
        (SignedPart::Timestamp, "timestamp_header", &hmac.timestamp_header),
        (SignedPart::Nonce, "nonce_header", &hmac.nonce_header),
    ];
    for (part, key, header) in carried {
        if signs(&part) && header.is_none() {
            fault("sign", format!("signs `{part}`, which no `{key}` carries"));
        }
    }
    if signs(&SignedPart::Header(hmac.header.clone())) {
        fault("sign", "signs the header of the signature itself".to_owned());
    }
    let headers: Vec<&str> = hmac.headers().collect();
    for (index, name) in headers.iter().enumerate() {
        if headers.iter().take(index).any(|earlier| earlier == name) {
            fault("header", format!("the header {} would be written twice", quoted(name)));
        }
    }
    sound
}

fn read_aws(table: &Table<'_>) -> Option<AwsSigv4> {
    let read = |key: &str| {
        let node = table.required(key)?;
        let text = checked(&node, ConfigText::parse(node.string()?))?;
        if !text.is_word() {
            node.fault(Code::WrongValue, "must be a word of letters, digits, `-` and `_`");
            return None;
        }
        Some(text)
    };
    let (service, region) = (read("service"), read("region"));
    Some(AwsSigv4 { service: service?, region: region? })
}

fn read_oauth2(table: &Table<'_>) -> Option<OAuth2> {
    let grants = [
        ("authorization-code", OAuth2Grant::AuthorizationCode),
        ("client-credentials", OAuth2Grant::ClientCredentials),
        ("refresh-token", OAuth2Grant::RefreshToken),
    ];
    let grant = word_or(table, "grant", &grants, OAuth2Grant::AuthorizationCode);
    let token_url = table.required("token_url").and_then(|url| read_url(&url));
    let authorize_url = table.optional("authorize_url", read_url);
    let device_url = table.optional("device_url", read_url);
    let revoke_url = table.optional("revoke_url", read_url);
    let issuer = table.optional("issuer", read_url);
    let scopes = read_scopes(table);
    let scope_separator = table.optional("scope_separator", read_separator);
    let words = [("basic", ClientAuthentication::Basic), ("body", ClientAuthentication::Body)];
    let client_authentication = word_or(table, "client_authentication", &words, ClientAuthentication::Basic);
    let token_parameters = read_parameters(table, "token_parameters", &TOKEN_PARAMETERS);
    let authorize_parameters = read_parameters(table, "authorize_parameters", &AUTHORIZE_PARAMETERS);
    let header = read_token_header(table);
    let prefix = read_prefix(table, "Bearer ");
    let oauth2 = OAuth2 {
        grant: grant?,
        token_url: token_url?,
        authorize_url: authorize_url?,
        device_url: device_url?,
        revoke_url: revoke_url?,
        issuer: issuer?,
        scopes: scopes?,
        scope_separator: scope_separator?.unwrap_or_else(|| " ".to_owned()),
        client_authentication: client_authentication?,
        token_parameters: token_parameters?,
        authorize_parameters: authorize_parameters?,
        header: header?,
        prefix: prefix?,
    };
    has_its_urls(table, &oauth2).then_some(oauth2)
}

/// A user consents somewhere, or nobody is asked.
fn has_its_urls(table: &Table<'_>, oauth2: &OAuth2) -> bool {
    let interactive = oauth2.authorize_url.is_some() || oauth2.device_url.is_some();
    if oauth2.grant == OAuth2Grant::AuthorizationCode {
        if !interactive {
            let hint =
                "name it, or say `grant = \"refresh-token\"` or `grant = \"client-credentials\"`".to_owned();
            table.node().fault_with(Code::MissingKey, "`authorize_url` is missing", Some(hint));
        }
        return interactive;
    }
    for key in ["authorize_url", "device_url", "authorize_parameters"] {
        if let Some(node) = table.get(key) {
            node.fault(Code::WrongValue, "goes with `grant = \"authorization-code\"` only");
            return false;
        }
    }
    true
}

fn read_jwt(table: &Table<'_>) -> Option<JwtBearer> {
    let algorithms = [("RS256", JwtAlgorithm::Rs256), ("ES256", JwtAlgorithm::Es256)];
    let algorithm = table.required("algorithm").and_then(|algorithm| algorithm.choice(&algorithms));
    let token_url = table.optional("token_url", read_url);
    let token_audience =
        table.optional("token_audience", |node| checked(node, ConfigText::parse(node.string()?)));
    let scopes = read_scopes(table);
    let lifetime_ms = table.optional("lifetime", |node| {
        let lifetime = milliseconds(node)?;
        if (1_000..=LIFETIME_MS_MAX).contains(&lifetime) {
            return Some(lifetime);
        }
        node.fault(Code::WrongValue, "must be from `1 s` to `1 h`");
        None
    });
    let claims = read_parameters(table, "claims", &CLAIMS);
    let header = read_token_header(table);
    let prefix = read_prefix(table, "Bearer ");
    Some(JwtBearer {
        algorithm: algorithm?,
        token_url: token_url?,
        token_audience: token_audience?,
        scopes: scopes?,
        lifetime_ms: lifetime_ms?.unwrap_or(LIFETIME_MS_DEFAULT),
        claims: claims?,
        header: header?,
        prefix: prefix?,
    })
}

/// Parameters of the token URL that the host writes (RFC 6749, 7523, 7636, 8628).
const TOKEN_PARAMETERS: [&str; 11] = [
    "grant_type",
    "code",
    "redirect_uri",
    "client_id",
    "client_secret",
    "refresh_token",
    "scope",
    "code_verifier",
    "assertion",
    "device_code",
    "client_assertion",
];

/// Parameters of the page of consent that the host writes.
const AUTHORIZE_PARAMETERS: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

/// Claims that the host writes, or that have settings of their own.
const CLAIMS: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope"];

fn read_parameters(table: &Table<'_>, key: &str, own: &[&str]) -> Option<BTreeMap<String, String>> {
    let Some(node) = table.get(key) else { return Some(BTreeMap::new()) };
    let entries: Vec<Option<(String, String)>> = node
        .open_table()?
        .entries()
        .map(|(name, value)| {
            if own.contains(&name) {
                value.fault(Code::WrongValue, format!("the host writes {} itself", quoted(name)));
                return None;
            }
            Some((name.to_owned(), read_text(&value)?))
        })
        .collect();
    entries.into_iter().collect()
}

fn read_scopes(table: &Table<'_>) -> Option<Vec<String>> {
    let items = table.optional("scopes", Node::items)?.unwrap_or_default();
    if let Some(first_too_many) = items.get(SCOPES_MAX) {
        first_too_many.fault(Code::WrongValue, format!("more than {SCOPES_MAX} scopes"));
        return None;
    }
    let read: Vec<Option<String>> = items.iter().map(read_scope).collect();
    read.into_iter().collect()
}

/// RFC 6749, section 3.3.
fn read_scope(node: &Node<'_>) -> Option<String> {
    let text = read_text(node)?;
    if text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\')) {
        return Some(text);
    }
    node.fault(Code::WrongValue, format!("{} is not one scope", quoted(&text)));
    None
}

fn read_separator(node: &Node<'_>) -> Option<String> {
    node.choice(&[(" ", " "), (",", ","), ("+", "+")]).map(ToOwned::to_owned)
}

fn read_url(node: &Node<'_>) -> Option<EndpointUrl> {
    checked(node, EndpointUrl::parse(node.string()?))
}

fn read_token_header(table: &Table<'_>) -> Option<String> {
    Some(table.optional("header", read_header)?.unwrap_or_else(|| "authorization".to_owned()))
}

fn read_header(node: &Node<'_>) -> Option<String> {
    header_name(node.string()?).map_err(|error| node.fault(Code::WrongValue, error.to_string())).ok()
}

/// What stands before a value in a header; it may be empty.
fn read_prefix(table: &Table<'_>, default: &str) -> Option<String> {
    let prefix = table.optional("prefix", |node| {
        let text = node.string()?;
        let sound = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
            && !text.starts_with(' ')
            && text.len() <= TEXT_BYTES_MAX;
        if !sound {
            let message = format!("{} cannot stand before a value in a header", quoted(text));
            node.fault(Code::WrongValue, message);
        }
        sound.then(|| text.to_owned())
    });
    Some(prefix?.unwrap_or_else(|| default.to_owned()))
}

fn read_text(node: &Node<'_>) -> Option<String> {
    node.line_of_text(TEXT_BYTES_MAX)
}

fn word_or<T: Copy>(table: &Table<'_>, key: &str, words: &[(&str, T)], default: T) -> Option<T> {
    Some(table.optional(key, |node| node.choice(words))?.unwrap_or(default))
}
