//! Every route, in four groups: for anybody, for other systems, for strangers who show something in the body, and for who has
//! come in.

use crate::around::around;
use crate::authenticate::{authenticate, count_strangers};
use crate::fault::Fault;
use crate::house::House;
use crate::once::once;
use crate::routes::{
    account, audit, authorize, catalog, checkpoints, connections, connectors, consent, credentials, deletion,
    directories, endpoints, events, glass, health, history, installation_audit, invitations, live, login,
    members, operators, organizations, persons, previews, queue, reprocess, retention, row_errors, second,
    sessions, setup, syncs, tokens, zones,
};
use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The routes of an installation.
pub(crate) fn router(house: House) -> Router {
    let strangers = strangers().route_layer(from_fn_with_state(house.clone(), count_strangers));
    let inside = inside()
        .route_layer(from_fn_with_state(house.clone(), once))
        .route_layer(from_fn_with_state(house.clone(), authenticate));
    let (router, _) = anybody().merge(senders()).merge(strangers).merge(inside).split_for_parts();
    router
        .fallback(async || Fault::NoSuchRoute)
        .method_not_allowed_fallback(async || Fault::NoSuchMethod)
        .layer(from_fn_with_state(house.clone(), around))
        .with_state(house)
}

/// Tells nothing of anyone.
pub(crate) fn anybody() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::description))
}

/// For other systems, which show a token in the path.
pub(crate) fn senders() -> OpenApiRouter<House> {
    OpenApiRouter::default().routes(routes!(events::leave, events::challenge))
}

/// For who is nobody yet.
pub(crate) fn strangers() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(setup::create_first_operator))
        .routes(routes!(login::log_in))
        .routes(routes!(invitations::join))
        .routes(routes!(authorize::end))
}

/// For who has come in.
pub(crate) fn inside() -> OpenApiRouter<House> {
    people()
        .merge(organizations_routes())
        .merge(connections_routes())
        .merge(syncs_routes())
        .merge(endpoint_routes())
        .merge(deletion_routes())
        .merge(records_routes())
        .merge(audit_routes())
}

fn records_routes() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(history::list))
        .routes(routes!(history::show))
        .routes(routes!(history::report))
        .routes(routes!(history::log))
        .routes(routes!(row_errors::list, row_errors::delete))
        .routes(routes!(row_errors::counts))
        .routes(routes!(row_errors::export))
        .routes(routes!(row_errors::show))
        .routes(routes!(reprocess::request))
        .routes(routes!(checkpoints::list))
        .routes(routes!(checkpoints::show, checkpoints::edit))
        .routes(routes!(checkpoints::reset))
        .routes(routes!(checkpoints::changes))
        .routes(routes!(previews::make))
        .routes(routes!(previews::list))
        .routes(routes!(retention::show, retention::set))
}

fn people() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(login::log_out))
        .routes(routes!(account::me))
        .routes(routes!(account::change_password))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::end))
        .routes(routes!(second::begin))
        .routes(routes!(second::enable))
        .routes(routes!(second::disable))
        .routes(routes!(invitations::accept))
        .routes(routes!(operators::list))
        .routes(routes!(operators::dismiss))
        .routes(routes!(operators::invitations, operators::invite))
        .routes(routes!(operators::revoke))
}

fn organizations_routes() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(organizations::list, organizations::create))
        .routes(routes!(organizations::show, organizations::rename))
        .routes(routes!(members::list))
        .routes(routes!(members::show, members::change, members::remove))
        .routes(routes!(invitations::list, invitations::invite))
        .routes(routes!(invitations::revoke))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke))
        .routes(routes!(zones::show, zones::set))
        .routes(routes!(glass::list, glass::request))
        .routes(routes!(glass::show, glass::end))
        .routes(routes!(glass::approve))
}

fn syncs_routes() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(syncs::list, syncs::create))
        .routes(routes!(syncs::validate))
        .routes(routes!(syncs::show, syncs::change, syncs::remove))
        .routes(routes!(syncs::start))
        .routes(routes!(syncs::pause))
        .routes(routes!(syncs::stop))
        .routes(routes!(syncs::run_now))
        .routes(routes!(syncs::preview_schedule))
        .routes(routes!(queue::list))
        .routes(routes!(queue::cancel))
        .routes(routes!(live::listen))
}

fn deletion_routes() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(persons::remove_me))
        .routes(routes!(persons::remove_other))
        .routes(routes!(deletion::show, deletion::request, deletion::withdraw))
        .routes(routes!(deletion::confirm))
        .routes(routes!(deletion::certificate))
}

fn connections_routes() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        // A component is larger than any other body, and bounded where it is read.
        .routes(routes!(connectors::list, connectors::install))
        .routes(routes!(connectors::show, connectors::remove))
        .routes(routes!(connectors::release))
        .routes(routes!(connections::list, connections::create))
        .routes(routes!(connections::validate))
        .routes(routes!(directories::list))
        .routes(routes!(connections::show, connections::change, connections::remove))
        .routes(routes!(consent::grant, consent::withdraw))
        .routes(routes!(credentials::enter, credentials::revoke))
        .routes(routes!(authorize::begin))
        .routes(routes!(catalog::check))
        .routes(routes!(catalog::discover))
        .routes(routes!(catalog::show))
}

fn endpoint_routes() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(endpoints::show, endpoints::create, endpoints::turn_off))
        .routes(routes!(endpoints::rotate))
        .routes(routes!(endpoints::enter_secret, endpoints::remove_secret))
        .routes(routes!(endpoints::queue, endpoints::clear))
}

fn audit_routes() -> OpenApiRouter<House> {
    OpenApiRouter::default()
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(audit::checkpoint))
        .routes(routes!(audit::inclusion))
        .routes(routes!(audit::consistency))
        .routes(routes!(audit::compare))
        .routes(routes!(installation_audit::list))
        .routes(routes!(installation_audit::export))
        .routes(routes!(installation_audit::checkpoint))
        .routes(routes!(installation_audit::compare))
}
