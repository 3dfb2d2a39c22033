//! Consent at a real provider: in a browser with PKCE, by a code on another device, refused, and by an impostor.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Stdio};

use serde_json::Value;

use crate::credentials::{ask, nothing_shows, shop};
use crate::identity::{CLIENT_SECRET, Provider, consents, consents_by_code, refuses};
use crate::nginx::{Authority, Nginx};
use crate::world::{Ran, World};

/// `cofferdam connect` under way, which waits for a user.
struct Waiting<'w> {
    world: &'w World,
    process: Child,
    lines: BufReader<ChildStderr>,
    said: String,
}

impl<'w> Waiting<'w> {
    fn start(world: &'w World, more: &[&str]) -> Self {
        let arguments = ["connect", "sync.toml", "--no-browser", "--json"];
        let fields = ["--field", "client_id=shop", "--secret", "client_secret=@client-secret"];
        let mut command = world.command(&[&arguments, &fields[..], more].concat());
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stderr.take().unwrap());
        Self { world, process, lines, said: String::new() }
    }

    /// What stands behind these words, as soon as they are said.
    fn after(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            assert!(!line.is_empty(), "it has ended: {}", self.said);
            self.said.push_str(&line);
            if let Some((_, rest)) = line.split_once(words) {
                return rest.trim_end().to_owned();
            }
        }
    }

    fn page(&mut self) -> String {
        format!("http{}", self.after("    http"))
    }

    fn ended(mut self) -> Ran {
        self.lines.read_to_string(&mut self.said).unwrap();
        let mut stdout = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let status = self.process.wait().unwrap().code();
        let ran = Ran { status, stdout, stderr: self.said };
        self.world.heard(&ran);
        ran
    }
}

/// A user consents to what the sync of this world asks for.
pub(crate) fn consented(world: &World, user: impl FnOnce(&str) -> String) {
    let mut waiting = Waiting::start(world, &[]);
    user(&waiting.page());
    waiting.ended().succeeded();
}

/// A world with a sync whose source wants a token of this provider.
fn world(provider: &Provider, more: &str) -> World {
    let issuer = &provider.issuer;
    let endpoints = format!(
        r#"device_url = "{issuer}/device/auth"
{more}"#
    );
    wanting(issuer, issuer, &endpoints, "")
}

/// A world with a sync whose source wants a token of this issuer, which redeems what users consent to under the URL `tokens`. With more of
/// the kind, and more of the sync's source.
fn wanting(issuer: &str, tokens: &str, more: &str, source: &str) -> World {
    let kind = format!(
        r#"kind = "oauth2"
token_url = "{tokens}/token"
authorize_url = "{issuer}/auth"
revoke_url = "{tokens}/token/revocation"
scopes = ["openid", "offline_access", "orders"]
authorize_parameters = {{ prompt = "consent" }}
{more}"#
    );
    let base_url = format!("{issuer}/api");
    let world = shop(&ask("api", &kind), &base_url);
    let grants = crate::api::grants(issuer);
    world.file(
        "sync.toml",
        format!(
            r#"
sync = 1
name = "orders"
[source]
connector = "shop.wasm"
config = {{ base_url = "{base_url}", streams = ["movies"], page_size = 2 }}
{grants}{source}
[destination]
connector = "components/null.wasm"
"#
        ),
    );
    world.secret("client-secret", CLIENT_SECRET);
    world
}

/// The provider says which tokens it has issued; a person has them from `list`.
fn kept(world: &World) -> Value {
    let ran = world.run(&["credentials", "list", "--json"]).succeeded();
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["credentials"][0].take()
}

#[test]
fn a_user_consents_in_a_browser_and_the_tokens_are_kept() {
    let mut provider = Provider::start();
    let world = world(&provider, &format!("issuer = \"{}\"", provider.issuer));
    let mut waiting = Waiting::start(&world, &[]);
    let page = waiting.page();
    assert!(page.contains("code_challenge_method=S256") && page.contains("prompt=consent"), "{page}");
    let seen = consents(&page);
    assert!(seen.starts_with("200 ") && seen.contains("this window can be closed"), "{seen}");
    waiting.ended().succeeded();
    nothing_shows(&world);
    let kept = kept(&world);
    assert_eq!(kept["secret"], serde_json::json!(["access_token", "client_secret", "refresh_token"]));
    assert_eq!(kept["public"]["client_id"], "shop");
    assert!(kept["expires_ms"].is_u64());
    let issued = provider.line();
    let token = issued.strip_prefix("issued ").unwrap();
    assert!(token.len() > 20, "{issued}");
    world.must_not_show(token);
    nothing_shows(&world);

    let revoked = world.run(&["credentials", "revoke", "shop.api", "--yes"]).succeeded();
    assert!(revoked.stdout.contains("its provider was told"), "{}", revoked.report());
    let happened = provider.ended();
    assert!(happened.iter().any(|line| line.starts_with("destroyed ")), "of no use any more: {happened:?}");
}

#[test]
fn a_user_consents_by_a_code_on_another_device() {
    let provider = Provider::start();
    let world = world(&provider, "");
    let mut waiting = Waiting::start(&world, &["--device"]);
    let told = waiting.after("open ");
    let (page, rest) = told.split_once(" on any device, and type the code ").unwrap();
    let seen = consents_by_code(page, rest.strip_suffix(" there").unwrap());
    assert!(seen.contains("Sign-in Success"), "{seen}");
    waiting.ended().succeeded();
    nothing_shows(&world);
    assert_eq!(kept(&world)["secret"], serde_json::json!(["access_token", "client_secret", "refresh_token"]));
}

#[test]
fn a_user_who_refuses_is_told_and_nothing_is_kept() {
    let provider = Provider::start();
    let world = world(&provider, "");
    let mut waiting = Waiting::start(&world, &[]);
    let seen = refuses(&waiting.page());
    assert!(seen.contains("It was not allowed"), "{seen}");
    let ran = waiting.ended();
    assert!(
        ran.stderr.contains("error[CD0847]") && ran.stderr.contains("`access_denied`"),
        "{}",
        ran.report()
    );
    assert_eq!(ran.status, Some(1));
    assert!(!world.path(".cofferdam").exists());
}

/// Whoever else calls at the address that waits, and what it says.
fn call(page: &str, target: &str, host: Option<&str>) -> String {
    let port = page.split("127.0.0.1%3A").nth(1).unwrap().split("%2F").next().unwrap();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let own = format!("127.0.0.1:{port}");
    let host = host.unwrap_or(&own);
    stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_answer_that_belongs_to_another_flow_is_refused_and_the_right_one_still_taken() {
    let provider = Provider::start();
    let world = world(&provider, "");
    let mut waiting = Waiting::start(&world, &[]);
    let page = waiting.page();
    let state = page.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    for (target, host, status) in [
        ("/callback?code=stolen&state=other".to_owned(), None, "400"),
        ("/callback?code=stolen".to_owned(), None, "400"),
        (format!("/callback?code=a&code=b&state={state}"), None, "400"),
        (format!("/other?code=stolen&state={state}"), None, "404"),
        (format!("/callback?code=stolen&state={state}"), Some("evil.test"), "404"),
    ] {
        let answer = call(&page, &target, host);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
    }
    consents(&page);
    waiting.ended().succeeded();
}

#[test]
fn an_answer_of_another_provider_is_not_taken() {
    let provider = Provider::that_says_it_is("https://evil.test");
    let world = world(&provider, &format!("issuer = \"{}\"", provider.issuer));
    let mut waiting = Waiting::start(&world, &[]);
    consents(&waiting.page());
    let ran = waiting.ended();
    assert!(
        ran.stderr.contains("`https://evil.test` answered, which is another provider"),
        "{}",
        ran.report()
    );
    assert!(!world.path(".cofferdam").exists());
}

#[test]
fn a_wrong_client_secret_is_told_by_the_words_of_the_protocol() {
    let provider = Provider::start();
    let world = world(&provider, "");
    world.secret("client-secret", crate::canary::CANARY);
    let mut waiting = Waiting::start(&world, &[]);
    consents(&waiting.page());
    let ran = waiting.ended();
    assert!(ran.stderr.contains("it answers `invalid_client`"), "{}", ran.report());
}

#[test]
fn a_code_that_is_none_is_told_by_the_words_of_the_protocol() {
    let provider = Provider::start();
    let world = world(&provider, "");
    let mut waiting = Waiting::start(&world, &[]);
    let page = waiting.page();
    let state = page.split("state=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    call(&page, &format!("/callback?code=made-up&state={state}"), None);
    let ran = waiting.ended();
    assert!(ran.stderr.contains("it answers `invalid_grant`"), "{}", ran.report());
}

#[test]
fn an_address_of_this_machine_is_not_called_unless_the_sync_grants_it() {
    let provider = Provider::start();
    let world = world(&provider, "");
    let sync = world.read("sync.toml");
    let (start, rest) = sync.split_once("[[source.grants.addresses]]").unwrap();
    let rest = rest.split_once("[destination]").unwrap().1;
    world.file("sync.toml", format!("{start}[destination]{rest}"));
    let mut waiting = Waiting::start(&world, &[]);
    consents(&waiting.page());
    let ran = waiting.ended();
    assert!(
        ran.stderr.contains("error[CD0207]") && ran.lines_to_add().contains("127.0.0.1"),
        "{}",
        ran.report()
    );
}

#[test]
fn the_browser_that_the_environment_names_is_opened() {
    let provider = Provider::start();
    let world = world(&provider, "");
    world.file("browser", "#!/bin/sh\necho \"$1\" > opened.new\nmv opened.new opened\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(world.path("browser"), executable).unwrap();
    let fields = ["--field", "client_id=shop", "--secret", "client_secret=@client-secret"];
    let mut command = world.command(&[&["connect", "sync.toml"], &fields[..]].concat());
    command.env("BROWSER", world.path("browser")).env("PATH", std::env::var_os("PATH").unwrap());
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    crate::stopped::until("the browser is opened", || world.path("opened").exists());
    consents(world.read("opened").trim());
    assert!(process.wait().unwrap().success());
}

/// A sync whose provider gives tokens over TLS, under an authority of its own.
fn secure_world(provider: &Provider, nginx: &Nginx) -> World {
    let port = nginx.address.port();
    let source = format!(
        r#"
[[source.grants.addresses]]
address = "127.0.0.1"
port = {port}
[source.grants.credentials]
api = "shop.api""#
    );
    wanting(&provider.issuer, &format!("https://localhost:{port}"), "", &source)
}

/// nginx hands everything on.
fn all_of(provider: &Provider) -> String {
    format!("location / {{ proxy_pass {}; }}", provider.issuer)
}

#[test]
fn a_provider_under_an_authority_of_the_connections_own_is_called_as_in_a_run() {
    let mut provider = Provider::start();
    let (authority, house) = (Authority::new("ours"), World::new());
    let nginx = Nginx::start_with(&house, &authority, "localhost", &all_of(&provider));
    let world = secure_world(&provider, &nginx);
    let mut waiting = Waiting::start(&world, &[]);
    consents(&waiting.page());
    let untrusted = waiting.ended();
    assert_eq!(untrusted.status, Some(1), "{}", untrusted.report());
    for words in ["error[CD0306]", "UnknownIssuer", "`tls.ca` in the grants"] {
        assert!(untrusted.stderr.contains(words), "{words}: {}", untrusted.report());
    }

    world.edit("[destination]\n", "[source.grants.tls]\nca = \"authority.pem\"\n[destination]\n");
    world.file("authority.pem", authority.pem());
    consented(&world, consents);
    let issued = provider.line();
    let token = issued.strip_prefix("issued ").unwrap();
    provider.forgets(token);
    let ran = world.run(&["run", "sync.toml"]).succeeded();
    assert!(ran.stdout.contains("completed"), "{}", ran.report());
    // Its provider is told without the document, and without the file.
    std::fs::remove_file(world.path("authority.pem")).unwrap();
    std::fs::remove_file(world.path("sync.toml")).unwrap();
    let revoked = world.run(&["credentials", "revoke", "shop.api", "--yes"]).succeeded();
    assert!(revoked.stdout.contains("its provider was told"), "{}", revoked.report());
    let happened = provider.ended();
    assert!(happened.iter().any(|line| line.starts_with("refreshed ")), "{happened:?}");
}
