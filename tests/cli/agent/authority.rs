//! A connection whose system shows a certificate of an authority that nobody else trusts.

use serde_json::json;

use super::story::Story;
use crate::api::serve;
use crate::build::MANIFEST;
use crate::nginx::{Authority, Nginx};
use crate::world::World;

#[test]
fn a_connection_trusts_an_authority_of_its_own_as_long_as_an_admin_lets_it() {
    let url = serve(2);
    let (authority, house) = (Authority::new("ours"), World::new());
    let nginx =
        Nginx::start_with(&house, &authority, "localhost", &format!("location / {{ proxy_pass {url}; }}"));
    let port = nginx.address.port();
    let secure = format!("https://localhost:{port}");
    let mut story = Story::reaching(&format!("127.0.0.1:{port}"));
    let (digest, destination) = (story.package("1.0.0", MANIFEST), story.destination());
    let source = story.connection_of(&digest, &json!({ "base_url": format!("{secure}/api") }));
    let rights = |authority: Option<String>| {
        let mut rights = json!({
            "hosts": [{ "url": secure }], "addresses": [{ "network": "127.0.0.1/32", "port": port }],
        });
        authority.into_iter().for_each(|pem| rights["authority"] = pem.into());
        rights
    };
    let check = format!("/connections/{source}/check");
    story.grant(&source, &rights(None));
    let (status, code) = story.refused(("POST", &check), &json!({}));
    assert!(status >= 400 && code.starts_with("CD"), "{status} {code}");
    // One that has not signed it is no help.
    story.grant(&source, &rights(Some(Authority::new("another").pem())));
    story.refused(("POST", &check), &json!({}));
    story.grant(&source, &rights(Some(authority.pem())));
    story.post(&check, json!({}));
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    let last = story.ended(&sync);
    assert_eq!(last["outcome"], "done", "{last}");
    assert_eq!(story.remote.unit().rows["movies"].len(), 4);
    story.grant(&source, &rights(None));
    story.refused(("POST", &check), &json!({}));
    story.terminate().succeeded();
}
