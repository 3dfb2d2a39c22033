//! Tokens are renewed once for all who need it, and are durable before anybody uses them.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use egress::credential::Placed;
use egress::{Class, Client, Error, WallClock};
use futures::future::join_all;

use crate::support::kept_credentials::{Keeper, placed};
use crate::support::served::{Served, reply};
use crate::support::tokens::{self, CLIENT, Tokens};
use crate::support::{BOUND, House, eventually, fetch, get, post, read, send};

const FIRST: &str = "refresh-token-of-the-admin";

/// What an administrator entered, and a token that no longer holds.
fn keeper() -> Arc<Keeper> {
    Keeper::with(
        "acme.api",
        &[
            ("client_id", CLIENT.0),
            ("client_secret", CLIENT.1),
            ("refresh_token", FIRST),
            ("access_token", "access-token-of-last-week"),
        ],
    )
}

fn house(keeper: &Arc<Keeper>, placed: Vec<Placed>) -> House {
    House::placing(keeper.settings(placed))
}

#[tokio::test]
async fn e55_64_refusals_at_once_are_one_redemption() {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let keeper = keeper();
    let mut house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    house.caps.concurrent_requests = 64;
    let egress = house.egress();
    // Two runs of one process, each with a client of its own.
    let clients = [egress.client(house.settings()), egress.client(house.settings())];
    let urls: Vec<String> = (0..64).map(|number| api.url(&format!("/{number}"))).collect();
    let requests = urls.iter().zip(clients.iter().cycle()).map(|(url, client)| send(client, get(url)));
    for response in join_all(requests).await {
        assert_eq!(response.unwrap().status(), 200);
    }
    assert_eq!(tokens.redemptions(), 1);
    assert_eq!(keeper.events(), ["marked", "persisted"]);
    assert_eq!(keeper.redeemed(), [true]);
    assert_eq!(keeper.field("acme.api", "refresh_token").as_deref(), Some("refresh-token-number-1"));
    // And again, once all of it is old.
    tokens.known.revoke_access();
    let requests = urls.iter().zip(clients.iter().cycle()).map(|(url, client)| send(client, get(url)));
    for response in join_all(requests).await {
        assert_eq!(response.unwrap().status(), 200);
    }
    assert_eq!(tokens.redemptions(), 2);
}

#[tokio::test]
async fn e56_a_token_is_durable_before_it_is_used() {
    let tokens = Tokens::start(FIRST).await;
    let keeper = keeper();
    let (known, telling) = (Arc::clone(&tokens.known), Arc::clone(&keeper));
    let api = Served::plain(move |request| {
        let sent = request.headers()["authorization"].to_str().unwrap().to_owned();
        let holds = known.holds(sent.trim_start_matches("Bearer "));
        telling.tell(sent);
        reply(if holds { 200 } else { 401 }, "")
    })
    .await;
    let house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    assert_eq!(send(&house.client(), get(api.url("/"))).await.unwrap().status(), 200);
    let told = ["Bearer access-token-of-last-week", "marked", "persisted", "Bearer access-token-number-1"];
    assert_eq!(keeper.events(), told);
}

/// Power is lost between the answer of the provider and its keeping.
async fn cut_off(keeper: &Arc<Keeper>, house: &House, url: String) {
    keeper.hangs.store(true, Ordering::SeqCst);
    let (house, keeper) = (house.clone(), Arc::clone(keeper));
    let process = std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let client = house.client();
            let request = tokio::spawn(async move { client.send(get(url)).await.map(drop) });
            eventually("the new tokens are being kept", || {
                keeper.events().contains(&"persisting".to_owned())
            })
            .await;
            request.abort();
        });
        runtime.shutdown_background();
        keeper.hangs.store(false, Ordering::SeqCst);
    });
    tokio::task::spawn_blocking(move || process.join().unwrap()).await.unwrap();
}

#[tokio::test]
async fn e56_a_rotated_token_that_was_lost_is_told_as_lost() {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let keeper = keeper();
    let house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    cut_off(&keeper, &house, api.url("/")).await;
    assert!(keeper.is_marked("acme.api"), "whoever starts next must know");
    for _attempt in 0..2 {
        let error = send(&house.client(), get(api.url("/"))).await.unwrap_err();
        assert_eq!((error.code(), error.class()), ("CD0326", Class::Denied), "{error}");
        assert!(error.to_string().contains("must be connected again"), "{error}");
    }
    keeper.enter("acme.api", &[("client_id", CLIENT.0), ("client_secret", CLIENT.1), ("refresh_token", "x")]);
    let error = send(&house.client(), get(api.url("/"))).await.unwrap_err();
    assert_eq!(error.code(), "CD0325", "what was entered anew has no past: {error}");
}

#[tokio::test]
async fn e56_a_provider_that_takes_the_old_token_again_heals_what_was_cut_off() {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let keeper = keeper();
    let house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    tokens.keep_refresh_tokens();
    cut_off(&keeper, &house, api.url("/")).await;
    tokens.known.revoke_access();
    assert_eq!(send(&house.client(), get(api.url("/"))).await.unwrap().status(), 200);
    assert!(!keeper.is_marked("acme.api"));
    assert_eq!(tokens.redemptions(), 2);
}

#[tokio::test]
async fn a_request_that_is_dropped_does_not_lose_the_new_token() {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let keeper = keeper();
    let house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    let (client, url) = (house.client(), api.url("/"));
    let request = tokio::spawn(async move { client.send(get(url)).await.map(drop) });
    eventually("the redemption has begun", || keeper.events().contains(&"marked".to_owned())).await;
    request.abort();
    eventually("its result is kept", || keeper.events().contains(&"persisted".to_owned())).await;
    assert_eq!(send(&house.client(), get(api.url("/"))).await.unwrap().status(), 200);
    assert_eq!(tokens.redemptions(), 1);
}

#[tokio::test]
async fn a_second_refusal_is_the_guests_and_so_is_one_of_what_is_never_renewed() {
    let tokens = Tokens::start(FIRST).await;
    let api = Served::plain(|_| reply(401, "never")).await;
    let keeper = keeper();
    let house_of = |settings: &str| house(&keeper, placed(&api.url(""), settings));
    let response = send(&house_of(&tokens.settings()).client(), get(api.url("/"))).await.unwrap();
    assert_eq!((response.status().as_u16(), tokens.redemptions()), (401, 1));
    assert_eq!(read(response).await.unwrap(), "never");
    keeper.enter("acme.api", &[("token", "x")]);
    let house = house_of("kind = \"bearer\"");
    let response = send(&house.client(), get(api.url("/"))).await.unwrap();
    assert_eq!((response.status().as_u16(), tokens.redemptions()), (401, 1));
}

#[tokio::test]
async fn what_fails_otherwise_than_by_a_refusal_renews_nothing() {
    for status in [302, 400, 403, 404, 429, 500, 503] {
        let tokens = Tokens::start(FIRST).await;
        let api = Served::plain(move |_| reply(status, "")).await;
        let house = house(&keeper(), placed(&api.url(""), &tokens.settings()));
        let response = send(&house.client(), get(api.url("/"))).await.unwrap();
        assert_eq!((response.status().as_u16(), tokens.redemptions()), (status, 0));
    }
}

#[tokio::test]
async fn a_server_that_refuses_whatever_it_gets_does_not_wear_out_the_provider() {
    let tokens = Tokens::start(FIRST).await;
    let known = Arc::clone(&tokens.known);
    let api = Served::plain(move |request| {
        let token =
            request.headers()["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        reply(if request.uri().path() == "/mine" && known.holds(&token) { 200 } else { 401 }, "")
    })
    .await;
    let house = house(&keeper(), placed(&api.url(""), &tokens.settings()));
    let client = house.client();
    for _request in 0..5 {
        assert_eq!(send(&client, get(api.url("/not-mine"))).await.unwrap().status(), 401);
    }
    assert_eq!(tokens.redemptions(), 1);
    assert_eq!(send(&client, get(api.url("/mine"))).await.unwrap().status(), 200);
    assert_eq!(tokens.redemptions(), 1);
}

#[tokio::test]
async fn a_provider_that_has_refused_for_good_is_not_asked_again_for_the_same() {
    let tokens = Tokens::start("another").await;
    let api = tokens::api(&tokens.known).await;
    let keeper = keeper();
    let house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    let client = house.client();
    for _request in 0..5 {
        let error = send(&client, get(api.url("/"))).await.unwrap_err();
        assert_eq!(error.code(), "CD0325", "{error}");
    }
    assert_eq!(tokens.redemptions(), 1);
    let fields = [("client_id", CLIENT.0), ("client_secret", CLIENT.1), ("refresh_token", "another")];
    keeper.enter("acme.api", &fields);
    assert_eq!(send(&client, get(api.url("/"))).await.unwrap().status(), 200);
}

#[tokio::test]
async fn two_organizations_share_neither_a_turn_nor_a_token() {
    let tokens = Tokens::start(FIRST).await;
    tokens.keep_refresh_tokens();
    let api = tokens::api(&tokens.known).await;
    let fields = [("client_id", CLIENT.0), ("client_secret", CLIENT.1), ("refresh_token", FIRST)];
    let (one, two) = (Keeper::new("one"), Keeper::new("two"));
    one.enter("acme.api", &fields);
    two.enter("acme.api", &fields);
    let house = House::default();
    let egress = house.egress();
    for keeper in [&one, &two] {
        let credentials = Some(keeper.settings(placed(&api.url(""), &tokens.settings())));
        let client = egress.client(egress::ClientSettings { credentials, ..house.settings() });
        assert_eq!(send(&client, get(api.url("/"))).await.unwrap().status(), 200);
    }
    assert_eq!(tokens.redemptions(), 2);
    let token = |keeper: &Keeper| keeper.field("acme.api", "access_token");
    assert_ne!(token(&one), token(&two));
}

#[tokio::test]
async fn what_was_refused_to_one_organization_is_not_refused_to_another() {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let house = House::default();
    let egress = house.egress();
    for (organization, refresh_token, is_good) in [("one", "of-nobody", false), ("two", FIRST, true)] {
        let keeper = Keeper::new(organization);
        let fields = [("client_id", CLIENT.0), ("client_secret", CLIENT.1), ("refresh_token", refresh_token)];
        keeper.enter("acme.api", &fields);
        let credentials = Some(keeper.settings(placed(&api.url(""), &tokens.settings())));
        let client = egress.client(egress::ClientSettings { credentials, ..house.settings() });
        assert_eq!(send(&client, get(api.url("/"))).await.is_ok(), is_good, "{organization}");
    }
}

/// A clock that a test sets.
fn clock() -> (Arc<Mutex<u64>>, WallClock) {
    let now = Arc::new(Mutex::new(1_700_000_000));
    let read = Arc::clone(&now);
    (now, Arc::new(move || SystemTime::UNIX_EPOCH + Duration::from_secs(*read.lock().unwrap())))
}

/// Renewals after each of these waits, for tokens of this life.
async fn renewals(life_s: u64, waits_s: &[i64]) -> Vec<usize> {
    let tokens = Tokens::start(FIRST).await;
    tokens.expire_in(life_s);
    let api = tokens::api(&tokens.known).await;
    let keeper = keeper();
    keeper
        .enter("acme.api", &[("client_id", CLIENT.0), ("client_secret", CLIENT.1), ("refresh_token", FIRST)]);
    let (now, clock) = clock();
    let mut house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    house.clock = Some(clock);
    let client = house.client();
    let mut seen = Vec::new();
    for wait_s in waits_s {
        let later = now.lock().unwrap().checked_add_signed(*wait_s).unwrap();
        *now.lock().unwrap() = later;
        let requests = (0..4).map(|_| send(&client, get(api.url("/"))));
        for response in join_all(requests).await {
            assert_eq!(response.unwrap().status(), 200);
        }
        seen.push(tokens.redemptions());
    }
    seen
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end_and_once_for_each() {
    assert_eq!(renewals(3600, &[0, 0, 3539, 1, 0, 3539]).await, [1, 1, 1, 2, 2, 2]);
    assert_eq!(renewals(40, &[0, 29, 1]).await, [1, 1, 2]);
    assert_eq!(renewals(1, &[0, 0, 1, 0]).await, [1, 1, 2, 2]);
    // A clock that leaps renews once more, and one that goes back renews nothing.
    assert_eq!(renewals(3600, &[0, 100_000_000, 0, -200_000_000, 0]).await, [1, 2, 2, 2, 2]);
    assert_eq!(renewals(u64::MAX, &[0, 1_000_000]).await, [1, 1]);
}

#[tokio::test]
async fn a_token_of_which_only_the_end_is_known_is_renewed_at_its_end() {
    let tokens = Tokens::start(FIRST).await;
    let (known, refused) = (Arc::clone(&tokens.known), Arc::new(Mutex::new(0)));
    let counting = Arc::clone(&refused);
    let api = Served::plain(move |request| {
        let token =
            request.headers()["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
        let holds = known.holds(&token);
        *counting.lock().unwrap() += usize::from(!holds);
        reply(if holds { 200 } else { 401 }, "")
    })
    .await;
    let keeper = keeper();
    let fields = [("client_id", CLIENT.0), ("client_secret", CLIENT.1), ("refresh_token", FIRST)];
    let ends = [("access_token", "of-the-admin"), ("expires_at", "1700000010")];
    keeper.enter("acme.api", &[&fields[..], &ends[..]].concat());
    tokens.known.access.lock().unwrap().insert("of-the-admin".to_owned());
    let (now, clock) = clock();
    let mut house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    house.clock = Some(clock);
    let client = house.client();
    for (wait_s, redemptions) in [(0, 0), (9, 0), (1, 1)] {
        *now.lock().unwrap() += wait_s;
        assert_eq!(send(&client, get(api.url("/"))).await.unwrap().status(), 200);
        assert_eq!(tokens.redemptions(), redemptions);
    }
    assert_eq!(*refused.lock().unwrap(), 0, "an ended token was sent");
}

#[tokio::test]
async fn a_token_that_still_holds_is_used_while_it_cannot_be_renewed() {
    let tokens = Tokens::start(FIRST).await;
    tokens.expire_in(3600);
    let api = tokens::api(&tokens.known).await;
    let keeper = keeper();
    let (now, clock) = clock();
    let url = tokens.url();
    let mut house = house(&keeper, placed(&api.url(""), &tokens.settings()));
    house.clock = Some(clock);
    let client = house.client();
    fetch(&client, get(api.url("/"))).await.unwrap();
    tokens.break_down();
    *now.lock().unwrap() += 3550;
    for _request in 0..3 {
        assert_eq!(send(&client, get(api.url("/"))).await.unwrap().status(), 200);
    }
    assert_eq!(tokens.redemptions(), 2, "the first one and one attempt more, then a pause");
    *now.lock().unwrap() += 50;
    let error = send(&client, get(api.url("/"))).await.unwrap_err();
    assert_eq!((error.code(), error.class()), ("CD0323", Class::Transient), "{error}");
    assert!(error.to_string().contains(&url), "{error}");
}

#[tokio::test]
async fn clients_and_service_accounts_get_tokens_in_their_own_right() {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let url = tokens.url();
    let of_client = format!(
        "kind = \"oauth2\"\ngrant = \"client-credentials\"\ntoken_url = \"{url}\"\nscopes = [\"read\", \"list\"]\n\
         token_parameters = {{ audience = \"https://api.test\" }}"
    );
    let of_account =
        format!("kind = \"jwt-bearer\"\nalgorithm = \"RS256\"\ntoken_url = \"{url}\"\nscopes = [\"read\"]");
    let key = include_str!("../../keys/rsa.pem");
    let fields = [
        ("client_id", CLIENT.0),
        ("client_secret", CLIENT.1),
        ("private_key", key),
        ("issuer", "service@acme.test"),
        ("key_id", "k1"),
    ];
    let keeper = Keeper::with("acme.api", &fields);
    let house_of = |settings: &str| house(&keeper, placed(&api.url(""), settings));
    fetch(&house_of(&of_client).client(), get(api.url("/"))).await.unwrap();
    let form = tokens.last_form();
    assert_eq!((form["grant_type"].as_str(), form["scope"].as_str()), ("client_credentials", "read list"));
    assert_eq!(form["audience"], "https://api.test");
    keeper.enter("acme.api", &fields);
    fetch(&house_of(&of_account).client(), get(api.url("/"))).await.unwrap();
    let form = tokens.last_form();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    assert!(form["assertion"].starts_with("ey") && form["assertion"].split('.').count() == 3);
    assert!(!keeper.events().contains(&"marked".to_owned()), "nothing is spent by these");
}

/// Providers differ in how scopes are parted and where a client shows who it is.
#[tokio::test]
async fn a_client_shows_itself_and_its_scopes_as_the_manifest_says() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keeping = Arc::clone(&asked);
    let endpoint = Served::plain(move |request| {
        let authorization = request.headers().contains_key("authorization");
        let form = form_urlencoded::parse(request.body()).into_owned().collect::<BTreeMap<_, _>>();
        keeping.lock().unwrap().push((authorization, form));
        reply(200, r#"{"access_token":"access-token-1","token_type":"bearer"}"#)
    })
    .await;
    let api = Served::plain(|request| reply(200, request.headers()["x-token"].as_bytes().to_vec())).await;
    let keeper = keeper();
    keeper.enter("acme.api", &[("client_id", CLIENT.0), ("client_secret", CLIENT.1)]);
    let settings = format!(
        "kind = \"oauth2\"\ngrant = \"client-credentials\"\ntoken_url = \"{}\"\nscopes = [\"read\", \"list\"]\n\
         scope_separator = \",\"\nclient_authentication = \"body\"\nheader = \"x-token\"\nprefix = \"Token \"",
        endpoint.url("/token")
    );
    let client = house(&keeper, placed(&api.url(""), &settings)).client();
    // What comes back is blanked, and as long as what was sent.
    assert_eq!(fetch(&client, get(api.url("/"))).await.unwrap(), "Token **************");
    let (authorization, form) = asked.lock().unwrap().remove(0);
    assert!(!authorization, "the secret is sent in one place alone");
    let field = |name: &str| form.get(name).map(String::as_str);
    assert_eq!(field("scope"), Some("read,list"));
    assert_eq!((field("client_id"), field("client_secret")), (Some(CLIENT.0), Some(CLIENT.1)));
}

async fn until_401(client: &Client, url: String) -> Result<u16, Error> {
    let response = tokio::time::timeout(BOUND, client.send(post(url, egress::full("x")))).await.unwrap()?;
    Ok(response.status().as_u16())
}

#[tokio::test]
async fn a_credential_that_an_administrator_enters_while_it_is_renewed_counts() {
    let tokens = Tokens::start(FIRST).await;
    let api = tokens::api(&tokens.known).await;
    let keeper = keeper();
    let (known, entering) = (Arc::clone(&tokens.known), Arc::clone(&keeper));
    // The administrator is quicker than the answer of this endpoint.
    let slow = Served::plain(move |_| {
        known.access.lock().unwrap().insert("entered-by-the-admin".to_owned());
        entering.enter("acme.api", &[("client_id", CLIENT.0), ("access_token", "entered-by-the-admin")]);
        reply(200, r#"{"access_token":"of-an-earlier-refresh-token","token_type":"bearer"}"#)
    })
    .await;
    let settings =
        format!("kind = \"oauth2\"\ngrant = \"refresh-token\"\ntoken_url = \"{}\"", slow.url("/token"));
    let house = house(&keeper, placed(&api.url(""), &settings));
    assert_eq!(until_401(&house.client(), api.url("/")).await.unwrap(), 200);
    assert_eq!(keeper.field("acme.api", "access_token").as_deref(), Some("entered-by-the-admin"));
}
