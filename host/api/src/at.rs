//! The ids in a path. What cannot be an id is nowhere.

use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use serde::de::DeserializeOwned;

/// The ids in a path.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<House> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Refusal> {
        match Path::<T>::from_request_parts(parts, house).await {
            Ok(Path(ids)) => Ok(Self(ids)),
            Err(_) => Err(Fault::NoSuchRoute.into()),
        }
    }
}
