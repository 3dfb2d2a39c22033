//! Requests made by hand, below the SDK's client.

use cofferdam_sdk::{Error, Result};
use wasip2::http::{
    outgoing_handler::handle,
    types::{Fields, FutureIncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme},
};

/// A request that was given to the host while its body is not yet written.
pub(crate) struct Sent {
    pub(crate) body: OutgoingBody,
    pub(crate) future: FutureIncomingResponse,
}

impl Sent {
    pub(crate) fn without_body(self) -> Result<FutureIncomingResponse> {
        OutgoingBody::finish(self.body, None).map_err(|code| Error::bug(format!("{code:?}")))?;
        Ok(self.future)
    }
}

pub(crate) fn send(method: &str, base_url: &str, path: &str) -> Result<Sent> {
    let authority = base_url.split_once("://").map_or(base_url, |(_, authority)| authority);
    let request = OutgoingRequest::new(Fields::new());
    let method = if method == "POST" { Method::Post } else { Method::Get };
    let set = request
        .set_method(&method)
        .and_then(|()| request.set_scheme(Some(&Scheme::Http)))
        .and_then(|()| request.set_authority(Some(authority)))
        .and_then(|()| request.set_path_with_query(Some(path)));
    set.map_err(|()| Error::bug("the request was not taken apart"))?;
    let body = request.body().map_err(|()| Error::bug("the body was taken before"))?;
    let future = handle(request, None).map_err(|code| Error::bug(format!("{code:?}")))?;
    Ok(Sent { body, future })
}

/// Never ends: each write is taken and brings the body no further.
pub(crate) fn write_nothing(base_url: &str, path: &str) -> Result<()> {
    let sent = send("POST", base_url, path)?;
    let stream = sent.body.write().map_err(|()| Error::bug("the stream was taken before"))?;
    loop {
        stream.blocking_write_and_flush(&[]).map_err(|fault| Error::transient(fault.to_string()))?;
    }
}

/// Tell of each header whether a connector may set it.
pub(crate) fn forbidden_headers() {
    for name in ["host", "connection", "transfer-encoding", "upgrade", "proxy-authorization", "x-mine"] {
        let set = Fields::new().set(name, &[b"evil.example.com".to_vec()]);
        log::info!("{name} {}", set.map_or_else(|fault| format!("{fault:?}"), |()| "set".to_owned()));
    }
}
