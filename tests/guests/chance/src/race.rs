//! An answer against a timer.

use std::time::Duration;

use cofferdam_sdk::{Error, Result};
use wasip2::{
    clocks::monotonic_clock::subscribe_duration,
    http::{
        outgoing_handler,
        types::{Fields, Method, OutgoingRequest, Scheme},
    },
    io::poll::poll,
};

/// Which was there first. An answer that was not is left.
pub(crate) fn first(base_url: &str, timeout: Duration) -> Result<&'static str> {
    let authority = base_url.trim_start_matches("http://");
    let request = OutgoingRequest::new(Fields::new());
    let set = [
        request.set_method(&Method::Get),
        request.set_scheme(Some(&Scheme::Http)),
        request.set_authority(Some(authority)),
        request.set_path_with_query(Some("/late")),
    ];
    if set.iter().any(std::result::Result::is_err) {
        return Err(Error::bug("the request cannot be made"));
    }
    let answer =
        outgoing_handler::handle(request, None).map_err(|code| Error::transient(format!("{code:?}")))?;
    let timer = subscribe_duration(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX));
    let ready = poll(&[&answer.subscribe(), &timer]);
    Ok(if ready.contains(&0) { "answer" } else { "timer" })
}
