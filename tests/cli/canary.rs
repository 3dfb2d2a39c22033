//! Secrets that are found again wherever they come to lie, in whatever common spelling. How the host itself looks for them is
//! not used here: this search is slow and knows nothing of it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A secret as administrators enter it. Each common spelling changes some of its characters.
pub(crate) const CANARY: &str = "CANARY/of+a\"secret\"&<4711>~=?";

/// Another one, for worlds with two.
pub(crate) const ANOTHER: &str = "CANARY/another+\"one\"&<0815>~=?";

/// How a request carries [`CANARY`] as a bearer's token.
pub(crate) fn bearer() -> String {
    format!("authorization: Bearer {CANARY}\n")
}

/// How a request carries it as the password of `ada`.
pub(crate) fn basic() -> String {
    format!("authorization: Basic {}\n", STANDARD.encode(format!("ada:{CANARY}")))
}

/// How a request carries it in this parameter.
pub(crate) fn parameter(name: &str) -> String {
    let form: String = form_urlencoded::byte_serialize(CANARY.as_bytes()).collect();
    // RFC 3986 has no need to encode this one, which forms do.
    format!("{name}={}", form.replace("%7E", "~"))
}

const AS_IT_IS: &str = "as it is";

/// What is looked for.
#[derive(Debug, Default, Clone)]
pub(crate) struct Canaries {
    /// Each spelling of each secret, with what it is.
    needles: Vec<(String, Vec<u8>)>,
    /// Which two bytes a needle begins with: most places are passed by one look at this.
    begins: Vec<bool>,
}

impl Canaries {
    pub(crate) fn of<S: AsRef<str>>(secrets: &[S]) -> Self {
        let needles: Vec<_> =
            secrets.iter().flat_map(|secret| spellings(secret.as_ref().as_bytes())).collect();
        let mut begins = vec![false; 1 << 16];
        needles.iter().for_each(|(_, needle)| begins[usize::from(pair(needle, 0))] = true);
        Self { needles, begins }
    }

    /// How a secret that is in there is spelled.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<String> {
        let once = unescaped(bytes);
        let twice = unescaped(&once);
        let readings = [("", bytes), (", escaped", &once), (", escaped twice", &twice)];
        readings.into_iter().find_map(|(how, text)| Some(format!("{}{how}", self.spelled_in(text).next()?)))
    }

    /// Whether a secret is in there unchanged, which is quicker to say. Other spellings may come first.
    pub(crate) fn as_it_is_in(&self, bytes: &[u8]) -> bool {
        self.spelled_in(bytes).any(|how| how == AS_IT_IS)
    }

    /// How each secret that is in there is spelled, from the first to the last.
    fn spelled_in<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = &'a str> {
        let may_begin = move |at: &usize| self.begins[usize::from(pair(text, *at))];
        let is_at =
            move |at: usize| self.needles.iter().find(move |(_, needle)| text[at..].starts_with(needle));
        let places = (0..text.len().saturating_sub(1)).filter(may_begin);
        places.filter_map(is_at).map(|(how, _)| how.as_str())
    }
}

fn pair(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

/// As it is, in hexadecimal digits, in both alphabets of base64 at any offset; and beside that any byte may be escaped.
fn spellings(secret: &[u8]) -> Vec<(String, Vec<u8>)> {
    assert!(secret.len() >= 12, "shorter ones are not looked for by anybody");
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut spelled = vec![
        (AS_IT_IS.to_owned(), secret.to_vec()),
        ("in hexadecimal digits".to_owned(), hex.clone().into_bytes()),
        ("in capital hexadecimal digits".to_owned(), hex.to_uppercase().into_bytes()),
    ];
    for (alphabet, name) in [(&STANDARD, "base64"), (&URL_SAFE, "base64url")] {
        for before in 0..3 {
            // What the neighbours have a part in is left out: the first bytes, and the last ones.
            let mut padded = vec![0; before];
            padded.extend_from_slice(secret);
            let whole = padded.len() / 3 * 4;
            let inner = &alphabet.encode(&padded).into_bytes()[(before * 8).div_ceil(6)..whole];
            spelled.push((format!("in {name} at offset {before}"), inner.to_vec()));
        }
    }
    spelled
}

/// With each escaped byte in place of what escapes it: percent signs, backslashes, HTML's references.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut read = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = match bytes[at] {
            b'%' => digits(bytes, at + 1, 2).map(|byte| (byte, 3)),
            b'\\' => by_backslash(bytes, at),
            b'&' => by_reference(&bytes[at..bytes.len().min(at + 8)]),
            _ => None,
        };
        let (byte, taken) = escaped.unwrap_or((bytes[at], 1));
        read.push(byte);
        at += taken;
    }
    read
}

fn digits(bytes: &[u8], at: usize, count: usize) -> Option<u8> {
    let text = std::str::from_utf8(bytes.get(at..at + count)?).ok()?;
    u32::from_str_radix(text, 16).ok().and_then(|code| u8::try_from(code).ok())
}

fn by_backslash(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    match bytes.get(at + 1)? {
        b'u' => digits(bytes, at + 2, 4).map(|byte| (byte, 6)),
        b'x' => digits(bytes, at + 2, 2).map(|byte| (byte, 4)),
        b @ (b'/' | b'"' | b'\\' | b'\'') => Some((*b, 2)),
        _ => None,
    }
}

fn by_reference(bytes: &[u8]) -> Option<(u8, usize)> {
    let end = bytes.iter().position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(&bytes[1..end]).ok()?;
    let byte = match name {
        "amp" => b'&',
        "lt" => b'<',
        "gt" => b'>',
        "quot" => b'"',
        "apos" => b'\'',
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => u8::from_str_radix(&hex[1..], 16).ok()?,
            decimal => decimal.parse().ok()?,
        },
    };
    Some((byte, end + 1))
}

#[test]
fn a_canary_is_found_in_every_spelling_and_nowhere_else() {
    let canaries = Canaries::of(&[CANARY]);
    let form: String = form_urlencoded::byte_serialize(CANARY.as_bytes()).collect();
    let each =
        |spell: &dyn Fn(u32) -> String| CANARY.chars().map(|one| spell(u32::from(one))).collect::<String>();
    let json = serde_json::to_string(CANARY).unwrap();
    let html = CANARY.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut spelled = vec![
        CANARY.to_owned(),
        each(&|one| format!("{one:02x}")),
        each(&|one| format!("{one:02X}")),
        each(&|one| format!("%{one:02X}")),
        each(&|one| format!("%25{one:02x}")),
        each(&|one| format!("\\u{one:04x}")),
        each(&|one| format!("\\x{one:02x}")),
        each(&|one| format!("&#{one};")),
        each(&|one| format!("&#x{one:x};")),
        serde_json::to_string(&json).unwrap(),
        form_urlencoded::byte_serialize(form.as_bytes()).collect(),
        json.replace('/', "\\/"),
        form,
        json,
        html,
    ];
    for before in ["", "a", "ab", "Basic ada:"] {
        for alphabet in [&STANDARD, &URL_SAFE] {
            spelled.push(alphabet.encode(format!("{before}{CANARY}")));
            spelled.push(alphabet.encode(format!("{before}{CANARY} and more")));
        }
    }
    for text in spelled {
        let around = format!("before {text} behind");
        assert!(canaries.found_in(around.as_bytes()).is_some(), "{text}");
        assert!(canaries.found_in(&around.as_bytes()[..around.len() / 2]).is_none(), "half of {text}");
    }
    for other in [ANOTHER, "", "CANARY", "%", "\\u", "&#", "&;", "%%43"] {
        assert_eq!(canaries.found_in(other.as_bytes()), None, "{other}");
    }
}

#[test]
fn one_that_is_there_as_it_is_is_found_behind_other_spellings() {
    let canaries = Canaries::of(&[CANARY]);
    let coded = STANDARD.encode(CANARY);
    assert!(!canaries.as_it_is_in(coded.as_bytes()));
    assert!(canaries.as_it_is_in(format!("{coded} {CANARY}").as_bytes()));
}
