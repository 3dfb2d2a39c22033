//! The description of the API, made of the code. It is committed, so that whoever changes the API sees it.

use crate::refusal::Problem;
use crate::router::{anybody, inside, senders, strangers};
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, Required,
    ResponseBuilder,
};
use utoipa::{PartialSchema, ToSchema};

/// Whether a route is for who has come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Door {
    Open,
    Inside,
}

/// The description of the API in the version of OpenAPI 3.1, as JSON.
#[must_use]
pub fn document() -> String {
    let mut whole = OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Cofferdam")
                .version("1")
                .description(Some("Moves rows between systems through connectors that run in a sandbox."))
                .build(),
        )
        .components(Some(
            ComponentsBuilder::new()
                .schema(Problem::name(), Problem::schema())
                .security_scheme(
                    "bearer",
                    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()),
                )
                .security_scheme(
                    "cookie",
                    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-cofferdam_session"))),
                )
                .build(),
        ))
        .build();
    for (group, door) in [
        (anybody(), Door::Open),
        (senders(), Door::Open),
        (strangers(), Door::Open),
        (inside(), Door::Inside),
    ] {
        let mut part = group.into_openapi();
        for (path, item) in &mut part.paths.paths {
            complete(path, item, door);
        }
        whole.merge(part);
    }
    write(&whole)
}

fn write(whole: &OpenApi) -> String {
    let mut text = whole.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Adds what every route has, so that none can forget it.
fn complete(path: &str, item: &mut PathItem, door: Door) {
    let PathItem { get, put, post, delete, patch, .. } = item;
    for (method, operation, extra) in [
        ("get", get, None),
        ("put", put, Some(if_match())),
        ("post", post, (door == Door::Inside).then(idempotency_key)),
        ("delete", delete, None),
        ("patch", patch, Some(if_match())),
    ] {
        let Some(operation) = operation else { continue };
        operation.operation_id = Some(id(method, path));
        operation.parameters.get_or_insert_default().extend(extra);
        if operation.parameters.as_ref().is_some_and(Vec::is_empty) {
            operation.parameters = None;
        }
        close(operation, door);
    }
}

/// Names of functions are not unique, and routes are.
fn id(method: &str, path: &str) -> String {
    let words = path.split(|char: char| !char.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty() && *word != "v1");
    std::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

fn close(operation: &mut Operation, door: Door) {
    let problem = |description: &str| {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
        ResponseBuilder::new().description(description).content("application/json", content).build()
    };
    for (status, description) in [("4XX", "It was not done, and why."), ("5XX", "It failed within.")] {
        operation.responses.responses.insert(status.to_owned(), problem(description).into());
    }
    operation.security = Some(match door {
        Door::Open => vec![SecurityRequirement::default()],
        Door::Inside => {
            ["bearer", "cookie"].map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, [])).into()
        }
    });
}

fn if_match() -> Parameter {
    header("If-Match", Required::True, "The `ETag` of what was read.")
}

fn idempotency_key() -> Parameter {
    header("Idempotency-Key", Required::False, "A word of your own: the request is done once for each.")
}

fn header(name: &str, required: Required, description: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()))
        .build()
}
