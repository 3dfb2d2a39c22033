//! Bodies: read whole within bounds, and taken only as they are described. What is wrong is told with its place and with
//! what is allowed, and never with the value, which may be a secret in the wrong field.

use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A name of somebody else's in a message is cut to this.
const NAME_CHARACTERS_MAX: usize = 64;

/// What somebody sends, as JSON.
pub(crate) struct Sent<T>(pub(crate) T);

/// What somebody is sent, as JSON.
pub(crate) struct Told<T>(pub(crate) StatusCode, pub(crate) T);

/// Marks an answer that holds a secret, which nobody keeps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoldsSecret;

impl<T: DeserializeOwned> FromRequest<House> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, house: &House) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        if !is_json(&parts.headers) {
            return Err(Fault::NotJson.into());
        }
        let bytes = read(&parts.headers, body, house).await?;
        Ok(Self(parse(&bytes)?))
    }
}

impl<T: Serialize> IntoResponse for Told<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(bytes) => (self.0, [(CONTENT_TYPE, "application/json")], bytes).into_response(),
            Err(_) => Fault::Internal.into_response(),
        }
    }
}

/// The bytes of a body, within its bounds of size and time.
pub(crate) async fn read(headers: &HeaderMap, body: Body, house: &House) -> Result<Bytes, Fault> {
    let limits = &house.options.limits;
    read_within(headers, body, (limits.body_bytes_max, limits.body)).await
}

/// The same within these bounds.
pub(crate) async fn read_within(
    headers: &HeaderMap,
    body: Body,
    (limit, time): (usize, Duration),
) -> Result<Bytes, Fault> {
    let too_large = || Fault::BodyTooLarge { limit };
    let told = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > u64::try_from(limit).unwrap_or(u64::MAX)) {
        return Err(too_large());
    }
    let reading = Limited::new(body, limit).collect();
    match tokio::time::timeout(time, reading).await {
        Err(_) => Err(Fault::TooSlow),
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => {
            Err(Fault::BadBody { place: "the body".to_owned(), message: "it breaks off".to_owned() })
        }
    }
}

/// What somebody sends as JSON where it may be larger than every other body. For who may send it: few are read at once.
pub(crate) async fn sent_within<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    house: &House,
    limit: usize,
) -> Result<T, Fault> {
    if !is_json(headers) {
        return Err(Fault::NotJson);
    }
    let _place = house.uploads.try_acquire().map_err(|_| Fault::ManyUploads)?;
    parse(&read_within(headers, body, (limit, house.options.limits.upload)).await?)
}

fn is_json(headers: &HeaderMap) -> bool {
    is_of_type(headers, "application/json")
}

/// Whether a body is of this type, and says so once.
pub(crate) fn is_of_type(headers: &HeaderMap, wanted: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(given), None) = (types.next(), types.next()) else { return false };
    let name = given.to_str().unwrap_or("").split(';').next().unwrap_or("").trim();
    name.eq_ignore_ascii_case(wanted)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    // serde would take the fields of an object in the order of a list too, which no description says.
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        let (place, message) = ("the body".to_owned(), "expected an object".to_owned());
        return Err(Fault::BadBody { place, message });
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        bad(&path, error.inner())
    })?;
    reader.end().map_err(|error| bad(".", &error))?;
    Ok(value)
}

fn bad(path: &str, error: &serde_json::Error) -> Fault {
    // A word of a list that is no text at all is taken for a mistake of writing by the reader.
    let is_no_word = error.is_syntax() && error.to_string().starts_with("expected value");
    let place = if (error.is_data() || is_no_word) && path != "." {
        format!("`{}`", cut(path))
    } else if error.is_data() {
        "the body".to_owned()
    } else {
        format!("line {} column {}", error.line(), error.column())
    };
    Fault::BadBody { place, message: allowed(error) }
}

/// What would be allowed. What serde says before that quotes what was sent.
fn allowed(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let expected = text.find("expected ").and_then(|at| text.get(at..));
    match error.classify() {
        serde_json::error::Category::Data => match (named(text), expected) {
            (Some(name), Some(expected)) => format!("there is no field `{name}`, {expected}"),
            (Some(name), None) => format!("there is no field `{name}`"),
            (None, Some("expected u8" | "expected u32" | "expected u64" | "expected usize")) => {
                "expected a whole number, at least 0".to_owned()
            }
            (None, Some(expected)) => expected.to_owned(),
            (None, None) if text.starts_with("duplicate field ") || text.starts_with("missing field ") => {
                cut(text)
            }
            (None, None) => "it is not taken".to_owned(),
        },
        serde_json::error::Category::Eof => "the JSON breaks off".to_owned(),
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => cut(text),
    }
}

/// The field that nobody knows: names of fields are no values.
fn named(text: &str) -> Option<String> {
    let rest = text.strip_prefix("unknown field `")?;
    let (name, _) = rest.split_once("`, expected ").or_else(|| rest.split_once("`, there are no fields"))?;
    Some(cut(name))
}

fn cut(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).take(NAME_CHARACTERS_MAX).collect()
}

#[cfg(test)]
mod tests;
