//! A user's name that is a secret, as a key in the place of a name is: entered unseen, kept sealed, placed, and watched for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::api;
use crate::canary::{ANOTHER, CANARY};
use crate::credentials::nothing_shows;
use crate::placed_low_code;
use crate::world::World;

/// The key stands where a user's name does.
fn world(url: &str) -> World {
    let authenticator = r#"{type: BasicHttpAuthenticator, username: "{{ config['secret'] }}", password: ""}"#;
    placed_low_code::world(authenticator, "login", url)
}

#[test]
fn a_key_in_the_place_of_a_user_name_is_a_secret_and_needs_no_password() {
    let wanted = format!("authorization: Basic {}\n", STANDARD.encode(format!("{CANARY}:")));
    let world = world(&api::serve_to(&[wanted]));
    let in_words = world.run(&["connect", "sync.toml", "--field", "username=anybody"]);
    assert!(in_words.stderr.contains("error[CD0844]"), "{}", in_words.report());
    world.run(&["connect", "sync.toml", "--secret", "username=@secret"]).succeeded();
    let listed = world.run(&["credentials", "list", "--json"]).succeeded();
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let kept = &listed["credentials"][0];
    assert_eq!(
        (&kept["secret"], &kept["public"]),
        (&serde_json::json!(["username"]), &serde_json::json!({}))
    );
    world.run(&["run", "sync.toml"]).succeeded();
    nothing_shows(&world);
}

#[test]
fn a_user_name_that_is_a_secret_is_blanked_where_it_comes_back() {
    let world = world(&api::serve_echo());
    world.secret("password", ANOTHER);
    let both = ["--secret", "username=@secret", "--secret", "password=@password"];
    world.run(&[&["connect", "sync.toml"], &both[..]].concat()).succeeded();
    world.run(&["run", "sync.toml"]).succeeded();
    let arrived = format!("{:?}", crate::rows::rows(&world.path("out")));
    let pair = STANDARD.encode(format!("{CANARY}:{ANOTHER}"));
    for secret in [CANARY, &pair] {
        assert!(!arrived.contains(secret), "{arrived}");
    }
    assert!(arrived.contains("authorization: Basic ***"), "{arrived}");
    nothing_shows(&world);
}
