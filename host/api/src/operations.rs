//! For who operates the server: figures for Prometheus, and whether it is well, at an address of its own that people do not
//! reach. It tells nothing of anybody: no name of an organization, a connector or a person is in it.

use crate::around::around;
use crate::error::Error;
use crate::fault::Fault;
use crate::house::House;
use crate::routes::health;
use async_trait::async_trait;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use measures::Standing;
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::sync::Arc;
use zeroize::Zeroizing;

/// How the server is reached by who operates it.
pub struct Operations {
    /// Where.
    pub address: SocketAddr,
    /// What is to be shown for figures, as a bearer's token. Without one only this machine gets them.
    pub token: Option<Zeroizing<String>>,
    /// Reads what stands.
    pub figures: Arc<dyn Figures>,
}

/// Reads what stands: storage, queue, processes. Asked once for each scrape, one after the other; may read files.
#[async_trait]
pub trait Figures: Send + Sync {
    /// What stands now. What cannot be read is left out.
    async fn read(&self) -> Standing;
}

/// What the routes here know.
#[derive(Clone)]
struct Room {
    house: House,
    figures: Arc<dyn Figures>,
    /// Of the token: equal digests are equal tokens, and how long comparing takes tells nothing.
    token: Option<[u8; 32]>,
    certificate_ends: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
}

impl Operations {
    /// Whether it may be reached so.
    pub(crate) fn judge(&self, is_encrypted: bool) -> Result<(), Error> {
        let address = self.address;
        match address.ip().to_canonical().is_loopback() {
            true => Ok(()),
            false if self.token.is_none() => Err(Error::OperationsOpen { address }),
            false if !is_encrypted => Err(Error::PlainNotLoopback { address }),
            false => Ok(()),
        }
    }

    pub(crate) fn router(
        self,
        house: House,
        certificate_ends: impl Fn() -> Option<u64> + Send + Sync + 'static,
    ) -> Router {
        let token = self.token.map(|token| digest(&token));
        let certificate_ends = Arc::new(certificate_ends);
        let room = Room { house: house.clone(), figures: self.figures, token, certificate_ends };
        let figures = Router::new()
            .route("/metrics", get(metrics))
            .route_layer(from_fn_with_state(room.clone(), guard))
            .with_state(room);
        let well = Router::new()
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz))
            .with_state(house.clone());
        figures
            .merge(well)
            .fallback(async || Fault::NoSuchRoute)
            .method_not_allowed_fallback(async || Fault::NoSuchMethod)
            .layer(from_fn_with_state(house, around))
    }
}

async fn metrics(State(room): State<Room>) -> impl IntoResponse {
    let mut standing = room.figures.read().await;
    standing.certificate_ends = (room.certificate_ends)();
    ([(CONTENT_TYPE, measures::CONTENT_TYPE)], room.house.parts.measures.text(standing))
}

async fn guard(State(room): State<Room>, request: Request, next: Next) -> Response {
    let Some(token) = room.token else { return next.run(request).await };
    let shown = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.split_once(' '));
    match shown {
        Some((scheme, shown)) if scheme.eq_ignore_ascii_case("bearer") && digest(shown.trim()) == token => {
            next.run(request).await
        }
        _ => Fault::NotSignedIn.into_response(),
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
