//! Sessions at their edges, with a clock that the tests set.

use super::users::{EMAIL, HERE, PASSWORD, secret};
use super::world::{Dying, START_MS, World, contains};
use crate::users::Login;
use crate::{Error, Secret, Session, Sessions};
use std::sync::Arc;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;

impl World {
    async fn sessions(&self) -> Sessions {
        Sessions::new(Arc::new(self.users().await))
    }

    /// With a person who is known.
    async fn with_person(&self) -> Sessions {
        let users = Arc::new(self.users().await);
        let token = users.setup_token().await.unwrap().unwrap();
        users.create_first_operator(&token, EMAIL, &secret(PASSWORD)).await.unwrap();
        Sessions::new(users)
    }
}

async fn log_in(sessions: &Sessions, before: Option<&Secret>) -> (Session, Secret) {
    let password = secret(PASSWORD);
    let login = Login { email: EMAIL, password: &password, second: None, address: HERE };
    sessions.log_in(login, before).await.unwrap()
}

async fn code(sessions: &Sessions, token: &Secret) -> &'static str {
    sessions.authenticate(token).await.map_or_else(|error: Error| error.code(), |_| "in")
}

/// In memory, and by a process that reads it from disk.
#[tokio::test]
async fn who_only_looks_on_does_not_keep_a_session_alive() {
    for from_disk in [false, true] {
        let world = World::new();
        let mut sessions = world.with_person().await;
        let (began, token) = log_in(&sessions, None).await;
        assert_eq!(code(&sessions, &token).await, "in");
        for (quiet_ms, expected) in [(119 * MINUTE_MS, Some(&began.id)), (MINUTE_MS, None)] {
            world.clock.pass(quiet_ms);
            if from_disk {
                drop(sessions);
                sessions = world.sessions().await;
            }
            let looked = sessions.look(&token).await;
            assert_eq!(looked.as_ref().ok().map(|session| &session.id), expected, "from disk: {from_disk}");
        }
        let (_, token) = log_in(&sessions, None).await;
        assert!(sessions.authenticate(&token).await.is_ok() && sessions.look(&token).await.is_ok());
        sessions.log_out(&token).await.unwrap();
        assert!(matches!(sessions.look(&token).await, Err(Error::SessionEnded)));
    }
}

/// In memory, and by a process that reads it from disk.
#[tokio::test]
async fn a_session_ends_after_120_minutes_of_quiet() {
    for from_disk in [false, true] {
        let world = World::new();
        let mut sessions = world.with_person().await;
        let (_, token) = log_in(&sessions, None).await;
        assert_eq!(code(&sessions, &token).await, "in");
        let edges = [
            (119 * MINUTE_MS + 59 * SECOND_MS, "in"),
            (120 * MINUTE_MS + SECOND_MS, "CD1248"),
            (0, "CD1248"),
        ];
        for (quiet_ms, expected) in edges {
            world.clock.pass(quiet_ms);
            if from_disk {
                drop(sessions);
                sessions = world.sessions().await;
            }
            assert_eq!(code(&sessions, &token).await, expected, "{quiet_ms}, from disk: {from_disk}");
        }
    }
}

#[tokio::test]
async fn the_last_moment_is_the_one_before_120_minutes() {
    let world = World::new();
    let sessions = world.with_person().await;
    for (quiet_ms, expected) in [(120 * MINUTE_MS - 1, "in"), (120 * MINUTE_MS, "CD1248")] {
        let (_, token) = log_in(&sessions, None).await;
        assert_eq!(code(&sessions, &token).await, "in");
        world.clock.pass(quiet_ms);
        assert_eq!(code(&sessions, &token).await, expected);
    }
}

#[tokio::test]
async fn a_session_ends_after_12_hours_however_much_it_is_used() {
    let world = World::new();
    let mut sessions = world.with_person().await;
    let (_, token) = log_in(&sessions, None).await;
    for used in 0..7 {
        world.clock.pass(100 * MINUTE_MS);
        assert_eq!(code(&sessions, &token).await, "in", "{used}");
    }
    world.clock.set(START_MS + 12 * 60 * MINUTE_MS - 1);
    assert_eq!(code(&sessions, &token).await, "in");
    drop(sessions);
    sessions = world.sessions().await;
    assert_eq!(code(&sessions, &token).await, "in");
    world.clock.pass(1);
    assert_eq!(code(&sessions, &token).await, "CD1248");
}

#[tokio::test]
async fn a_clock_that_is_set_back_lengthens_nothing_and_ends_nothing() {
    let world = World::new();
    let sessions = world.with_person().await;
    let (_, token) = log_in(&sessions, None).await;
    world.clock.pass(60 * MINUTE_MS);
    assert_eq!(code(&sessions, &token).await, "in");
    world.clock.set(START_MS - 60 * MINUTE_MS);
    assert_eq!(code(&sessions, &token).await, "in");
    // It was used at 1 h, and time goes on from there.
    world.clock.set(START_MS + 60 * MINUTE_MS + 120 * MINUTE_MS);
    assert_eq!(code(&sessions, &token).await, "CD1248");
}

#[tokio::test]
async fn a_login_draws_a_new_token_and_ends_the_session_from_before() {
    let world = World::new();
    let sessions = world.with_person().await;
    let (first, planted) = log_in(&sessions, None).await;
    assert_eq!(code(&sessions, &planted).await, "in");
    let (second, token) = log_in(&sessions, Some(&planted)).await;
    assert_ne!((first.id, planted.expose()), (second.id, token.expose()));
    assert_eq!((code(&sessions, &planted).await, code(&sessions, &token).await), ("CD1248", "in"));
}

#[tokio::test]
async fn sessions_are_listed_and_revoked_at_once() {
    let world = World::new();
    let sessions = world.with_person().await;
    let (one, token) = log_in(&sessions, None).await;
    world.clock.pass(MINUTE_MS);
    let (two, other) = log_in(&sessions, None).await;
    for token in [&token, &other] {
        assert_eq!(code(&sessions, token).await, "in");
    }
    let listed: Vec<String> = sessions.list(&one.user).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(listed, [one.id.clone(), two.id.clone()]);
    sessions.revoke(&one.user, &one.id).await.unwrap();
    assert_eq!((code(&sessions, &token).await, code(&sessions, &other).await), ("CD1248", "in"));
    assert_eq!(sessions.revoke(&one.user, &one.id).await.unwrap_err().code(), "CD1248");
    assert_eq!(sessions.revoke("usr_other", &two.id).await.unwrap_err().code(), "CD1248");
    sessions.log_out(&other).await.unwrap();
    sessions.log_out(&other).await.unwrap();
    assert_eq!(code(&sessions, &other).await, "CD1248");
    assert!(sessions.list(&one.user).await.unwrap().is_empty());
}

#[tokio::test]
async fn another_password_ends_every_other_session() {
    let world = World::new();
    let sessions = world.with_person().await;
    let (_, stolen) = log_in(&sessions, None).await;
    let (own, token) = log_in(&sessions, None).await;
    assert_eq!(code(&sessions, &stolen).await, "in");
    let new = secret("another bird in a mine");
    let wrong = sessions.change_password(&own, &secret("wrong"), &new, HERE).await.unwrap_err();
    assert_eq!((wrong.code(), code(&sessions, &stolen).await), ("CD1222", "in"));
    sessions.change_password(&own, &secret(PASSWORD), &new, HERE).await.unwrap();
    assert_eq!((code(&sessions, &stolen).await, code(&sessions, &token).await), ("CD1248", "in"));
}

/// Whoever reads a session from disk while it is revoked does not bring it back.
#[tokio::test]
async fn a_session_that_is_revoked_while_it_is_read_stays_revoked() {
    let world = World::over(Dying::new(false));
    let sessions = world.with_person().await;
    let (_, token) = log_in(&sessions, None).await;
    let user = sessions.authenticate(&token).await.unwrap().user;
    for before in 0..30 {
        let (session, token) = sessions.begin(user.clone(), HERE).await.unwrap();
        let revoke = async {
            for _ in 0..before {
                tokio::task::yield_now().await;
            }
            sessions.revoke(&session.user, &session.id).await.unwrap();
            code(&sessions, &token).await
        };
        let (_, after) = tokio::join!(sessions.authenticate(&token), revoke);
        assert_eq!(after, "CD1248", "{before}");
        assert_eq!(code(&sessions, &token).await, "CD1248", "{before}");
    }
}

#[tokio::test]
async fn what_is_no_token_of_a_session_is_refused_and_none_is_on_disk() {
    let world = World::new();
    let sessions = world.with_person().await;
    let (_, token) = log_in(&sessions, None).await;
    for wrong in ["", "cfd_session_x", &token.expose().replace("session", "api"), &token.expose()[..60]] {
        assert_eq!(code(&sessions, &secret(wrong)).await, "CD1248", "{wrong}");
    }
    assert!(!contains(&world.bytes().await, &token.expose()[12..]));
}

/// A session in use costs one write a minute at most.
#[tokio::test]
async fn a_session_in_use_is_written_once_a_minute() {
    let engine = Dying::new(false);
    let world = World::over(engine.clone());
    let sessions = world.with_person().await;
    let (_, token) = log_in(&sessions, None).await;
    assert_eq!(code(&sessions, &token).await, "in");
    engine.die_after(0);
    world.clock.pass(MINUTE_MS - 1);
    for _ in 0..100 {
        assert_eq!(code(&sessions, &token).await, "in");
    }
    world.clock.pass(1);
    assert_eq!(code(&sessions, &token).await, "CD1006", "it would be written now, and the disk is gone");
}
