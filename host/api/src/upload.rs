//! Uploads: larger bodies than all others, so there are few at once, and each is read after it is known who sends it.

use crate::body::is_of_type;
use crate::fault::Fault;
use crate::house::House;
use axum::body::Body;
use bytes::Bytes;
use control::COMPONENT_BYTES_MAX;
use http::HeaderMap;

const WASM: &str = "application/wasm";

/// Whether this is the body of a component.
pub(crate) fn is_component(headers: &HeaderMap) -> bool {
    is_of_type(headers, WASM)
}

/// The bytes of a component, within bounds of size and time. For whoever may install one.
pub(crate) async fn component(headers: &HeaderMap, body: Body, house: &House) -> Result<Bytes, Fault> {
    if !is_component(headers) {
        return Err(Fault::NotWasm);
    }
    let _place = house.uploads.try_acquire().map_err(|_| Fault::ManyUploads)?;
    crate::body::read_within(headers, body, (COMPONENT_BYTES_MAX, house.options.limits.upload)).await
}
