//! Operators: one invites another, and there is always one.

use super::connections::code;
use super::organizations::House;
use super::users::{PASSWORD, secret};
use super::world::{HOUR_MS, World};
use crate::audit::Log;
use crate::{Action, MemberRole, Sessions};
use std::sync::Arc;

const EMAIL: &str = "second@host.example";

impl House {
    async fn second(&self) -> String {
        let invited = self.organizations.invite_operator(&self.operator, EMAIL).await.unwrap();
        self.organizations.accept_operator_as_new(&invited.token, &secret(PASSWORD)).await.unwrap()
    }

    async fn operators(&self) -> Vec<String> {
        let all = self.organizations.users.operators().await.unwrap();
        all.into_iter().map(|user| user.id).collect()
    }
}

#[tokio::test]
async fn an_operator_invites_another_one_once_for_72_hours_and_it_is_in_the_log() {
    let world = World::new();
    let house = world.house().await;
    let House { organizations, operator, admin, .. } = &house;
    assert_eq!(code(organizations.invite_operator(admin, EMAIL).await), "CD1242");
    assert_eq!(code(organizations.operators(admin).await), "CD1242");
    assert_eq!(code(organizations.invite_operator(operator, "nobody").await), "CD1220");
    let invited = organizations.invite_operator(operator, EMAIL).await.unwrap();
    assert!(organizations.invites_operator(&invited.token));
    // It makes nobody a member of anything, and an invitation into an organization makes nobody an operator.
    assert_eq!(code(organizations.accept_as_new(&invited.token, &secret(PASSWORD)).await), "CD1243");
    let member = organizations.invite(admin, &house.acme, EMAIL, MemberRole::User).await.unwrap();
    assert_eq!(code(organizations.accept_operator_as_new(&member.token, &secret(PASSWORD)).await), "CD1243");
    let taken = organizations.accept_operator_as_new(&invited.token, &secret(PASSWORD)).await;
    let second = taken.unwrap();
    assert_eq!(code(organizations.accept_operator_as_new(&invited.token, &secret(PASSWORD)).await), "CD1243");
    organizations.authorize_installation(&second, Action::RunInstallation).await.unwrap();
    assert_eq!(house.operators().await.len(), 2);

    let late = organizations.invite_operator(&second, "late@host.example").await.unwrap();
    let back = organizations.invite_operator(&second, "back@host.example").await.unwrap();
    organizations.revoke_operator_invitation(operator, &back.id).await.unwrap();
    let open = organizations.operator_invitations(operator).await.unwrap();
    assert_eq!(open.iter().map(|one| &one.id).collect::<Vec<_>>(), [&late.id]);
    world.clock.pass(72 * HOUR_MS);
    for token in [&late.token, &back.token] {
        assert_eq!(code(organizations.accept_operator_as_new(token, &secret(PASSWORD)).await), "CD1243");
    }
    assert!(organizations.operator_invitations(operator).await.unwrap().is_empty());
    let log = organizations.audit.read(&Log::installation(), 0, 100).await.unwrap();
    let acts: Vec<&str> = log.iter().map(|entry| entry.act.as_str()).collect();
    for (act, times) in [("operator_invited", 3), ("operator_created", 2), ("invitation_revoked", 1)] {
        assert_eq!(acts.iter().filter(|one| **one == act).count(), times, "{act}: {acts:?}");
    }
}

#[tokio::test]
async fn somebody_who_is_known_becomes_an_operator_by_their_own_invitation() {
    let world = World::new();
    let house = world.house().await;
    let House { organizations, operator, admin, .. } = &house;
    let invited = organizations.invite_operator(operator, "admin@acme.example").await.unwrap();
    assert_eq!(code(organizations.accept_operator_as_new(&invited.token, &secret(PASSWORD)).await), "CD1227");
    let other = house.join("ada@acme.example", MemberRole::User).await;
    assert_eq!(code(organizations.accept_operator(&invited.token, &other).await), "CD1243");
    organizations.accept_operator(&invited.token, admin).await.unwrap();
    assert!(house.operators().await.contains(admin));
    let again = organizations.invite_operator(operator, "admin@acme.example").await.unwrap();
    assert_eq!(code(organizations.accept_operator(&again.token, admin).await), "CD1246");
}

#[tokio::test]
async fn the_last_operator_stays_and_of_two_who_go_at_once_one_does() {
    let world = World::new();
    let house = world.house().await;
    let House { organizations, operator, admin, .. } = &house;
    assert_eq!(code(organizations.dismiss_operator(operator, operator).await), "CD1266");
    assert_eq!(code(organizations.dismiss_operator(admin, operator).await), "CD1242");
    assert_eq!(code(organizations.dismiss_operator(operator, admin).await), "CD1231");
    let second = house.second().await;
    let (one, other) = tokio::join!(
        organizations.dismiss_operator(operator, &second),
        organizations.dismiss_operator(&second, operator)
    );
    let codes = [code(one), code(other)];
    assert!(codes.contains(&"done") && codes.iter().any(|code| *code != "done"), "{codes:?}");
    assert_eq!(house.operators().await.len(), 1);
}

#[tokio::test]
async fn who_is_dismissed_stays_a_person_and_runs_nothing() {
    let world = World::new();
    let house = world.house().await;
    let House { organizations, operator, acme, .. } = &house;
    let second = house.second().await;
    let glass = organizations.request_glass(&second, acme, "ticket").await.unwrap();
    let selected = [Action::ReadRows].into();
    organizations.approve_glass(&house.admin, acme, &glass, HOUR_MS, selected).await.unwrap();
    organizations.authorize(&second, acme, Action::ReadRows).await.unwrap();
    organizations.dismiss_operator(operator, &second).await.unwrap();
    assert_eq!(code(organizations.authorize(&second, acme, Action::ReadRows).await), "CD1240");
    assert_eq!(code(organizations.invite_operator(&second, EMAIL).await), "CD1242");
    assert!(!organizations.users.get(&second).await.unwrap().is_operator);
}

#[tokio::test]
async fn an_operator_beside_whom_there_is_another_may_be_deleted() {
    let world = World::new();
    let house = world.house().await;
    let House { organizations, operator, .. } = &house;
    let second = house.second().await;
    let sessions = Sessions::new(Arc::clone(&organizations.users));
    organizations.delete_person(&second, operator, &sessions).await.unwrap();
    assert_eq!(house.operators().await, std::slice::from_ref(&second));
    assert_eq!(code(organizations.delete_person(&second, &second, &sessions).await), "CD1266");
}
