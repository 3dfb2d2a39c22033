//! The memory of every guest of a run that has placed a credential of each kind, read page after page, and is about to end:
//! no secret is in there, in any spelling.

mod dump;
mod held;

use std::process::Stdio;

use crate::canary::{ANOTHER, CANARY, Canaries};
use crate::credentials::{ask, shop};
use crate::kinds::authenticators::{AMAZON, CERTIFICATE, CLIENT, EXCHANGED, HMAC, REFRESHED, SIGNED};
use crate::kinds::{Upstream, certificate};
use crate::nginx::{Authority, Nginx};
use crate::placed_low_code::{Api, KINDS};
use crate::world::World;
pub(crate) use dump::{Stopped, everything};
pub(crate) use held::Held;
use held::ISSUED;

/// Looks at the process of a run of this world while its API holds back the last page, and gives the head of the request for
/// that.
fn at_its_end<T>(world: &World, held: &Held, look: impl FnOnce(u32) -> T) -> (T, String) {
    let mut command = world.command(&["run", "sync.toml"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (asked, go) = held.waits();
    let stopped = Stopped::new(child.id());
    let seen = look(child.id());
    drop(stopped);
    drop(go);
    let ran = crate::world::ran(child.wait_with_output().unwrap()).succeeded();
    world.heard(&ran);
    (seen, asked)
}

/// The first guest that has one of these, as it is or in another spelling.
fn found(guests: &[Vec<u8>], secrets: &[String]) -> Option<String> {
    let canaries = Canaries::of(secrets);
    guests.iter().find_map(|bytes| canaries.found_in(bytes))
}

/// An authenticator, its ask, and what an administrator enters for it.
type Kind = (&'static str, &'static str, &'static [&'static str]);

const SIGNING: [Kind; 2] = [
    (HMAC, "signing-key", &["--field", "key_id=shop", "--secret", "key=@secret"]),
    (
        AMAZON,
        "aws-sigv4",
        &[
            "--field",
            "access_key_id=shop",
            "--secret",
            "secret_access_key=@secret",
            "--secret",
            "session_token=@another",
        ],
    ),
];

const TOKENS: [Kind; 4] = [
    (CLIENT, "oauth", &["--field", "client_id=shop", "--secret", "client_secret=@secret"]),
    (
        REFRESHED,
        "oauth",
        &[
            "--field",
            "client_id=shop",
            "--secret",
            "client_secret=@secret",
            "--secret",
            "refresh_token=@another",
        ],
    ),
    (SIGNED, "service-account", &["--field", "issuer=shop", "--secret", "private_key=@key"]),
    (EXCHANGED, "account", &["--field", "issuer=shop", "--secret", "private_key=@key"]),
];

/// Runs what is packaged for this API and looks. `origin` is where that is, which a guest is told: it must be found.
#[track_caller]
fn holds_no_secret(api: &Api<'_>, fields: &[&str], held: &Held, prepare: impl FnOnce(&World)) {
    let world = api.world();
    world.secret("secret", CANARY);
    world.secret("another", ANOTHER);
    world.must_not_show(ISSUED);
    prepare(&world);
    world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
    let (guests, asked) = at_its_end(&world, held, dump::guests);
    // Tokens that the host has made are known by what it sent.
    let bearer = asked.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
    bearer.into_iter().for_each(|token| world.must_not_show(token));
    let kind = api.authenticator;
    assert!(guests.len() >= 2, "{} memories: {kind}", guests.len());
    assert!(found(&guests, &[api.origin.to_owned()]).is_some(), "the search finds what a guest has: {kind}");
    let secret = found(&guests, &world.secrets());
    assert!(secret.is_none(), "a guest holds a secret {}: {kind}", secret.unwrap());
}

#[track_caller]
fn each_holds_no_secret(kinds: &[Kind], prepare: impl Fn(&World)) {
    for (authenticator, ask, fields) in kinds {
        let held = Held::start();
        let origin = format!("http://{}", held.address);
        holds_no_secret(
            &Api { authenticator, ask, origin: &origin, ..Api::default() },
            fields,
            &held,
            &prepare,
        );
    }
}

#[test]
fn no_guest_holds_a_secret_that_is_placed_as_it_is() {
    each_holds_no_secret(&KINDS.map(|(authenticator, ask, fields, _)| (authenticator, ask, fields)), |_| ());
}

#[test]
fn no_guest_holds_a_secret_with_which_requests_are_signed() {
    each_holds_no_secret(&SIGNING, |_| ());
}

#[test]
fn no_guest_holds_a_token_nor_what_brought_it() {
    let account = Upstream::signed("RS256");
    each_holds_no_secret(&TOKENS, |world| world.secret("key", account.said("key")));
}

#[test]
fn no_guest_holds_the_key_of_a_certificate() {
    let (servers, clients, held) = (Authority::new("ours"), Authority::new("of clients"), Held::start());
    let folder = World::new();
    folder.file("clients.pem", clients.pem());
    let asks = format!(
        "ssl_client_certificate {}; ssl_verify_client on; location /held/ {{ proxy_pass http://{}; }}",
        folder.path("clients.pem").display(),
        held.address
    );
    let nginx = Nginx::start_with(&folder, &servers, "localhost", &asks);
    let origin = format!("https://localhost:{}", nginx.address.port());
    let fields = &["--field", "certificate=@client.crt", "--secret", "private_key=@client.key"];
    let grants = "[source.grants.tls]\nca = \"servers.pem\"\n";
    let api = Api {
        authenticator: CERTIFICATE,
        ask: "mtls",
        origin: &origin,
        path: "/held",
        grants,
        ..Api::default()
    };
    holds_no_secret(&api, fields, &held, |world| {
        world.file("servers.pem", servers.pem());
        certificate(world, &clients, "client");
    });
}

/// The interpreter keeps its configuration, and in that what it was given.
const REVEALED: &str = "{type: HostAuthenticator, kind: bearer, settings: {reveal: true}}";

#[test]
fn a_secret_that_a_guest_was_given_is_found_in_its_memory() {
    let held = Held::start();
    let origin = format!("http://{}", held.address);
    let world = Api { authenticator: REVEALED, ask: "bearer", origin: &origin, ..Api::default() }.world();
    world.edit("bearer = \"api.bearer\"", "bearer = { use = \"api.bearer\", reveal = true }");
    world.secret("secret", CANARY);
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    let (guests, _asked) = at_its_end(&world, &held, dump::guests);
    assert!(found(&guests, &[CANARY.to_owned()]).is_some(), "in none of {} memories", guests.len());
}

#[test]
fn the_memory_of_the_host_is_another_one() {
    let held = Held::start();
    let origin = format!("http://{}", held.address);
    let world = shop(&ask("api", "kind = \"bearer\""), &origin);
    world.file("sync.toml", crate::placed::sync_of(&origin, crate::placed::GRANTED));
    world.secret("secret", CANARY);
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    let look = |process| (dump::guests(process), everything(process));
    let ((guests, all), _asked) = at_its_end(&world, &held, look);
    let is_in = |blocks: &[Vec<u8>], text: &str| {
        let canaries = Canaries::of(&[text]);
        blocks.iter().any(|bytes| canaries.as_it_is_in(bytes))
    };
    assert!(is_in(&guests, &origin) && !is_in(&guests, CANARY), "a guest knows where to ask, and no more");
    assert!(is_in(&all, CANARY), "who places the secret has it");
}
