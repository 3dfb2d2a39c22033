//! Paths as rules compare them. A path that two servers could read in two ways is never compared, only refused.

use std::fmt;

/// Why a path is not compared with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AmbiguousPath {
    /// It does not start with `/`.
    NotAbsolute,
    /// A character that must be encoded in a path.
    Character(char),
    /// A `%` without two hexadecimal digits.
    BrokenEncoding,
    /// An encoded dot, slash, backslash, percent sign or control character, or the start of an overlong sequence:
    /// servers differ on whether they decode it before they look for the file.
    Encoded(String),
    /// `//`: some servers fold it, some do not.
    EmptySegment,
    /// `..;x`: some servers cut off what follows the semicolon, some do not.
    DotSegmentWithParameters,
    /// More `..` than there are segments before them.
    AboveRoot,
}

impl fmt::Display for AmbiguousPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => formatter.write_str("does not start with `/`"),
            Self::Character(character) => write!(formatter, "holds `{}`", character.escape_default()),
            Self::BrokenEncoding => formatter.write_str("holds a `%` without two hexadecimal digits"),
            Self::Encoded(encoded) => {
                write!(formatter, "holds `{encoded}`, which servers read in different ways")
            }
            Self::EmptySegment => formatter.write_str("holds `//`, which servers read in different ways"),
            Self::DotSegmentWithParameters => formatter.write_str("holds dots followed by `;`"),
            Self::AboveRoot => formatter.write_str("leads above the root"),
        }
    }
}

/// The path in its one comparable form: dot segments resolved, unreserved characters decoded, other encodings in
/// upper case. A query must be cut off before.
///
/// # Errors
/// When servers could understand the path in different ways.
pub fn normalise_path(path: &str) -> Result<String, AmbiguousPath> {
    let path = if path.is_empty() { "/" } else { path };
    let Some(relative) = path.strip_prefix('/') else { return Err(AmbiguousPath::NotAbsolute) };
    let decoded = decode_unreserved(relative)?;
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = decoded.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "" if !last => return Err(AmbiguousPath::EmptySegment),
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop().ok_or(AmbiguousPath::AboveRoot)?;
                if last {
                    kept.push("");
                }
            }
            dots if is_dots_with_parameters(dots) => return Err(AmbiguousPath::DotSegmentWithParameters),
            other => kept.push(other),
        }
    }
    Ok(format!("/{}", kept.join("/")))
}

/// Whether a path lies under a prefix; both normalised. `/v1` holds `/v1` and `/v1/a`, never `/v10`; `/v1/` holds
/// only what is below it.
pub(crate) fn prefix_holds(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

fn is_dots_with_parameters(segment: &str) -> bool {
    segment.split_once(';').is_some_and(|(name, _)| matches!(name, "." | ".."))
}

fn decode_unreserved(path: &str) -> Result<String, AmbiguousPath> {
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path.chars();
    while let Some(character) = rest.next() {
        match character {
            '%' => decoded.push_str(&decode_triplet(&mut rest)?),
            '\\' | '#' | '?' | ' ' => return Err(AmbiguousPath::Character(character)),
            other if !other.is_ascii() || other.is_ascii_control() => {
                return Err(AmbiguousPath::Character(other));
            }
            other => decoded.push(other),
        }
    }
    refuse_double_encoding(&decoded)?;
    Ok(decoded)
}

fn decode_triplet(rest: &mut std::str::Chars<'_>) -> Result<String, AmbiguousPath> {
    let digits =
        rest.as_str().get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let digits = digits.ok_or(AmbiguousPath::BrokenEncoding)?;
    let byte = u8::from_str_radix(digits, 16).map_err(|_| AmbiguousPath::BrokenEncoding)?;
    let encoded = format!("%{}", digits.to_ascii_uppercase());
    *rest = rest.as_str().get(2..).unwrap_or_default().chars();
    match byte {
        b'.' | b'/' | b'\\' | 0..=0x1f | 0x7f | 0xc0 | 0xc1 => Err(AmbiguousPath::Encoded(encoded)),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'~' => Ok(char::from(byte).to_string()),
        _ => Ok(encoded),
    }
}

/// `%252e` is a dot to whoever decodes twice; so is `%25%32%65`, which is why this looks at the decoded path.
fn refuse_double_encoding(decoded: &str) -> Result<(), AmbiguousPath> {
    for (_, rest) in decoded.match_indices("%25").filter_map(|(at, _)| decoded.split_at_checked(at + 3)) {
        let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if let Some(digits) = digits {
            return Err(AmbiguousPath::Encoded(format!("%25{digits}")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{AmbiguousPath, normalise_path, prefix_holds};

    fn check(path: &str, expected: &str) {
        assert_eq!(normalise_path(path).as_deref(), Ok(expected), "{path}");
    }

    fn refused(path: &str) -> AmbiguousPath {
        normalise_path(path).expect_err(path)
    }

    #[test]
    fn e44_a_path_has_one_comparable_form() {
        check("", "/");
        check("/", "/");
        check("/v1", "/v1");
        check("/v1/", "/v1/");
        check("/v1/./a", "/v1/a");
        check("/v1/a/..", "/v1/");
        check("/v1/../admin", "/admin");
        check("/v1/.", "/v1/");
        check("/%76%31/a%2Db%7e", "/v1/a-b~");
        check("/a%3ab", "/a%3Ab");
        check("/100%25", "/100%25");
        check("/100%25zz", "/100%25zz");
        check("/a;b=1/c", "/a;b=1/c");
        check("/%e4%bd%a0", "/%E4%BD%A0");
        check("/...", "/...");
    }

    #[test]
    fn e44_what_servers_read_differently_is_refused() {
        assert_eq!(refused("v1"), AmbiguousPath::NotAbsolute);
        assert_eq!(refused("http://evil.example/"), AmbiguousPath::NotAbsolute);
        assert_eq!(refused("//evil.example/path"), AmbiguousPath::EmptySegment);
        assert_eq!(refused("/v1//../admin"), AmbiguousPath::EmptySegment);
        assert_eq!(refused("/\\evil.example"), AmbiguousPath::Character('\\'));
        assert_eq!(refused("/a?b"), AmbiguousPath::Character('?'));
        assert_eq!(refused("/a\r\nX: y"), AmbiguousPath::Character('\r'));
        assert_eq!(refused("/a\0"), AmbiguousPath::Character('\0'));
        assert_eq!(refused("/ä"), AmbiguousPath::Character('ä'));
        assert_eq!(refused("/../etc"), AmbiguousPath::AboveRoot);
        assert_eq!(refused("/a/../../etc"), AmbiguousPath::AboveRoot);
        assert_eq!(refused("/v1/..;/admin"), AmbiguousPath::DotSegmentWithParameters);
        assert_eq!(refused("/v1/.;x/admin"), AmbiguousPath::DotSegmentWithParameters);
        for encoded in
            ["/v1/%2e%2e/a", "/v1/%2E./a", "/a%2fb", "/a%5Cb", "/a%00", "/a%0d%0a", "/%c0%ae", "/%7f"]
        {
            assert!(matches!(refused(encoded), AmbiguousPath::Encoded(_)), "{encoded}");
        }
        for encoded in ["/%252e%252e/a", "/a%252fb", "/%25%32%65", "/%25252e"] {
            assert!(matches!(refused(encoded), AmbiguousPath::Encoded(_)), "{encoded}");
        }
        for broken in ["/%", "/%2", "/%zz", "/%u002e", "/%é1"] {
            assert_eq!(refused(broken), AmbiguousPath::BrokenEncoding, "{broken}");
        }
    }

    #[test]
    fn e45_a_prefix_holds_whole_segments_in_the_same_case() {
        for (prefix, path, holds) in [
            ("/v1", "/v1", true),
            ("/v1", "/v1/a", true),
            ("/v1", "/v10", false),
            ("/v1", "/V1", false),
            ("/v1/", "/v1/a", true),
            ("/v1/", "/v1/", true),
            ("/v1/", "/v1", false),
            ("/", "/anything", true),
        ] {
            assert_eq!(prefix_holds(prefix, path), holds, "{prefix} {path}");
        }
    }
}
