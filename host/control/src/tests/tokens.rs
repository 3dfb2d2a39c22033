//! Tokens of the API.

use super::organizations::{House, region};
use super::users::secret;
use super::world::{DAY_MS, Dying, HOUR_MS, World, contains};
use crate::access::{Action, Actor, Scope};
use crate::{Error, MemberRole, NewToken, Organizations, Secret, Token, Tokens};
use std::collections::BTreeSet;
use std::sync::Arc;

struct Office {
    tokens: Tokens,
    house: House,
}

impl World {
    async fn office(&self) -> Office {
        let house = self.house().await;
        // Like the ones of the house, over the same storage.
        let users = Arc::clone(&house.organizations.users);
        let organizations = Organizations::new(users, region("eu-1"));
        Office { tokens: Tokens::new(Arc::new(organizations)), house }
    }
}

fn new(scopes: &[Scope]) -> NewToken {
    let scopes = scopes.iter().copied().collect::<BTreeSet<_>>();
    NewToken { name: "backup".into(), scopes, life_ms: 90 * DAY_MS }
}

fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.map_or_else(|error| error.code(), |_| "done")
}

impl Office {
    async fn create(&self, user: &str, scopes: &[Scope]) -> (Token, Secret) {
        self.tokens.create(user, &self.house.acme, new(scopes)).await.unwrap()
    }
}

#[tokio::test]
async fn a_token_may_what_its_scopes_say_for_its_time() {
    let world = World::new();
    let office = world.office().await;
    let (token, secret) = office.create(&office.house.admin, &[Scope::Read]).await;
    assert!(secret.expose().starts_with("cfd_api_") && token.used_ms.is_none());
    let may = async |action| code(office.tokens.authorize(&secret, action).await);
    assert_eq!((may(Action::ReadRows).await, may(Action::StartRuns).await), ("done", "CD1242"));
    assert_eq!((may(Action::InviteMembers).await, may(Action::CreateTokens).await), ("CD1242", "CD1242"));
    world.clock.pass(90 * DAY_MS - 1);
    assert_eq!(may(Action::ReadRows).await, "done");
    world.clock.pass(1);
    assert_eq!(may(Action::ReadRows).await, "CD1249");
}

#[tokio::test]
async fn a_token_goes_with_the_role_of_its_person() {
    let world = World::new();
    let office = world.office().await;
    let House { organizations, acme, admin, .. } = &office.house;
    let user = office.house.join("ada@acme.example", MemberRole::Admin).await;
    let (_, secret) = office.create(&user, &[Scope::Read, Scope::Admin]).await;
    assert_eq!(code(office.tokens.authorize(&secret, Action::ReadAudit).await), "done");
    organizations.change_role(admin, acme, &user, MemberRole::User).await.unwrap();
    assert_eq!(code(office.tokens.authorize(&secret, Action::ReadAudit).await), "CD1242");
    assert_eq!(office.tokens.authenticate(&secret).await.unwrap().1, Actor::User);
    organizations.remove_member(admin, acme, &user).await.unwrap();
    assert_eq!(code(office.tokens.authenticate(&secret).await), "CD1249");
}

#[tokio::test]
async fn tokens_are_listed_and_revoked_by_whom_they_belong_to_and_by_admins() {
    let world = World::new();
    let office = world.office().await;
    let (acme, admin) = (office.house.acme.as_str(), office.house.admin.as_str());
    let user = office.house.join("ada@acme.example", MemberRole::User).await;
    let (of_admin, _) = office.create(admin, &[Scope::Read]).await;
    let (of_user, secret) = office.create(&user, &[Scope::Run]).await;
    let listed = async |by: &str| {
        let mut ids: Vec<_> =
            office.tokens.list(by, acme).await.unwrap().into_iter().map(|token| token.id).collect();
        ids.sort();
        ids
    };
    let mut both = vec![of_admin.id.clone(), of_user.id.clone()];
    both.sort();
    assert_eq!((listed(admin).await, listed(&user).await), (both, vec![of_user.id.clone()]));
    assert_eq!(code(office.tokens.list(&office.house.operator, acme).await), "CD1242");
    assert_eq!(code(office.tokens.revoke(&user, acme, &of_admin.id).await), "CD1242");
    assert_eq!(code(office.tokens.revoke(admin, acme, "tok_none").await), "CD1249");
    office.tokens.revoke(admin, acme, &of_user.id).await.unwrap();
    assert_eq!(code(office.tokens.authenticate(&secret).await), "CD1249");
    assert_eq!(listed(&user).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_token_has_a_name_a_scope_and_an_end() {
    let world = World::new();
    let office = world.office().await;
    let (acme, admin) = (office.house.acme.as_str(), office.house.admin.as_str());
    let create = async |new: NewToken| code(office.tokens.create(admin, acme, new).await);
    assert_eq!(create(NewToken { name: " ".into(), ..new(&[Scope::Read]) }).await, "CD1245");
    assert_eq!(create(new(&[])).await, "CD1250");
    assert_eq!(create(NewToken { life_ms: 0, ..new(&[Scope::Read]) }).await, "CD1250");
    assert_eq!(create(NewToken { life_ms: 367 * DAY_MS, ..new(&[Scope::Read]) }).await, "CD1250");
    assert_eq!(code(office.tokens.create(&office.house.operator, acme, new(&[Scope::Read])).await), "CD1242");
    assert_eq!(code(office.tokens.create("usr_none", acme, new(&[Scope::Read])).await), "CD1231");
}

#[tokio::test]
async fn the_last_use_is_known_to_the_hour_and_costs_one_write_in_it() {
    let engine = Dying::new(false);
    let world = World::over(engine.clone());
    let office = world.office().await;
    let (acme, admin) = (office.house.acme.as_str(), office.house.admin.as_str());
    let (_, secret) = office.create(admin, &[Scope::Read]).await;
    office.tokens.authenticate(&secret).await.unwrap();
    let used_ms = office.tokens.list(admin, acme).await.unwrap()[0].used_ms;
    assert_eq!(used_ms, Some(super::world::START_MS));
    engine.die_after(0);
    world.clock.pass(HOUR_MS - 1);
    for _ in 0..10 {
        office.tokens.authenticate(&secret).await.unwrap();
    }
    engine.revive();
    world.clock.pass(1);
    office.tokens.authenticate(&secret).await.unwrap();
    let used_ms = office.tokens.list(admin, acme).await.unwrap()[0].used_ms;
    assert_eq!(used_ms, Some(super::world::START_MS + HOUR_MS));
}

#[tokio::test]
async fn no_token_is_on_disk_or_in_an_error_and_what_is_none_is_refused() {
    let world = World::new();
    let office = world.office().await;
    let (_, token) = office.create(&office.house.admin, &[Scope::Read]).await;
    assert!(!contains(&world.bytes().await, &token.expose()[8..]));
    for wrong in ["", "cfd_api_x", &token.expose().replace("api", "session"), &token.expose()[..60]] {
        let error = office.tokens.authenticate(&secret(wrong)).await.unwrap_err();
        assert_eq!(error.code(), "CD1249");
        assert!(wrong.is_empty() || !format!("{error} {error:?}").contains(wrong));
    }
}
