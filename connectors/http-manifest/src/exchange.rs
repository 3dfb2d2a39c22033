//! One request with its answer, redirects followed. Each request on the way is judged by the host like any other.

use std::time::Duration;

use cofferdam_sdk::{Error, Result};

use crate::{
    http::{Answer, Call, Http},
    url,
};

/// As many as browsers' specification thinks enough for a person; an API that needs more is in a circle.
const REDIRECTS_MAX: usize = 5;

/// The longest wait for an API, whatever the host's budget is.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Sends a request and follows redirects. `time` is what the host's budget leaves.
pub(crate) fn exchange(http: &mut impl Http, mut call: Call, time: Duration) -> Result<Answer> {
    let time = time.clamp(Duration::from_secs(1), WAIT_MAX);
    for _ in 0..=REDIRECTS_MAX {
        let answer = http.send(&call, time)?;
        let target = match answer.status {
            301 | 302 | 303 | 307 | 308 => answer.header("location"),
            _ => None,
        };
        let Some(target) = target else { return Ok(answer) };
        log::debug!("{} redirects to {target}", call.label());
        call.url = url::resolve(&call.url, target);
        if !matches!(answer.status, 307 | 308) {
            call.method = "GET";
            call.body = None;
            call.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        }
    }
    Err(Error::data(format!("{} redirects more than {REDIRECTS_MAX} times", call.label())))
}
