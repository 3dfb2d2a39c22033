//! Directories of the server's machine that its operator lets admins grant.

use super::consent::GrantedAccess;
use crate::at::At;
use crate::body::Told;
use crate::caller::Caller;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use control::{Action, OfferedDirectory};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// A directory that admins may grant to connections. Where it lies is not told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OfferedDirectory)]
pub(crate) struct ShownOffer {
    /// By which it is granted.
    name: String,
    /// What may be granted there at most.
    access: GrantedAccess,
    /// Whether other organizations see the same files; else each has a folder of its own there.
    is_shared: bool,
}

impl ShownOffer {
    fn of(offered: OfferedDirectory) -> Self {
        let OfferedDirectory { name, access, shared, .. } = offered;
        Self { name, access: GrantedAccess::of(access), is_shared: shared }
    }
}

/// Lists the directories of the server's machine that an organization's admins may grant to connections.
#[utoipa::path(get, path = "/v1/organizations/{organization}/directories", tag = "connections",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownOffer>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownOffer>>, Refusal> {
    caller.enter(&house, &id, Action::ReadConfigurations).await?;
    let cut = query.cut("directories")?;
    let offered = house.parts.connections.offered(caller.user(), &id).await?;
    let page = Page::of("directories", &cut, offered, |offered| offered.name.as_str());
    Ok(Told(StatusCode::OK, page.map(ShownOffer::of)))
}
