//! A packaged manifest whose authenticators became credentials: the interpreter sends the request, the host its secret.

use crate::api;
use crate::canary::{CANARY, basic, bearer, parameter};
use crate::credentials::nothing_shows;
use crate::kinds::recorded_without_its_secret;
use crate::world::{Ran, World};

const MANIFEST: &str = r#"
version: 1.2.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [movies]}
streams:
  - type: DeclarativeStream
    name: movies
    retriever:
      type: SimpleRetriever
      requester:
        type: HttpRequester
        url_base: "{{ config['base_url'] }}"
        path: /movies
        REQUESTER
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
      paginator:
        type: DefaultPaginator
        pagination_strategy:
          type: PageIncrement
          page_size: PAGE_SIZE
          start_from_page: 1
          inject_on_first_request: true
        page_token_option: {type: RequestOption, inject_into: request_parameter, field_name: _page}
    schema_loader:
      type: InlineSchemaLoader
      schema: {type: object, properties: {id: {type: integer}, asked: {type: string}}}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [base_url, secret]
    properties:
      base_url: {type: string}
      user: {type: string, default: ada}
      secret: {type: string, airbyte_secret: true}
      refresh_token: {type: string, airbyte_secret: true}
"#;

/// The manifest of an API of movies, with more of its requester (a line) and so many records on a page.
pub(crate) fn manifest(requester: &str, page_size: usize) -> String {
    MANIFEST.replace("REQUESTER", requester).replace("PAGE_SIZE", &page_size.to_string())
}

/// An API and what is packaged for it.
pub(crate) struct Api<'a> {
    /// How its requests are authenticated, in YAML.
    pub(crate) authenticator: &'a str,
    /// The name of the credential that comes of it.
    pub(crate) ask: &'a str,
    /// Scheme, host and port, and the path before `/movies`.
    pub(crate) origin: &'a str,
    pub(crate) path: &'a str,
    /// More tables of the source.
    pub(crate) grants: &'a str,
    /// How many records a page has, behind which another may follow.
    pub(crate) page_size: usize,
}

impl Default for Api<'_> {
    fn default() -> Self {
        Self { authenticator: "", ask: "", origin: "", path: "", grants: "", page_size: 2 }
    }
}

impl Api<'_> {
    /// A world with a sync from there into the folder `out`.
    pub(crate) fn world(&self) -> World {
        let Api { authenticator, ask, origin, path, grants, page_size } = self;
        let lines = authenticator.trim().lines();
        let nested: String = lines.map(|line| format!("\n          {line}")).collect();
        let manifest = manifest(&format!("authenticator: {nested}"), *page_size);
        let world = crate::build::packaged(&manifest);
        let addresses = api::grants(origin);
        world.file(
            "sync.toml",
            format!(
                r#"
sync = 1
name = "movies"
[source]
connector = "api.wasm"
config = {{ base_url = "{origin}{path}" }}
{addresses}{grants}
[source.grants.credentials]
{ask} = "api.{ask}"
[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
[run]
attempts = 1
"#
            ),
        );
        world
    }
}

/// A world whose system wants a bearer token, which is entered.
pub(crate) fn with_bearer(url: &str) -> World {
    let [(authenticator, ask, fields, _), ..] = KINDS;
    let world = world(authenticator, ask, url);
    world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
    world
}

/// A world with a sync from an API that is authenticated like this, and the secret to be entered.
pub(crate) fn world(authenticator: &str, ask: &str, url: &str) -> World {
    let world = Api { authenticator, ask, origin: url, ..Api::default() }.world();
    world.secret("secret", CANARY);
    world
}

/// The authenticator, the ask that it becomes, what an admin enters, and what the system wants to see.
pub(crate) type Kind = (&'static str, &'static str, &'static [&'static str], fn() -> String);

pub(crate) const KINDS: [Kind; 4] = [
    (
        r#"{type: BearerAuthenticator, api_token: "{{ config['secret'] }}"}"#,
        "token",
        &["--secret", "token=@secret"],
        bearer,
    ),
    (
        r#"{type: ApiKeyAuthenticator, api_token: "{{ config['secret'] }}", inject_into: {type: RequestOption, inject_into: header, field_name: X-Api-Key}}"#,
        "api-key",
        &["--secret", "value=@secret"],
        || format!("x-api-key: {CANARY}\n"),
    ),
    (
        r#"{type: ApiKeyAuthenticator, api_token: "{{ config['secret'] }}", inject_into: {type: RequestOption, inject_into: request_parameter, field_name: key}}"#,
        "api-key",
        &["--secret", "value=@secret"],
        || parameter("key"),
    ),
    (
        r#"{type: BasicHttpAuthenticator, username: "{{ config['user'] }}", password: "{{ config['secret'] }}"}"#,
        "login",
        &["--field", "username=ada", "--secret", "password=@secret"],
        basic,
    ),
];

#[test]
fn each_authenticator_is_a_credential_that_the_host_places() {
    for (authenticator, ask, fields, wanted) in KINDS {
        let world = world(authenticator, ask, &api::serve_to(&[wanted()]));
        let missing = world.run(&["run", "sync.toml"]);
        assert!(missing.stderr.contains("cofferdam connect"), "{authenticator}: {}", missing.report());
        world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
        let ran: Ran = world.run(&["run", "sync.toml"]).succeeded();
        let rows = crate::rows::rows(&world.path("out"));
        assert_eq!(rows.get("movies").map(Vec::len), Some(2), "{authenticator}: {}", ran.report());
        nothing_shows(&world);
        recorded_without_its_secret(&world);
    }
}

#[test]
fn what_a_system_sends_back_of_a_secret_is_blanked_and_told() {
    let world = with_bearer(&api::serve_echo());
    let ran = world.run(&["run", "sync.toml"]).succeeded();
    let rows = crate::rows::rows(&world.path("out")).remove("movies").unwrap();
    let blank = format!("authorization: Bearer {}", "*".repeat(CANARY.len()));
    assert!(rows[0].contains(&blank), "{rows:?}");
    assert!(!rows[0].contains(CANARY), "{rows:?}");
    let told = ran.stdout.lines().chain(ran.stderr.lines()).find(|line| line.contains("came back"));
    assert!(told.is_some_and(|line| line.contains("api.token")), "{}", ran.report());
    nothing_shows(&world);
}

/// Status, headers and body of an answer with the target of the request in it.
type Reflecting = fn(&str) -> (&'static str, String, String);

/// E50: what stands in a query is in the URL that everybody writes down.
#[test]
fn a_key_in_the_query_shows_in_no_failure_and_goes_along_with_no_redirect() {
    let (authenticator, ask, fields, _) = KINDS[2];
    let reflecting: [Reflecting; 5] = [
        |target| ("302 Found", format!("location: http://elsewhere.test{target}\r\n"), String::new()),
        |target| ("400 Bad Request", String::new(), format!("{{\"error\": \"no such page: {target}\"}}")),
        |target| ("500 Oh", String::new(), target.to_owned()),
        |target| ("200 OK", "content-type: text/html\r\n".to_owned(), format!("<a href='{target}'>")),
        |target| ("200 OK", String::new(), format!("{{\"data\": [{{\"id\": 1, \"asked\": \"{target}\"}}")),
    ];
    for reflect in reflecting {
        let url = api::serve_with(move |head| {
            let (status, headers, body) = reflect(head.split(' ').nth(1).unwrap());
            let length = body.len();
            format!(
                "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
        });
        let world = world(authenticator, ask, &url);
        world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
        let ran = world.run(&["run", "sync.toml", "-vv"]);
        assert_eq!(ran.status, Some(1), "{}", ran.report());
        world.run(&["runs", "show", "1", "--json"]).succeeded();
        world.run(&["runs", "logs", "1"]).succeeded();
        nothing_shows(&world);
    }
}

#[test]
fn a_redirect_is_followed_without_saying_whence() {
    let (authenticator, ask, fields, wanted) = KINDS[2];
    let (sender, heads) = std::sync::mpsc::channel();
    let url = api::serve_with(move |head| {
        sender.send(head.to_owned()).unwrap();
        if head.starts_with("GET /movies?") {
            return "HTTP/1.1 302 Found\r\nlocation: /films?_page=2\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".into();
        }
        "HTTP/1.1 200 OK\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{\"data\": []}".into()
    });
    let world = world(authenticator, ask, &url);
    world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
    world.run(&["run", "sync.toml"]).succeeded();
    let heads: Vec<String> = heads.try_iter().collect();
    assert_eq!(heads.len(), 2, "{heads:?}");
    for head in heads {
        assert_eq!(head.matches(&wanted()).count(), 1, "the audience gets it once: {head}");
        assert!(!head.to_lowercase().contains("\nreferer:"), "{head}");
    }
    nothing_shows(&world);
}
