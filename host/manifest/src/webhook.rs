//! What a connector that understands messages says of them: which headers it wants to see, by which header a message that
//! comes twice is known, and how the sender signs. The host checks signatures; the connector never sees the key.

use serde::{Deserialize, Serialize};

use crate::amount;
use crate::credential::{
    Digest, Encoding, KeyEncoding, SignTemplate, SignedPart, TimestampForm, is_header_name,
};
use crate::fault::Code;
use crate::reader::{Node, Table, refuse_duplicates};
use crate::text::quoted;

/// A connector that wants more looks at everything.
const HEADERS_MAX: usize = 32;
/// Senders that sign are a few seconds off; five minutes is what Standard Webhooks names.
const TOLERANCE_MS: u64 = 5 * 60 * 1_000;
/// For so long a message that somebody has seen could be sent again.
const TOLERANCE_MS_MAX: u64 = 60 * 60 * 1_000;
const PREFIX_CHARS_MAX: usize = 32;
/// Of a member of a body and what it says.
const WORD_CHARS_MAX: usize = 100;

/// Headers in which senders and proxies put what lets somebody in. No connector sees them.
const SECRET_HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-forwarded-for"];

/// What a connector says of the messages that it understands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookAsk {
    /// The headers that it sees, in lower case.
    pub headers: Vec<String>,
    /// The header that holds a message's id; none: of Standard Webhooks the id of that scheme, and otherwise no message has one.
    pub id_header: Option<String>,
    /// How the sender signs; none: it does not.
    pub signature: Option<SignatureScheme>,
    /// How the sender asks by a message whether the endpoint is ours; none: it does not.
    #[serde(default)]
    pub challenge: Option<BodyChallenge>,
}

/// A message that is no message: its sender asks whether the endpoint is ours, and wants a word of it back. Its body is JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyChallenge {
    /// The member of the body by which it is known.
    pub field: String,
    /// What that member says.
    pub value: String,
    /// The member whose text is sent back.
    pub answer: String,
}

/// How a sender signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureScheme {
    /// As <https://www.standardwebhooks.com> says, with a symmetric key.
    StandardWebhooks {
        /// How far the signed time may be off.
        tolerance_ms: u64,
    },
    /// A keyed hash in a header.
    HmacHeader(HmacHeader),
    /// Nothing is signed: the sender shows a name and a password (RFC 7617), which are the key.
    Basic,
}

/// A keyed hash in a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HmacHeader {
    /// The header, in lower case.
    pub header: String,
    /// The word before the signature that is part of the header and not of the signature; of a header of several fields
    /// `name=value, …` that is `fields`.
    pub prefix: String,
    /// Which fields of the header are what; none: the header is the signature.
    pub fields: Option<HeaderFields>,
    /// What is signed.
    pub sign: SignTemplate,
    /// The hash.
    pub hash: Digest,
    /// How the signature is written.
    pub encoding: Encoding,
    /// How the key is written that is entered.
    pub key_encoding: KeyEncoding,
    /// The header of the time that is signed.
    pub timestamp_header: Option<String>,
    /// How that time is written.
    pub timestamp: TimestampForm,
    /// How far it may be off.
    pub tolerance_ms: u64,
}

/// Fields of a header that is written `t=1,v1=ab,v1=cd`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderFields {
    /// The name of those that hold a signature.
    pub signature: String,
    /// The name of the one that holds the time.
    pub timestamp: Option<String>,
}

impl WebhookAsk {
    /// The header in which a message's id stands.
    #[must_use]
    pub fn id_header(&self) -> Option<&str> {
        match (&self.id_header, &self.signature) {
            (Some(header), _) => Some(header),
            (None, Some(SignatureScheme::StandardWebhooks { .. })) => Some("webhook-id"),
            (None, _) => None,
        }
    }
}

impl SignatureScheme {
    /// How far the signed time may be off; none: no time is signed.
    #[must_use]
    pub fn tolerance_ms(&self) -> Option<u64> {
        match self {
            Self::StandardWebhooks { tolerance_ms } => Some(*tolerance_ms),
            Self::HmacHeader(hmac) => hmac.signs_time().then_some(hmac.tolerance_ms),
            Self::Basic => None,
        }
    }

    /// The word that stands for it in documents.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::StandardWebhooks { .. } => "standard-webhooks",
            Self::HmacHeader(_) => "hmac-header",
            Self::Basic => "basic",
        }
    }
}

impl HmacHeader {
    /// Whether the time is part of what is signed.
    #[must_use]
    pub fn signs_time(&self) -> bool {
        self.sign.parts().contains(&SignedPart::Timestamp)
    }
}

/// The `webhook` of a manifest.
pub(crate) fn read_webhook(node: &Node<'_>) -> Option<WebhookAsk> {
    let table = node.table(&["headers", "id_header", "signature", "challenge"])?;
    let headers = table.optional("headers", read_headers);
    let id_header = table.optional("id_header", read_header);
    let signature = table.optional("signature", read_signature);
    let challenge = table.optional("challenge", read_challenge);
    Some(WebhookAsk {
        headers: headers?.unwrap_or_default(),
        id_header: id_header?,
        signature: signature?,
        challenge: challenge?,
    })
}

fn read_challenge(node: &Node<'_>) -> Option<BodyChallenge> {
    let table = node.table(&["field", "value", "answer"])?;
    let word = |name| table.required(name).and_then(|node| node.line_of_text(WORD_CHARS_MAX));
    let (field, value, answer) = (word("field"), word("value"), word("answer"));
    Some(BodyChallenge { field: field?, value: value?, answer: answer? })
}

fn read_headers(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.items()?;
    if let Some(first_too_many) = items.get(HEADERS_MAX) {
        first_too_many.fault(Code::WrongValue, format!("more than {HEADERS_MAX} headers"));
        return None;
    }
    let read: Vec<Option<String>> = items.iter().map(read_header).collect();
    let names = read.iter().zip(&items).filter_map(|(name, node)| Some((name.as_deref()?, node)));
    refuse_duplicates("the header", names);
    read.into_iter().collect()
}

fn read_header(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    let name = text.to_ascii_lowercase();
    if !is_header_name(text) {
        node.fault(Code::WrongValue, format!("{} is not the name of a header", quoted(text)));
    } else if SECRET_HEADERS.contains(&name.as_str()) {
        node.fault(Code::WrongValue, format!("the header {} is the host's alone", quoted(&name)));
    } else {
        return Some(name);
    }
    None
}

fn read_signature(node: &Node<'_>) -> Option<SignatureScheme> {
    let open = node.open_table()?;
    let schemes =
        [("standard-webhooks", Scheme::Standard), ("hmac-header", Scheme::Hmac), ("basic", Scheme::Basic)];
    match open.required("scheme")?.choice(&schemes)? {
        Scheme::Standard => {
            let table = node.table(&["scheme", "tolerance"])?;
            Some(SignatureScheme::StandardWebhooks { tolerance_ms: read_tolerance(&table)? })
        }
        Scheme::Hmac => read_hmac(node).map(SignatureScheme::HmacHeader),
        Scheme::Basic => node.table(&["scheme"]).map(|_| SignatureScheme::Basic),
    }
}

#[derive(Clone, Copy)]
enum Scheme {
    Standard,
    Hmac,
    Basic,
}

fn read_tolerance(table: &Table<'_>) -> Option<u64> {
    let read = |node: &Node<'_>| {
        let tolerance_ms = amount::milliseconds(node)?;
        if (1_000..=TOLERANCE_MS_MAX).contains(&tolerance_ms) {
            return Some(tolerance_ms);
        }
        node.fault(Code::WrongValue, "must be from 1 s to 1 h");
        None
    };
    Some(table.optional("tolerance", read)?.unwrap_or(TOLERANCE_MS))
}

fn read_hmac(node: &Node<'_>) -> Option<HmacHeader> {
    let table = node.table(&[
        "scheme",
        "header",
        "prefix",
        "fields",
        "sign",
        "hash",
        "encoding",
        "key_encoding",
        "timestamp_header",
        "timestamp",
        "tolerance",
    ])?;
    let header = table.required("header").and_then(|header| read_header(&header));
    let prefix = table.optional("prefix", |prefix| prefix.line_of_text(PREFIX_CHARS_MAX));
    let fields = table.optional("fields", read_fields);
    let sign = table.required("sign").and_then(|sign| read_sign(&sign));
    let hash = table.required("hash").and_then(|hash| hash.choice(&Digest::CHOICES));
    let encoding = table.required("encoding").and_then(|encoding| encoding.choice(&Encoding::CHOICES));
    let key_encoding = table.optional("key_encoding", |node| node.choice(&KeyEncoding::CHOICES));
    let timestamp_header = table.optional("timestamp_header", read_header);
    let timestamp = table.optional("timestamp", |node| node.choice(&TimestampForm::CHOICES));
    let tolerance_ms = read_tolerance(&table);
    let hmac = HmacHeader {
        header: header?,
        prefix: prefix?.unwrap_or_default(),
        fields: fields?,
        sign: sign?,
        hash: hash?,
        encoding: encoding?,
        key_encoding: key_encoding?.unwrap_or(KeyEncoding::Text),
        timestamp_header: timestamp_header?,
        timestamp: timestamp?.unwrap_or(TimestampForm::Seconds),
        tolerance_ms: tolerance_ms?,
    };
    can_be_checked(&table, &hmac).then_some(hmac)
}

fn read_fields(node: &Node<'_>) -> Option<HeaderFields> {
    let table = node.table(&["signature", "timestamp"])?;
    let word = |node: &Node<'_>| {
        let text = node.string()?;
        if (1..=PREFIX_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Some(text.to_owned());
        }
        node.fault(Code::WrongValue, format!("{} is not a name of letters and digits", quoted(text)));
        None
    };
    let signature = table.required("signature").and_then(|signature| word(&signature));
    let timestamp = table.optional("timestamp", word);
    Some(HeaderFields { signature: signature?, timestamp: timestamp? })
}

/// Of a message are signed its body, its time and headers: the URL has the endpoint's token in it, which nobody signs.
fn read_sign(node: &Node<'_>) -> Option<SignTemplate> {
    let template = match SignTemplate::parse(node.string()?) {
        Ok(template) => template,
        Err(message) => {
            node.fault(Code::WrongValue, message);
            return None;
        }
    };
    let is_known = |part: &&SignedPart| {
        matches!(
            part,
            SignedPart::Text(_)
                | SignedPart::Body
                | SignedPart::BodyHash
                | SignedPart::Timestamp
                | SignedPart::Header(_)
        )
    };
    if let Some(other) = template.parts().iter().find(|part| !is_known(part)) {
        let message = format!(
            "signs `{other}`, which a message does not have; it has `${{body}}`, `${{body_hash}}`, `${{timestamp}}` \
             and `${{header.name}}`"
        );
        node.fault(Code::WrongValue, message);
        return None;
    }
    if !template.needs_body() {
        node.fault(
            Code::WrongValue,
            "does not sign `${body}`: whoever has one signature could send anything",
        );
        return None;
    }
    Some(template)
}

/// What is signed must be found in the message.
fn can_be_checked(table: &Table<'_>, hmac: &HmacHeader) -> bool {
    let mut is_sound = true;
    let mut fault = |key: &str, message: &str| {
        is_sound = false;
        table.get(key).as_ref().unwrap_or(table.node()).fault(Code::WrongValue, message);
    };
    let in_field = hmac.fields.as_ref().is_some_and(|fields| fields.timestamp.is_some());
    match (hmac.signs_time(), in_field, hmac.timestamp_header.is_some()) {
        (true, false, false) => {
            fault("sign", "signs `${timestamp}`, which no `timestamp_header` and no field carries")
        }
        (_, true, true) => fault("timestamp_header", "the time stands in a field of the signature's header"),
        (false, true, _) => fault("fields", "the time is not signed: put `${timestamp}` into `sign`"),
        (false, _, true) => {
            fault("timestamp_header", "the time is not signed: put `${timestamp}` into `sign`")
        }
        _ => {}
    }
    if hmac.fields.is_some() && !hmac.prefix.is_empty() {
        fault("prefix", "a header of several fields has no prefix");
    }
    if hmac.sign.parts().contains(&SignedPart::Header(hmac.header.clone())) {
        fault("sign", "signs the header of the signature itself");
    }
    is_sound
}

#[cfg(test)]
mod tests;
