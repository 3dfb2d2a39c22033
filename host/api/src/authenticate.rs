//! Who asks is found out here, before any route: by a token in the header, or by the cookie of a session. Then how often
//! they ask, and, where a browser adds the cookie by itself, from which page.

use crate::caller::{AsWhom, Caller};
use crate::cookie;
use crate::fault::Fault;
use crate::house::House;
use crate::peer::Peer;
use crate::refusal::Refusal;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use control::{Error, Secret};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, Method};
use std::net::IpAddr;
use std::sync::Arc;

/// Lets in who shows a session or a token that holds.
pub(crate) async fn authenticate(
    State(house): State<House>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let address = address_of(&request, &house)?;
    let (shown, is_cookie) = match bearer(request.headers())? {
        Some(token) => (Some(token), false),
        None => (cookie::read(request.headers()), true),
    };
    let shown = shown.map(|token| Arc::new(Secret::new(token.to_owned())));
    let caller = match shown {
        Some(shown) => find(&house, shown, address).await?,
        None => None,
    };
    let Some(caller) = caller else {
        // Who guesses tokens does not do so for long.
        house.limiter.stranger(address)?;
        return Err(Fault::NotSignedIn.into());
    };
    house.limiter.caller(caller.id())?;
    if is_cookie && !is_of_this_origin(&request, &house) {
        return Err(Fault::ForeignOrigin.into());
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Counts who need not show anything.
pub(crate) async fn count_strangers(
    State(house): State<House>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let address = address_of(&request, &house)?;
    house.limiter.stranger(address)?;
    // A page elsewhere must not log its reader in as somebody else.
    if request.headers().contains_key(ORIGIN) && !is_of_this_origin(&request, &house) {
        return Err(Fault::ForeignOrigin.into());
    }
    request.extensions_mut().insert(Stranger(address));
    Ok(next.run(request).await)
}

/// Somebody of whom nothing is known but the address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stranger(pub(crate) IpAddr);

fn address_of(request: &Request, house: &House) -> Result<IpAddr, Fault> {
    let peer = request.extensions().get::<Peer>().ok_or(Fault::Internal)?;
    Ok(peer.client(request.headers(), &house.options.proxies))
}

/// The token in the header; none: there is no such header. Two of them, or another scheme, are nobody.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(first) = given.next() else { return Ok(None) };
    let parts = first.to_str().ok().and_then(|text| text.split_once(' '));
    match (parts, given.next()) {
        (Some((scheme, token)), None) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Fault::NotSignedIn),
    }
}

/// The same caller as they are now, without anything being used by that; none: what they have shown does not hold any more.
pub(crate) async fn still(house: &House, caller: &Caller) -> Result<Option<Caller>, Refusal> {
    let shown = Arc::clone(&caller.shown);
    match caller.as_whom {
        AsWhom::Program { .. } => find(house, shown, caller.address).await,
        AsWhom::Person(_) => match house.parts.sessions.look(&shown).await {
            Ok(session) => Ok(Some(Caller { as_whom: AsWhom::Person(session), shown, ..*caller })),
            Err(Error::SessionEnded) => Ok(None),
            Err(error) => Err(error.into()),
        },
    }
}

async fn find(house: &House, shown: Arc<Secret>, address: IpAddr) -> Result<Option<Caller>, Refusal> {
    let of = &house.parts;
    let found = if shown.expose().starts_with("cfd_api_") {
        of.tokens.authenticate(&shown).await.map(|(token, actor)| AsWhom::Program { token, actor })
    } else {
        of.sessions.authenticate(&shown).await.map(AsWhom::Person)
    };
    match found {
        Ok(as_whom) => Ok(Some(Caller { address, as_whom, shown })),
        Err(Error::BadToken | Error::SessionEnded) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a page of this server sends it, or it changes nothing. Browsers tell for themselves from which page a request
/// comes; who tells nothing may be any page's form.
fn is_of_this_origin(request: &Request, house: &House) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return true;
    }
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    match (text(ORIGIN), &house.options.origin) {
        (Some(origin), Some(ours)) => origin.eq_ignore_ascii_case(ours.trim_end_matches('/')),
        (Some(origin), None) => {
            let host = request.uri().authority().map(http::uri::Authority::as_str).or_else(|| text(HOST));
            let named = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            named.is_some_and(|named| host.is_some_and(|host| named.eq_ignore_ascii_case(host)))
        }
        (None, _) => request.headers().get("sec-fetch-site").is_some_and(|site| site == "same-origin"),
    }
}
