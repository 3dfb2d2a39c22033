//! People come in, or do not.

use super::world::{Dying, START_MS, World, contains};
use crate::audit::{Log, PersonalFields};
use crate::users::{Login, UsersOptions};
use crate::{Audit, Error, INSTALLATION, PasswordPolicy, SecondFactorSetup, Secret, Users};
use static_assertions::assert_not_impl_any;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use storage::Clock;
use vault::Argon2Parameters;

assert_not_impl_any!(Secret: Clone, std::fmt::Debug, std::fmt::Display, serde::Serialize, PartialEq);
assert_not_impl_any!(SecondFactorSetup: Clone, std::fmt::Debug, serde::Serialize);
assert_not_impl_any!(crate::Email: std::fmt::Debug, std::fmt::Display);

pub(super) const EMAIL: &str = "ada@canary.example";
pub(super) const PASSWORD: &str = "canary bird in a mine";
pub(super) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

pub(super) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

impl World {
    pub(super) fn users_options(&self) -> UsersOptions {
        UsersOptions {
            cost: Argon2Parameters::new(19 * 1024, 2).unwrap(),
            hashing_at_once: 2,
            policy: PasswordPolicy::default(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
        }
    }

    pub(super) async fn users(&self) -> Users {
        Users::open(Arc::new(self.audit().await), self.users_options()).await.unwrap()
    }

    /// With a first operator, whose id it answers.
    async fn with_operator(&self) -> (Users, String) {
        let users = self.users().await;
        let token = users.setup_token().await.unwrap().unwrap();
        let user = users.create_first_operator(&token, EMAIL, &secret(PASSWORD)).await.unwrap();
        (users, user)
    }
}

async fn log_in(users: &Users, email: &str, password: &str, code: Option<&str>) -> Result<String, Error> {
    let (password, code) = (secret(password), code.map(secret));
    users.login(Login { email, password: &password, second: code.as_ref(), address: HERE }).await
}

fn code_of(answer: Result<String, Error>) -> &'static str {
    answer.map_or_else(|error| error.code(), |_| "in")
}

/// The code of an authenticator at this time.
fn authenticator(setup: &SecondFactorSetup, now_ms: u64) -> String {
    let secret = totp_rs::Secret::try_from_base32(setup.secret.expose()).unwrap();
    totp_rs::Builder::new().with_secret(secret).build().unwrap().generate(now_ms / 1_000).to_string()
}

async fn acts(audit: &Audit) -> Vec<String> {
    let read = audit.read(&Log::installation(), 0, 100).await.unwrap();
    read.into_iter().map(|entry| entry.act).collect()
}

#[tokio::test]
async fn the_first_operator_is_whoever_has_the_newest_setup_token_once() {
    let world = World::new();
    let users = world.users().await;
    let first = users.setup_token().await.unwrap().unwrap();
    let token = users.setup_token().await.unwrap().unwrap();
    let create = async |token: &Secret| users.create_first_operator(token, EMAIL, &secret(PASSWORD)).await;
    assert_eq!(code_of(create(&first).await), "CD1224");
    assert_eq!(code_of(create(&secret("cfd_setup_x")).await), "CD1224");
    // What is wrong with the rest does not spend the token.
    assert_eq!(code_of(users.create_first_operator(&token, "ada", &secret(PASSWORD)).await), "CD1220");
    assert_eq!(code_of(users.create_first_operator(&token, EMAIL, &secret("short1")).await), "CD1221");
    let user = create(&token).await.unwrap();
    assert_eq!(code_of(create(&token).await), "CD1224");
    assert!(users.setup_token().await.unwrap().is_none());
    let known = users.get(&user).await.unwrap();
    assert!(known.is_operator && !known.has_second_factor && known.email.as_str() == EMAIL);
    assert_eq!(acts(&users.audit).await, ["operator_created"]);
}

#[tokio::test]
async fn of_two_who_use_the_setup_token_at_once_one_is_operator() {
    let world = World::over(Dying::new(false));
    let users = Arc::new(world.users().await);
    let token = Arc::new(users.setup_token().await.unwrap().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (users, token) = (Arc::clone(&users), Arc::clone(&token));
        tasks.spawn(async move {
            let email = format!("ada{number}@example.com");
            code_of(users.create_first_operator(&token, &email, &secret(PASSWORD)).await)
        });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, ["CD1224", "CD1224", "CD1224", "in"]);
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    let world = World::new();
    let (users, user) = world.with_operator().await;
    assert_eq!(log_in(&users, "ADA@Canary.example", PASSWORD, None).await.unwrap(), user);
    let mut answers = Vec::new();
    for (email, password) in [
        (EMAIL, "canary bird in a mine "),
        (EMAIL, ""),
        ("eve@canary.example", PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        ("nobody", "nobody"),
    ] {
        let error = log_in(&users, email, password, None).await.unwrap_err();
        answers.push((error.code(), error.to_string()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn as_much_work_is_done_for_whom_nobody_knows() {
    let world = World::new();
    let (users, _) = world.with_operator().await;
    for email in [EMAIL, "eve@canary.example", "no address"] {
        let turns = users.take_hashing_turns().await;
        let mut attempt = std::pin::pin!(log_in(&users, email, "wrong password", None));
        // Its turn does not come, so it has no answer before a password was hashed.
        while users.waiting_for_hashing() == 0 {
            tokio::select! {
                biased;
                answer = &mut attempt => panic!("answered without work: {answer:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
        drop(turns);
        assert_eq!(code_of(attempt.await), "CD1222");
    }
}

#[tokio::test(start_paused = true)]
async fn who_fails_is_slowed_down_and_comes_in_at_last() {
    let world = World::new();
    let (users, _) = world.with_operator().await;
    let started = tokio::time::Instant::now();
    for _ in 0..6 {
        assert_eq!(code_of(log_in(&users, EMAIL, "wrong", None).await), "CD1222");
    }
    // The clock of storage stands, so each waits for all before it: none, none, none, none, 1 s, 3 s.
    assert_eq!(started.elapsed().as_secs(), 4);
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, None).await), "in");
    assert_eq!(started.elapsed().as_secs(), 4 + 7);
    let now = tokio::time::Instant::now();
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, None).await), "in");
    assert!(now.elapsed() < Duration::from_secs(1));
    let refused = acts(&users.audit).await.iter().filter(|act| *act == "login_refused").count();
    assert_eq!(refused, 3, "for one, two and four failures");
}

#[tokio::test]
async fn too_many_at_once_are_sent_away_with_a_time() {
    let world = World::new();
    let (users, _) = world.with_operator().await;
    let users = Arc::new(users);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let users = Arc::clone(&users);
        tasks.spawn(async move { code_of(log_in(&users, EMAIL, "wrong", None).await) });
    }
    // Those that wait do so for up to a minute; the others are answered.
    for _ in 0..21 + 4 {
        assert!(["CD1222", "CD1223"].contains(&tasks.join_next().await.unwrap().unwrap()));
    }
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_it() {
    let world = World::new();
    let (users, user) = world.with_operator().await;
    let change = async |old: &str, new: &str| {
        let changed = users.change_password(&user, &secret(old), &secret(new), HERE).await;
        changed.map_or_else(|error| error.code(), |()| "changed")
    };
    assert_eq!(change("wrong", "another bird in a mine").await, "CD1222");
    assert_eq!(change(PASSWORD, "short1").await, "CD1221");
    assert_eq!(change(PASSWORD, "ada@canary.example").await, "CD1221");
    assert_eq!(change(PASSWORD, "another bird in a mine").await, "changed");
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, None).await), "CD1222");
    assert_eq!(code_of(log_in(&users, EMAIL, "another bird in a mine", None).await), "in");
}

#[tokio::test]
async fn a_hash_of_another_cost_is_made_anew_at_the_next_login() {
    let world = World::new();
    let (users, user) = world.with_operator().await;
    let before = world.password_record(&users, &user).await;
    log_in(&users, EMAIL, PASSWORD, None).await.unwrap();
    assert!(world.password_record(&users, &user).await == before);
    drop(users);
    let options =
        UsersOptions { cost: Argon2Parameters::new(19 * 1024, 3).unwrap(), ..world.users_options() };
    let users = Users::open(Arc::new(world.audit().await), options).await.unwrap();
    assert_eq!(code_of(log_in(&users, EMAIL, "wrong", None).await), "CD1222");
    assert!(world.password_record(&users, &user).await == before);
    log_in(&users, EMAIL, PASSWORD, None).await.unwrap();
    let after = world.password_record(&users, &user).await;
    assert!(contains(&after, "\"passes\":3") && contains(&before, "\"passes\":2"));
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, None).await), "in");
}

impl World {
    async fn password_record(&self, users: &Users, user: &str) -> Vec<u8> {
        let at = crate::tables::Key::of(user);
        let found = users.keeper.get(INSTALLATION, crate::tables::PASSWORDS, &at).await.unwrap().unwrap();
        found.value.expose().to_vec()
    }
}

#[tokio::test]
async fn a_code_is_accepted_once_within_a_step_of_its_time() {
    let world = World::new();
    let (users, user) = world.with_operator().await;
    let setup = users.begin_second_factor(&user).await.unwrap();
    assert!(setup.url.expose().starts_with("otpauth://totp/Cofferdam:ada%40canary.example?secret="));
    // Not asked for before the authenticator has shown that it has the secret.
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, None).await), "in");
    let wrong = users.enable_second_factor(&user, &secret("000000")).await;
    assert_eq!(wrong.map(|_| ()).unwrap_err().code(), "CD1230");
    let now_ms = START_MS;
    users.enable_second_factor(&user, &secret(&authenticator(&setup, now_ms))).await.map(|_| ()).unwrap();
    assert!(users.get(&user).await.unwrap().has_second_factor);

    let code = |ms: u64| authenticator(&setup, ms);
    let try_code = async |code: &str| code_of(log_in(&users, EMAIL, PASSWORD, Some(code)).await);
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, None).await), "CD1228");
    assert_eq!(code_of(log_in(&users, EMAIL, "wrong", Some(&code(now_ms))).await), "CD1222");
    assert_eq!(try_code(&code(now_ms)).await, "CD1222", "the code that enabled it is used");
    // The phone is half a minute ahead, then behind: a later code may come early, an earlier one not after it.
    assert_eq!(try_code(&code(now_ms + 30_000)).await, "in");
    assert_eq!(try_code(&code(now_ms + 30_000)).await, "CD1222");
    world.clock.pass(60_000);
    assert_eq!(try_code(&code(now_ms)).await, "CD1222", "two steps late");
    let spaced = code(now_ms + 60_000);
    assert_eq!(try_code(&format!("{} {}", &spaced[..3], &spaced[3..])).await, "in");
    // The clock is set back: what was used stays used.
    world.clock.set(START_MS);
    assert_eq!(try_code(&code(now_ms + 30_000)).await, "CD1222");
}

#[tokio::test]
async fn of_two_who_use_a_code_at_once_one_comes_in() {
    let world = World::over(Dying::new(false));
    let (users, user) = world.with_operator().await;
    let setup = users.begin_second_factor(&user).await.unwrap();
    let first = authenticator(&setup, START_MS);
    let codes = users.enable_second_factor(&user, &secret(&first)).await.unwrap();
    let users = Arc::new(users);
    for code in [authenticator(&setup, START_MS + 30_000), codes[0].expose().to_owned()] {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let (users, code) = (Arc::clone(&users), code.clone());
            tasks.spawn(async move { code_of(log_in(&users, EMAIL, PASSWORD, Some(&code)).await) });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_unstable();
        assert_eq!(answers, ["CD1222", "CD1222", "in"]);
    }
}

#[tokio::test]
async fn a_recovery_code_stands_once_for_a_code_however_it_is_typed() {
    let world = World::new();
    let (users, user) = world.with_operator().await;
    let setup = users.begin_second_factor(&user).await.unwrap();
    let first = authenticator(&setup, START_MS);
    let codes = users.enable_second_factor(&user, &secret(&first)).await.unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(codes[0].expose().len(), 19);
    let typed = codes[0].expose().to_uppercase().replace('-', " ");
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, Some(&typed)).await), "in");
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, Some(codes[0].expose())).await), "CD1222");
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, Some(codes[9].expose())).await), "in");
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, Some("")).await), "CD1222");
}

#[tokio::test]
async fn a_short_password_leans_on_the_second_factor() {
    let world = World::new();
    let (users, user) = world.with_operator().await;
    let state =
        async || users.disable_second_factor(&user, &secret(PASSWORD), HERE).await.unwrap_err().code();
    assert_eq!(state().await, "CD1229");
    assert_eq!(
        users.enable_second_factor(&user, &secret("1")).await.map(|_| ()).unwrap_err().code(),
        "CD1229"
    );
    let setup = users.begin_second_factor(&user).await.unwrap();
    let code = secret(&authenticator(&setup, START_MS));
    users.enable_second_factor(&user, &code).await.map(|_| ()).unwrap();
    assert_eq!(users.begin_second_factor(&user).await.map(|_| ()).unwrap_err().code(), "CD1229");
    users.change_password(&user, &secret(PASSWORD), &secret("k3tchup!"), HERE).await.unwrap();
    let refused = users.disable_second_factor(&user, &secret("k3tchup!"), HERE).await.unwrap_err();
    assert_eq!(refused.code(), "CD1221");
    users.change_password(&user, &secret("k3tchup!"), &secret(PASSWORD), HERE).await.unwrap();
    users.disable_second_factor(&user, &secret(PASSWORD), HERE).await.unwrap();
    assert_eq!(code_of(log_in(&users, EMAIL, PASSWORD, None).await), "in");
}

#[tokio::test]
async fn the_log_tells_who_came_in_and_from_where_to_whoever_has_the_key() {
    let world = World::new();
    let (users, user) = world.with_operator().await;
    log_in(&users, EMAIL, PASSWORD, None).await.unwrap();
    log_in(&users, "hunter2@typed.example", "wrong", None).await.unwrap_err();
    let read = users.audit.read(&Log::installation(), 1, 10).await.unwrap();
    let told: Vec<_> = read.iter().map(|entry| (entry.act.as_str(), entry.actor.as_str())).collect();
    assert_eq!(told, [("logged_in", user.as_str()), ("login_refused", "nobody")]);
    let fields = |at: usize| match &read[at].personal {
        PersonalFields::Of(personal) => personal.fields.clone().into_iter().collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(fields(0), [pair("address", "192.0.2.1"), pair("email", EMAIL)]);
    assert_eq!(fields(1), [pair("address", "192.0.2.1")]);
}

#[tokio::test]
async fn no_secret_is_in_what_the_engine_the_log_and_errors_hold() {
    let world = World::new();
    let users = world.users().await;
    let token = users.setup_token().await.unwrap().unwrap();
    let user = users.create_first_operator(&token, EMAIL, &secret(PASSWORD)).await.unwrap();
    let setup = users.begin_second_factor(&user).await.unwrap();
    let code = authenticator(&setup, START_MS);
    let codes = users.enable_second_factor(&user, &secret(&code)).await.unwrap();
    let mut texts = String::new();
    for (email, password, code) in [
        (EMAIL, PASSWORD, None),
        (EMAIL, "canary-wrong", Some("canary-code")),
        ("canary@canary@canary", PASSWORD, None),
    ] {
        let error = log_in(&users, email, password, code).await.unwrap_err();
        texts.push_str(&format!("{error} {error:?}"));
    }
    for password in ["canary1", "canary.example", EMAIL] {
        let changed = users.change_password(&user, &secret(PASSWORD), &secret(password), HERE).await;
        let error = changed.unwrap_err();
        texts.push_str(&format!("{error} {error:?}"));
    }
    let error = users.create_first_operator(&token, "canary", &secret("canary")).await.unwrap_err();
    texts.push_str(&format!("{error} {error:?}"));
    assert!(!texts.contains("canary") && texts.len() > 200, "{texts}");

    let mut log = Vec::new();
    users.audit.export(&Log::installation(), &mut log).await.unwrap();
    let seen = [world.bytes().await, log].concat();
    for wanted in ["canary", token.expose(), setup.secret.expose(), codes[0].expose()] {
        assert!(!contains(&seen, wanted), "{wanted}");
    }
    let unsealed = async |table, key: &[u8]| {
        users.keeper.get(INSTALLATION, table, key).await.unwrap().unwrap().value.expose().to_vec()
    };
    let at = crate::tables::Key::of(&user);
    let password = unsealed(crate::tables::PASSWORDS, &at).await;
    let second = unsealed(crate::tables::SECOND_FACTORS, &at).await;
    let unsealed = [password, second].concat();
    assert!(!contains(&unsealed, "canary") && !contains(&unsealed, codes[0].expose()));
}
