//! Event endpoints: who makes them, which token is good and until when, and what goes with them.

use super::connections::{code, digest};
use super::organizations::region;
use super::syncs::Works;
use super::users::{HERE, secret};
use super::world::{DAY_MS, HOUR_MS, World, contains};
use crate::tables::{ENDPOINT_SECRETS, ENDPOINTS, EVENT_HEADS, EVENT_MESSAGES, EVENT_SEEN, EVENT_TOKENS};
use crate::{
    Accepted, Arrived, ConnectionConfig, Connections, EndpointOptions, Endpoints, Error, INSTALLATION,
    MemberRole, Organizations, Queue, QueueOptions, Secret, Syncs, Users, Zones,
};
use serde_json::json;
use std::sync::Arc;
use storage::Range;

const HEAD: &str = r#"
manifest = 1
name = "hook"
publisher = "acme"
version = "1.0.0"
contract = "0.1.0"
roles = ["webhook"]
title = "Hook"

"#;
/// Who has the token may leave messages; they have ids.
pub(super) const PLAIN: &str = "[webhook]\nheaders = [\"x-event\"]\nid_header = \"x-id\"\n";
pub(super) const SIGNED: &str =
    "[webhook]\nheaders = [\"x-event\"]\n[webhook.signature]\nscheme = \"standard-webhooks\"\n";
pub(super) const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A sync that runs, whose source understands messages, with its endpoint.
pub(super) struct Hook {
    pub(super) works: Works,
    pub(super) endpoints: Endpoints,
    pub(super) sync: String,
    pub(super) token: Secret,
}

impl World {
    pub(super) async fn hook(&self, webhook: &str, options: EndpointOptions) -> Hook {
        let works = self.works(QueueOptions::default()).await;
        let (admin, acme) = works.by();
        works.shop.install('e', &format!("{HEAD}{webhook}")).await.unwrap();
        let config = ConnectionConfig { name: "Hook".into(), installation: digest('e'), config: json!({}) };
        let source = works.connections.create(admin, acme, config).await.unwrap().id;
        let sync = works.sync(&json!({ "source": source })).await.id;
        works.syncs.start(admin, acme, &sync).await.unwrap();
        let endpoints = Endpoints::new(Arc::clone(&works.queue), options);
        let (_, token) = endpoints.create(admin, acme, &sync).await.unwrap();
        Hook { works, endpoints, sync, token }
    }

    /// The endpoints as another process serves them; the one before must be gone.
    pub(super) async fn endpoints(&self) -> (Endpoints, Arc<Queue>) {
        served(Arc::new(self.users().await), "eu-1")
    }
}

/// Endpoints over what these people's storage has, by somebody who remembers nothing.
pub(super) fn served(users: Arc<Users>, of: &str) -> (Endpoints, Arc<Queue>) {
    let organizations = Arc::new(Organizations::new(users, region(of)));
    let connections = Arc::new(Connections::new(organizations, Default::default()));
    let queue = Arc::new(Queue::new(Arc::new(Syncs::new(connections)), QueueOptions::default()));
    (Endpoints::new(Arc::clone(&queue), EndpointOptions::default()), queue)
}

pub(super) fn arrived(headers: &[(&str, &str)], body: &str) -> Arrived {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Arrived { headers, body: body.into() }
}

pub(super) async fn leave(
    endpoints: &Endpoints,
    token: &Secret,
    message: Arrived,
) -> Result<Accepted, Error> {
    let open = endpoints.open(token, HERE).await?;
    endpoints.accept(&open, message).await
}

impl Hook {
    /// The endpoints as they are for who remembers nothing.
    pub(super) fn anew(&self, of: &str) -> Endpoints {
        served(Arc::clone(&self.works.shop.organizations.users), of).0
    }

    /// A message with this id.
    pub(super) async fn leave(&self, id: &str, body: &str) -> Result<Accepted, Error> {
        leave(&self.endpoints, &self.token, arrived(&[("x-id", id)], body)).await
    }

    pub(super) async fn bodies(&self, after: u64) -> Vec<(u64, String)> {
        let (_, acme) = self.works.by();
        let read = self.endpoints.read(acme, &self.sync, after).await.unwrap();
        read.into_iter().map(|one| (one.sequence, String::from_utf8(one.body).unwrap())).collect()
    }

    pub(super) async fn waiting(&self) -> u64 {
        let (admin, acme) = self.works.by();
        self.endpoints.waiting(admin, acme, &self.sync).await.unwrap().waiting
    }

    /// How many records of events there are of the organization, and of the installation.
    async fn records(&self) -> (usize, usize) {
        let (mut own, mut common) = (0, 0);
        let range = Range { prefix: &[], after: None, limit: 100 };
        let organizations = &self.works.shop.organizations;
        let owner = organizations.owner(self.works.by().1);
        for table in [EVENT_HEADS, EVENT_MESSAGES, EVENT_SEEN, ENDPOINT_SECRETS] {
            own += organizations.keeper.page(&owner, table, range).await.map_or(0, |page| page.len());
        }
        for table in [ENDPOINTS, EVENT_TOKENS] {
            common += organizations.keeper.page(INSTALLATION, table, range).await.unwrap().len();
        }
        (own, common)
    }
}

#[tokio::test]
async fn an_endpoint_is_made_once_by_who_may_for_a_sync_whose_source_understands_messages() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let user = hook.works.shop.house.join("ada@acme.example", MemberRole::User).await;
    let House { operator, .. } = &hook.works.shop.house;
    let endpoints = &hook.endpoints;
    let shown = endpoints.show(&user, acme, &hook.sync).await.unwrap();
    assert_eq!((shown.tokens.len(), shown.scheme, shown.has_secret), (1, None, false));
    assert_eq!(code(endpoints.create(admin, acme, &hook.sync).await), "CD1273");
    assert_eq!(code(endpoints.show(operator, acme, &hook.sync).await), "CD1242");
    for (by, told) in [(operator.as_str(), "CD1242"), ("usr_none", "CD1231")] {
        assert_eq!(code(endpoints.create(by, acme, &hook.sync).await), told);
        assert_eq!(code(endpoints.rotate(by, acme, &hook.sync, 0).await), told);
        assert_eq!(code(endpoints.turn_off(by, acme, &hook.sync).await), told);
        assert_eq!(code(endpoints.waiting(by, acme, &hook.sync).await), told);
        assert_eq!(code(endpoints.clear(by, acme, &hook.sync).await), told);
        assert_eq!(code(endpoints.set_secret(by, acme, &hook.sync, (&secret(KEY), 0)).await), told);
        assert_eq!(code(endpoints.remove_secret(by, acme, &hook.sync).await), told);
    }
    let other = hook.works.sync(&json!({})).await.id;
    assert_eq!(code(endpoints.create(admin, acme, &other).await), "CD1274");
    assert_eq!(code(endpoints.show(admin, acme, &other).await), "CD1253");
    assert_eq!(code(endpoints.rotate(admin, acme, &other, 0).await), "CD1253");
    assert_eq!(code(endpoints.create(admin, acme, "syn_none").await), "CD1253");
}

use super::organizations::House;

#[tokio::test]
async fn a_former_token_is_good_up_to_the_end_of_the_overlap_and_a_token_that_is_off_at_no_time() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let endpoints = &hook.endpoints;
    let open = async |token: &Secret| code(endpoints.open(token, HERE).await);
    let rotate = async |overlap_ms| endpoints.rotate(admin, acme, &hook.sync, overlap_ms).await;
    assert_eq!(code(rotate(7 * DAY_MS + 1).await), "CD1276");
    let (shown, second) = rotate(DAY_MS).await.unwrap();
    let ends_ms = world.clock_ms() + DAY_MS;
    assert_eq!(shown.tokens.iter().map(|token| token.until_ms).collect::<Vec<_>>(), [None, Some(ends_ms)]);
    world.clock.pass(DAY_MS - 1);
    assert_eq!((open(&hook.token).await, open(&second).await), ("done", "done"));
    // What is to end ends no later because of another rotation.
    let (shown, third) = rotate(DAY_MS).await.unwrap();
    assert_eq!(shown.tokens.last().unwrap().until_ms, Some(ends_ms));
    world.clock.pass(1);
    assert_eq!((open(&hook.token).await, open(&second).await), ("CD1270", "done"));
    // Without an overlap the former ones end at once.
    let (shown, fourth) = rotate(0).await.unwrap();
    assert_eq!(shown.tokens.len(), 1);
    assert_eq!((open(&second).await, open(&third).await, open(&fourth).await), ("CD1270", "CD1270", "done"));

    hook.leave("1", "one").await.unwrap_err();
    leave(endpoints, &fourth, arrived(&[], "one")).await.unwrap();
    endpoints.turn_off(admin, acme, &hook.sync).await.unwrap();
    assert_eq!(open(&fourth).await, "CD1270");
    assert_eq!(endpoints.show(admin, acme, &hook.sync).await.unwrap().tokens, []);
    assert_eq!(code(rotate(0).await), "CD1253");
    assert_eq!(hook.waiting().await, 1);
    let load = endpoints.load().await.unwrap();
    assert!(load.messages == 1 && load.bytes > 0, "{load:?}");
    // Turned on again it goes on with its numbers.
    let (_, fifth) = endpoints.create(admin, acme, &hook.sync).await.unwrap();
    assert_eq!(leave(endpoints, &fifth, arrived(&[], "two")).await.unwrap().sequence, 2);
    let acts = hook.works.shop.acts().await;
    for act in ["endpoint_created", "endpoint_rotated", "endpoint_turned_off"] {
        assert!(acts.iter().any(|one| one == act), "{act}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_is_one() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let text = hook.token.expose();
    assert!(text.starts_with("cfd_event_"));
    for wrong in ["", "x", "cfd_event_x", &text[1..], &format!("{text}a"), &text.replace("event", "api")] {
        assert_eq!(code(hook.endpoints.open(&secret(wrong), HERE).await), "CD1270", "{wrong}");
    }
    let elsewhere = hook.anew("us-1");
    assert_eq!(code(elsewhere.open(&hook.token, HERE).await), "CD1270");
    let here = hook.anew("eu-1");
    assert_eq!(code(here.open(&hook.token, HERE).await), "done");
    let zones = Zones { api: Vec::new(), events: vec!["198.51.100.0/24".parse().unwrap()] };
    hook.works.shop.organizations.set_zones(admin, acme, &zones, HERE).await.unwrap();
    assert_eq!(code(hook.endpoints.open(&hook.token, HERE).await), "CD1270");
    let inside = "198.51.100.7".parse().unwrap();
    assert_eq!(code(hook.endpoints.open(&hook.token, inside).await), "done");
    assert!(!contains(&world.bytes().await, text));
}

#[tokio::test]
async fn a_key_that_was_entered_must_have_signed_and_the_one_before_is_good_for_a_while() {
    let world = World::new();
    let hook = world.hook(SIGNED, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let endpoints = &hook.endpoints;
    let enter = async |text: &str, overlap_ms| {
        code(endpoints.set_secret(admin, acme, &hook.sync, (&secret(text), overlap_ms)).await)
    };
    // Made by another program, by this key for this time and body.
    world.clock.set(1_614_265_330_000 + 40 * 365 * DAY_MS);
    let signed = |key: &str| {
        let at = (world.clock_ms() / 1_000).to_string();
        let bytes = data_encoding::BASE64.decode(key.trim_start_matches("whsec_").as_bytes()).unwrap();
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &bytes);
        let tag = ring::hmac::sign(&key, format!("msg_1.{at}.body").as_bytes());
        let signature = format!("v1,{}", data_encoding::BASE64.encode(tag.as_ref()));
        arrived(
            &[("webhook-id", "msg_1"), ("webhook-timestamp", &at), ("webhook-signature", &signature)],
            "body",
        )
    };
    let told = async |message| code(leave(endpoints, &hook.token, message).await);
    assert_eq!(told(arrived(&[], "body")).await, "done");
    assert_eq!(enter("whsec_AAAA", 0).await, "CD1275");
    assert_eq!(enter(KEY, 8 * DAY_MS).await, "CD1276");
    assert_eq!(enter(KEY, 0).await, "done");
    assert_eq!(told(arrived(&[], "body")).await, "CD1271");
    assert_eq!(told(signed(KEY)).await, "done");
    let other = KEY.replace('M', "N");
    assert_eq!(told(signed(&other)).await, "CD1271");

    assert_eq!(enter(&other, HOUR_MS).await, "done");
    world.clock.pass(HOUR_MS - 1);
    assert_eq!((told(signed(KEY)).await, told(signed(&other)).await), ("done", "done"));
    world.clock.pass(1);
    assert_eq!((told(signed(KEY)).await, told(signed(&other)).await), ("CD1271", "done"));

    let shown = endpoints.show(admin, acme, &hook.sync).await.unwrap();
    assert_eq!((shown.scheme, shown.has_secret), (Some("standard-webhooks"), true));
    assert!(!contains(&world.bytes().await, KEY));
    endpoints.remove_secret(admin, acme, &hook.sync).await.unwrap();
    assert_eq!(told(arrived(&[], "body")).await, "done");
    assert!(!endpoints.show(admin, acme, &hook.sync).await.unwrap().has_secret);
    let acts = hook.works.shop.acts().await;
    for act in ["endpoint_secret_entered", "endpoint_secret_removed"] {
        assert!(acts.iter().any(|one| one == act), "{act}");
    }
}

#[tokio::test]
async fn a_key_is_entered_only_where_the_connector_says_how_messages_are_signed() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let entered = hook.endpoints.set_secret(admin, acme, &hook.sync, (&secret(KEY), 0)).await;
    assert_eq!(code(entered), "CD1275");
}

#[tokio::test]
async fn with_a_sync_goes_all_that_came_to_its_endpoint() {
    let world = World::new();
    let hook = world.hook(SIGNED, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    leave(&hook.endpoints, &hook.token, arrived(&[("webhook-id", "1")], "one")).await.unwrap();
    hook.endpoints.set_secret(admin, acme, &hook.sync, (&secret(KEY), 0)).await.unwrap();
    hook.endpoints.rotate(admin, acme, &hook.sync, DAY_MS).await.unwrap();
    assert_eq!(hook.records().await, (4, 3));
    let open = hook.endpoints.open(&hook.token, HERE).await.unwrap();
    hook.works.syncs.stop(admin, acme, &hook.sync).await.unwrap();
    let revision = hook.works.read(&hook.sync).await.revision;
    hook.works.syncs.delete(admin, acme, (&hook.sync, revision)).await.unwrap();
    assert_eq!(hook.records().await, (0, 0));
    assert_eq!(code(hook.endpoints.open(&hook.token, HERE).await), "CD1270");
    // Whose token was looked at before comes too late.
    assert_eq!(code(hook.endpoints.accept(&open, arrived(&[], "late")).await), "CD1270");
    assert_eq!(hook.records().await, (0, 0));
}

#[tokio::test]
async fn with_an_organization_go_its_endpoints() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let second = hook.works.shop.house.join("bob@acme.example", MemberRole::Admin).await;
    hook.endpoints.rotate(admin, acme, &hook.sync, DAY_MS).await.unwrap();
    hook.leave("1", "one").await.unwrap();
    let organizations = &hook.works.shop.organizations;
    organizations.request_deletion(admin, acme, "Acme").await.unwrap();
    organizations.confirm_deletion(&second, acme, "Acme").await.unwrap();
    assert_eq!(hook.records().await, (0, 0));
    assert_eq!(code(hook.endpoints.open(&hook.token, HERE).await), "CD1270");
}
