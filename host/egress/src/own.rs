//! Requests that the host makes for itself, to token endpoints above all: judged addresses, TLS and caps as everywhere,
//! and answers that are read whole and that no guest sees.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;

use crate::outlet::Outlet;
use crate::{Authorities, Caps, Client, ClientSettings, Decision, Gate, Ledger, RequestLine, Result, body};

/// Answers of token endpoints have a few kilobytes; certificates of providers and their keys some tens.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// A form with a signed token in it.
const FORM_BYTES_MAX: u64 = 256 << 10;
/// A guest's request waits for it.
const TOTAL_MAX: Duration = Duration::from_secs(30);

/// Sends requests of the host, each for one credential.
#[derive(Clone)]
pub struct OwnCalls(Client);

/// By which name the ledger tells of a request of the host.
#[derive(Clone)]
pub(crate) struct Bears(pub(crate) String);

impl OwnCalls {
    pub(crate) fn new(
        outlet: &Outlet,
        addresses: Arc<dyn Gate>,
        ledger: Arc<dyn Ledger>,
        authorities: Authorities,
        secrets: scrub::Watch,
    ) -> Self {
        let caps = Caps {
            request_body_bytes: FORM_BYTES_MAX,
            response_body_bytes: ANSWER_BYTES_MAX,
            total_timeout: TOTAL_MAX,
            first_byte_timeout: TOTAL_MAX,
            ..Caps::default()
        };
        let settings = ClientSettings::new(Arc::new(Own { addresses }), ledger, caps);
        Self(Client::new(outlet.clone(), ClientSettings { authorities, ..settings }, None, secrets))
    }

    /// Sends a request for this credential and reads its whole answer, which may have a megabyte. Redirects are answers.
    ///
    /// # Errors
    /// As [`Client::send`] and its body.
    pub async fn send(&self, credential: &str, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let mut request = request.map(body::full);
        request.extensions_mut().insert(Bears(credential.to_owned()));
        let (head, answer) = self.0.send(request).await?.into_parts();
        Ok(Response::from_parts(head, answer.collect().await?.to_bytes()))
    }
}

/// The URL stands in what an administrator granted, so it needs no judging; what its name resolves to does.
struct Own {
    addresses: Arc<dyn Gate>,
}

impl Gate for Own {
    fn request(&self, _: &RequestLine<'_>) -> Decision {
        Decision::Allow { rule: "for the credential".to_owned() }
    }

    fn address(&self, address: IpAddr, port: u16) -> Decision {
        self.addresses.address(address, port)
    }

    fn own_address(&self, address: IpAddr, port: u16) -> Decision {
        self.addresses.own_address(address, port)
    }

    fn is_one_of_many(&self, address: IpAddr, port: u16) -> bool {
        self.addresses.is_one_of_many(address, port)
    }
}
