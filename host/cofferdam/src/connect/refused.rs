//! What a provider says against it, without what may be a secret in its words.

use oauth2::{ErrorResponseType, RequestTokenError, StandardErrorResponse};

use super::Error;
use crate::blame::OWN_AUTHORITY;
use crate::problem::{Problem, Problems};

/// Longer ones are no words of the protocol.
const WORD_BYTES_MAX: usize = 40;

/// An error of the protocol is a word; anything else is not shown.
pub(super) fn word(error: &str) -> String {
    let is_word = (1..=WORD_BYTES_MAX).contains(&error.len())
        && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { format!("`{error}`") } else { "an error of its own".to_owned() }
}

/// Of a request for tokens. What could not be read is not quoted: it may be a token.
pub(super) fn by_provider<T>(error: RequestTokenError<egress::Error, StandardErrorResponse<T>>) -> Problems
where
    T: ErrorResponseType + std::fmt::Display + 'static,
{
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let said = serde_json::to_value(answer.error()).unwrap_or_default();
            Error::consent(format!("it answers {}", word(said.as_str().unwrap_or_default()))).into()
        }
        RequestTokenError::Request(error) => not_sent(error).into(),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Error::consent("it does not answer as a token endpoint does").into()
        }
    }
}

/// With the lines that would allow it.
pub(super) fn not_sent(error: egress::Error) -> Problem {
    let lines = match &error {
        egress::Error::AddressDenied { line_to_add: Some(lines), .. } => Some(lines.clone()),
        _ => None,
    };
    let is_untrusted = matches!(error, egress::Error::Tls { .. });
    let problem = Problem::from(error);
    let problem = if is_untrusted { problem.hint(OWN_AUTHORITY) } else { problem };
    match lines {
        Some(lines) => problem.allowed_by(&lines),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn only_words_of_the_protocol_are_shown() {
        assert_eq!(word("access_denied"), "`access_denied`");
        let long = "a".repeat(41);
        for other in ["", "CANARY", "a b", "a\u{1b}[2J", long.as_str()] {
            assert_eq!(word(other), "an error of its own");
        }
    }
}
