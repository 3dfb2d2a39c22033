//! Whether the server is there, and whether it does its work. And what it can do.

use crate::body::Told;
use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::IntoResponse;
use control::Log;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use utoipa::ToSchema;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    status: &'static str,
}

const OK: Health = Health { status: "ok" };

/// Whether the server is there.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = Health)))]
pub(crate) async fn healthz() -> Told<Health> {
    Told(StatusCode::OK, OK)
}

/// Whether requests are to be sent here: storage is read, a certificate is there, and the server does not end.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses((status = 200, body = Health)))]
pub(crate) async fn readyz(State(house): State<House>) -> Result<Told<Health>, Refusal> {
    if house.is_draining() {
        return Err(Fault::Draining.into());
    }
    if house.waits_for_certificate() {
        return Err(Fault::NoCertificate.into());
    }
    house.parts.audit.head(&Log::installation()).await?;
    Ok(Told(StatusCode::OK, OK))
}

/// This description.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "operation",
    responses((status = 200, content_type = "application/json", body = Object)))]
pub(crate) async fn description() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], include_str!("../../openapi.json"))
}
