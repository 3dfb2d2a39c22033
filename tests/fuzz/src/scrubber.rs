//! Secrets in any spelling, among anything, in any pieces: nothing of them leaves, all else does, and pieces make no difference.
//! What leaves is read by readers that unescape as programs do; none of them finds a secret there.

mod naive;
mod spelled;

use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use scrub::{Place, Watch};

pub(crate) const WORDS: &[&str] = &[
    "%25",
    "%2",
    "\\u00",
    "\\\\u00",
    "\\x",
    "\\/",
    "&#x",
    "&#",
    "&amp;",
    "&quot;",
    "+",
    "ab",
    "aaaaaaaaaaaa",
];

/// Few bytes, most of which mean something in an escape: so almost everything almost is a secret.
const FEW: &[u8] = b"ab%61\\u0/&#;+ x25";
const FEW_NAMES: [&str; 3] = ["one", "two", "three"];

pub(crate) fn run(input: &[u8]) {
    // Too few bytes are no input.
    let _ = scrubbed(&mut Unstructured::new(input));
}

struct Text {
    bytes: Vec<u8>,
    /// Where secrets were written.
    written: Vec<std::ops::Range<usize>>,
}

fn scrubbed(input: &mut Unstructured<'_>) -> Result<()> {
    let count = input.int_in_range(1..=3)?;
    let secrets = (0..count).map(|_| secret(input)).collect::<Result<Vec<_>>>()?;
    let text = text(input, &secrets)?;
    let watch = Watch::new();
    for (name, secret) in FEW_NAMES.iter().zip(&secrets) {
        watch.add(name, secret);
    }
    let whole = watch.blank(Place::Record, &text.bytes).unwrap_or_else(|| text.bytes.clone());
    let streamed = streamed(input, &watch, &text.bytes)?;
    let shown = || {
        format!(
            "secrets {:?} in {:?}",
            secrets.iter().map(|one| one.escape_ascii().to_string()).collect::<Vec<_>>(),
            text.bytes.escape_ascii().to_string()
        )
    };
    if let Some(at) = differs(&whole, &streamed, &text.bytes) {
        panic!("pieces make a difference at {at}: {:?}, {}", streamed.escape_ascii().to_string(), shown());
    }
    for range in text.written {
        assert!(
            streamed[range.clone()].iter().all(|byte| *byte == b'*'),
            "left over in {range:?}: {}",
            shown()
        );
    }
    if let Some(reader) = naive::finds(&streamed, &secrets) {
        panic!("{reader} finds a secret in {:?}: {}", streamed.escape_ascii().to_string(), shown());
    }
    let hits = watch.current().hits(&text.bytes);
    assert_eq!(hits.is_empty(), whole == text.bytes, "{}", shown());
    assert!(
        hits.is_sorted_by_key(|hit| hit.range.start)
            && hits.iter().all(|hit| hit.range.end <= text.bytes.len())
    );
    assert_eq!(watch.current().find(&whole), None, "blanked once is not blanked: {}", shown());
    Ok(())
}

/// Where a stream has left something else than what is blanked as a whole; but for the character that holds the first bits of a
/// secret in base64, which may have left with an earlier piece.
fn differs(whole: &[u8], streamed: &[u8], text: &[u8]) -> Option<usize> {
    let is_shared = |at: usize| {
        let is_base64 = text[at].is_ascii_alphanumeric() || b"+/-_".contains(&text[at]);
        is_base64 && streamed[at] == text[at] && streamed.get(at + 1) == Some(&b'*')
    };
    (0..text.len()).find(|at| whole[*at] != streamed[*at] && !is_shared(*at))
}

fn streamed(input: &mut Unstructured<'_>, watch: &Watch, text: &[u8]) -> Result<Vec<u8>> {
    let mut stream = watch.stream(Place::Body);
    let mut left = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        // When the input is used up, what is left comes at once.
        let length = if input.is_empty() {
            rest.len()
        } else {
            usize::from(input.arbitrary::<u8>()? % 24).min(rest.len())
        };
        let (piece, behind) = rest.split_at(length);
        left.extend_from_slice(&stream.push(Bytes::copy_from_slice(piece)));
        assert!(stream.held_bytes() <= stream.held_max());
        rest = behind;
    }
    left.extend_from_slice(&stream.finish());
    assert_eq!(left.len(), text.len());
    Ok(left)
}

/// No star, which is what stands in the place of secrets.
fn secret(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let length = input.int_in_range(12..=40)?;
    let few = input.arbitrary()?;
    let byte = |byte: u8| if few { FEW[usize::from(byte) % FEW.len()] } else { byte };
    (0..length)
        .map(|_| Ok(byte(input.arbitrary()?)))
        .map(|byte| byte.map(|byte| if byte == b'*' { b'.' } else { byte }))
        .collect()
}

fn text(input: &mut Unstructured<'_>, secrets: &[Vec<u8>]) -> Result<Text> {
    let (mut bytes, mut written) = (Vec::new(), Vec::new());
    for _ in 0..input.int_in_range(1..=8)? {
        let start = bytes.len();
        match input.int_in_range(0..=3)? {
            0 => {
                let length = input.int_in_range(0..=20)?;
                bytes.extend_from_slice(input.bytes(length)?);
            }
            1 => {
                for _ in 0..input.int_in_range(0..=20)? {
                    bytes.push(*input.choose(FEW)?);
                }
            }
            2 => {
                let secret = input.choose(secrets)?;
                bytes.extend(spelled::spelled(input, secret)?);
                written.push(start..bytes.len());
            }
            _ => {
                let secret = input.choose(secrets)?;
                let whole = spelled::spelled(input, secret)?;
                let length = input.int_in_range(0..=whole.len())?;
                bytes.extend_from_slice(&whole[..length]);
            }
        }
    }
    Ok(Text { bytes, written })
}
