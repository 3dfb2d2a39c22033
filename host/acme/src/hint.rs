//! When the other side would have a certificate renewed (RFC 9773): earlier where it is to be revoked, and apart from others. It
//! is a hint: where it cannot be had, the certificate's own life decides.

use crate::attempts::millis;
use crate::certificate::Certificate;
use instant_acme::{Account, SuggestedWindow};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Where nothing is said, or nothing came (RFC 9773 §4.3.3).
const ASK_AGAIN: Duration = Duration::from_secs(6 * 60 * 60);
/// What the other side may say at most.
const ASK_AGAIN_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What the other side said last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hint {
    /// From when to when the certificate is to be renewed, in milliseconds since the epoch; none: it does not say.
    pub(crate) window_ms: Option<(u64, u64)>,
    /// When it is asked again.
    pub(crate) again_ms: u64,
}

/// Asks.
pub(crate) async fn asked(account: &Account, certificate: &Certificate, now_ms: u64) -> Hint {
    let nothing = Hint::none(now_ms);
    let Some(identifier) = certificate.identifier() else { return nothing };
    match account.renewal_info(&identifier).await {
        Ok((info, again)) => {
            let again = again.clamp(HOUR, ASK_AGAIN_MAX);
            let again_ms = now_ms.saturating_add(millis(again));
            Hint { window_ms: window_ms(&info.suggested_window), again_ms }
        }
        Err(error) => {
            tracing::debug!(%error, "the ACME server does not say when to renew");
            nothing
        }
    }
}

impl Hint {
    /// Nothing is said.
    pub(crate) fn none(now_ms: u64) -> Self {
        Self { window_ms: None, again_ms: now_ms.saturating_add(millis(ASK_AGAIN)) }
    }
}

/// None: it is no window.
fn window_ms(window: &SuggestedWindow) -> Option<(u64, u64)> {
    let milliseconds = |seconds: i64| u64::try_from(seconds).ok()?.checked_mul(1_000);
    let begins = milliseconds(window.start.unix_timestamp())?;
    let ends = milliseconds(window.end.unix_timestamp())?;
    (begins < ends).then_some((begins, ends))
}
