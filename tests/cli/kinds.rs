//! A packaged manifest with a credential of each kind that is more than a value in a place, and a system that takes nothing
//! else: what it checks, it checks by itself, and a secret that is wrong gets nothing.

pub(crate) mod authenticators;
mod upstream;

use std::fs;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};

use crate::canary::{ANOTHER, CANARY};
use crate::cassettes::no_secret_in;
use crate::credentials::nothing_shows;
use crate::identity::{CLIENT_SECRET, Provider};
use crate::nginx::{Authority, Nginx};
use crate::placed_low_code::Api;
use crate::world::{Ran, World};
use authenticators::{AMAZON, CERTIFICATE, CLIENT, EXCHANGED, HMAC, REFRESHED, SIGNED};
pub(crate) use upstream::Upstream;

/// What an administrator enters: fields that may be seen, and files of secrets.
type Fields<'a> = &'a [&'a str];

fn enter(world: &World, fields: Fields) -> Ran {
    world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded()
}

/// With all that the host has to say of itself.
fn run(world: &World) -> Ran {
    world.run(&["run", "sync.toml", "-vv"])
}

fn rows(world: &World) -> usize {
    crate::rows::rows(&world.path("out")).get("movies").map_or(0, Vec::len)
}

/// Refused with the one, served with the other, and neither shows.
#[track_caller]
fn takes_only(world: &World, ask: &str, wrong: Fields, right: Fields) {
    enter(world, wrong);
    let refused = run(world);
    assert_eq!((refused.status, rows(world)), (Some(1), 0), "{}", refused.report());
    enter(world, right);
    let ran = run(world).succeeded();
    assert_eq!(rows(world), 2, "{}", ran.report());
    assert!(ran.stdout.contains(&format!("api.{ask}")), "the ledger names it: {}", ran.report());
    nothing_shows(world);
    recorded_without_its_secret(world);
}

/// A run that uses its credential is recorded, nothing of it lies on the cassette, and the replay does without it.
#[track_caller]
pub(crate) fn recorded_without_its_secret(world: &World) {
    let ran = world.run(&["run", "sync.toml", "--record", "tape", "-vv"]).succeeded();
    assert!(ran.stderr.contains("recorded "), "{}", ran.report());
    no_secret_in(world, "tape");
    let replayed = world.run(&["run", "sync.toml", "--replay", "tape", "-vv"]).succeeded();
    assert!(replayed.stderr.contains("nothing is kept of this run"), "{}", replayed.report());
    nothing_shows(world);
    fs::remove_dir_all(world.path("tape")).unwrap();
}

#[test]
fn a_system_that_wants_a_keyed_hash_of_each_request_is_read() {
    let upstream = Upstream::hmac(CANARY);
    let world =
        Api { authenticator: HMAC, ask: "signing-key", origin: &upstream.url(), ..Api::default() }.world();
    world.secret("secret", CANARY);
    world.secret("wrong", ANOTHER);
    takes_only(
        &world,
        "signing-key",
        &["--field", "key_id=shop", "--secret", "key=@wrong"],
        &["--field", "key_id=shop", "--secret", "key=@secret"],
    );
}

#[test]
fn an_object_store_that_wants_amazons_signature_is_read() {
    let upstream = Upstream::objects();
    let origin = upstream.url();
    let api = Api {
        authenticator: AMAZON,
        ask: "aws-sigv4",
        origin: &origin,
        path: "/orders-of-shop",
        ..Api::default()
    };
    // An object is no page: it is the same whatever the query says.
    let world = Api { page_size: 3, ..api }.world();
    world.secret("secret", upstream.said("secret"));
    world.secret("wrong", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let id = format!("access_key_id={}", upstream.said("id"));
    takes_only(
        &world,
        "aws-sigv4",
        &["--field", &id, "--secret", "secret_access_key=@wrong"],
        &["--field", &id, "--secret", "secret_access_key=@secret"],
    );
}

#[test]
fn an_api_of_service_accounts_is_read_with_signed_tokens_and_with_what_they_are_exchanged_for() {
    for algorithm in ["RS256", "ES256"] {
        let (upstream, other) = (Upstream::signed(algorithm), Upstream::signed(algorithm));
        for (authenticator, ask) in [(SIGNED, "service-account"), (EXCHANGED, "account")] {
            let authenticator = authenticator.replace("RS256", algorithm);
            let origin = upstream.url();
            let world = Api { authenticator: &authenticator, ask, origin: &origin, ..Api::default() }.world();
            world.secret("secret", upstream.said("key"));
            world.secret("wrong", other.said("key"));
            world.must_not_show(upstream.said("token"));
            takes_only(
                &world,
                ask,
                &["--field", "issuer=shop@acme", "--secret", "private_key=@wrong"],
                &["--field", "issuer=shop@acme", "--secret", "private_key=@secret"],
            );
        }
    }
}

/// A certificate of a client, in the file of this name, and its key as a secret beside it.
pub(crate) fn certificate(world: &World, authority: &Authority, name: &str) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "shop");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    world.file(&format!("{name}.crt"), authority.signs(params, &key));
    world.secret(&format!("{name}.key"), &key.serialize_pem());
}

#[test]
fn a_server_that_wants_a_certificate_is_read() {
    let (servers, clients) = (Authority::new("ours"), Authority::new("of clients"));
    let folder = World::new();
    folder.file("served/movies-1.json", r#"{"data": [{"id": 1}, {"id": 2}]}"#);
    folder.file("served/movies-2.json", r#"{"data": []}"#);
    folder.file("clients.pem", clients.pem());
    let asks =
        format!("ssl_client_certificate {}; ssl_verify_client on;", folder.path("clients.pem").display());
    let nginx = Nginx::start_with(&folder, &servers, "localhost", &asks);
    let origin = format!("https://localhost:{}", nginx.address.port());
    let grants = "[source.grants.tls]\nca = \"servers.pem\"\n";
    let world =
        Api { authenticator: CERTIFICATE, ask: "mtls", origin: &origin, grants, ..Api::default() }.world();
    world.file("servers.pem", servers.pem());
    certificate(&world, &clients, "client");
    // Of the same name, by an authority of the same name.
    certificate(&world, &Authority::new("of clients"), "impostor");
    takes_only(
        &world,
        "mtls",
        &["--field", "certificate=@impostor.crt", "--secret", "private_key=@impostor.key"],
        &["--field", "certificate=@client.crt", "--secret", "private_key=@client.key"],
    );
    let log = folder.read("nginx/access.log");
    assert!(log.lines().all(|line| line.contains("\" 200 ") || line.contains("\" 400 ")), "{log}");
}

/// An API that takes the tokens of this provider, and a manifest that asks it for them.
fn of_provider(provider: &Provider, authenticator: &str) -> World {
    let world = Api { authenticator, ask: "oauth", origin: &provider.issuer, ..Api::default() }.world();
    world.secret("client-secret", CLIENT_SECRET);
    world.secret("wrong", CANARY);
    world
}

#[test]
fn a_client_of_its_own_right_gets_a_token_and_reads_with_it() {
    let mut provider = Provider::start();
    let world = of_provider(&provider, CLIENT);
    takes_only(
        &world,
        "oauth",
        &["--field", "client_id=robot", "--secret", "client_secret=@wrong"],
        &["--field", "client_id=robot", "--secret", "client_secret=@client-secret"],
    );
    let issued = provider.line();
    let token = issued.strip_prefix("issued ").unwrap();
    assert_eq!(provider.line(), format!("read {token}"));
    world.must_not_show(token);
    nothing_shows(&world);
}

#[test]
fn a_refresh_token_that_changes_with_each_use_is_used_and_kept() {
    let mut provider = Provider::start();
    let world = of_provider(&provider, REFRESHED);
    world.secret("refresh-token", &provider.gives_a_refresh_token());
    let client = ["--field", "client_id=shop", "--secret", "client_secret=@client-secret", "--secret"];
    takes_only(
        &world,
        "oauth",
        &[&client[..], &["refresh_token=@wrong"]].concat(),
        &[&client[..], &["refresh_token=@refresh-token"]].concat(),
    );
    // Each later run needs another access token, and the refresh token before it is of no use.
    let mut token = String::new();
    for _run in 0..2 {
        token = provider.reads_with_another(&token);
        world.must_not_show(&token);
        provider.forgets(&token);
        run(&world).succeeded();
    }
    world.must_not_show(&provider.reads_with_another(&token));
    let happened = provider.ended();
    assert!(!happened.iter().any(|line| line.starts_with("destroyed ")), "none was used twice: {happened:?}");
    nothing_shows(&world);
}
