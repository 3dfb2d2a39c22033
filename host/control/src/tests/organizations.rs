//! Organizations, their members, and who may look into them.

use super::users::{EMAIL, PASSWORD, secret};
use super::world::{Dying, HOUR_MS, START_MS, World, contains};
use crate::access::{Action, Actor, Reason};
use crate::audit::PersonalFields;
use crate::tables::{Key, ORGANIZATIONS};
use crate::{
    Error, GlassState, INSTALLATION, Invited, MemberRole, Organization, Organizations, Region, Secret,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use storage::{Change, Life};

/// A house with an operator, and an organization with an admin.
pub(super) struct House {
    pub(super) organizations: Organizations,
    pub(super) operator: String,
    pub(super) acme: String,
    pub(super) admin: String,
}

pub(super) fn region(text: &str) -> Region {
    Region::parse(text).unwrap()
}

impl World {
    pub(super) async fn house(&self) -> House {
        let users = Arc::new(self.users().await);
        let token = users.setup_token().await.unwrap().unwrap();
        let operator = users.create_first_operator(&token, EMAIL, &secret(PASSWORD)).await.unwrap();
        let organizations = Organizations::new(users, region("eu-1"));
        let (acme, invited) = organizations.create(&operator, "Acme", "admin@acme.example").await.unwrap();
        let (admin, _) = organizations.accept_as_new(&invited.token, &secret(PASSWORD)).await.unwrap();
        House { organizations, operator, acme: acme.id, admin }
    }
}

impl House {
    async fn invite(&self, email: &str, role: MemberRole) -> Invited {
        self.organizations.invite(&self.admin, &self.acme, email, role).await.unwrap()
    }

    pub(super) async fn join(&self, email: &str, role: MemberRole) -> String {
        let invited = self.invite(email, role).await;
        self.organizations.accept_as_new(&invited.token, &secret(PASSWORD)).await.unwrap().0
    }

    /// Another organization, and its admin.
    pub(super) async fn other(&self) -> (Organization, String) {
        let organizations = &self.organizations;
        let (other, invited) =
            organizations.create(&self.operator, "Other", "eve@other.example").await.unwrap();
        let (eve, _) = organizations.accept_as_new(&invited.token, &secret(PASSWORD)).await.unwrap();
        (other, eve)
    }

    async fn acts(&self) -> Vec<String> {
        let log = self.organizations.log(&self.acme);
        let read = self.organizations.audit.read(&log, 0, 1_000).await.unwrap();
        read.into_iter().map(|entry| entry.act).collect()
    }
}

fn code<T>(answer: Result<T, Error>) -> &'static str {
    answer.map_or_else(|error| error.code(), |_| "done")
}

#[tokio::test]
async fn an_organization_is_made_by_an_operator_and_ruled_by_whom_it_invited() {
    let world = World::new();
    let house = world.house().await;
    let organizations = &house.organizations;
    assert_eq!(organizations.actor(&house.admin, &house.acme).await.unwrap(), Actor::Admin);
    assert_eq!(organizations.actor(&house.operator, &house.acme).await.unwrap(), Actor::Operator);
    let acme = organizations.get(&house.acme).await.unwrap();
    assert_eq!((acme.name.as_str(), acme.members, acme.region), ("Acme", 1, region("eu-1")));
    assert_eq!(organizations.all().await.unwrap().len(), 1);
    assert_eq!(code(organizations.create(&house.admin, "Mine", "a@b.example").await), "CD1242");
    assert_eq!(code(organizations.create(&house.operator, " ", "a@b.example").await), "CD1245");
    assert_eq!(organizations.all().await.unwrap().len(), 1);
    assert_eq!(house.acts().await, ["organization_created", "member_invited", "member_joined"]);
}

#[tokio::test]
async fn an_invitation_is_taken_up_once_within_72_hours_by_whom_it_names() {
    let world = World::new();
    let house = world.house().await;
    let organizations = &house.organizations;
    let ada = house.invite("ada@acme.example", MemberRole::User).await;
    assert_eq!(ada.until_ms, START_MS + 72 * HOUR_MS);
    // Somebody else who is known has got hold of the token.
    assert_eq!(code(organizations.accept(&ada.token, &house.operator).await), "CD1243");
    world.clock.pass(72 * HOUR_MS - 1_000);
    let (user, acme) = organizations.accept_as_new(&ada.token, &secret(PASSWORD)).await.unwrap();
    assert_eq!(acme, house.acme);
    assert_eq!(organizations.actor(&user, &acme).await.unwrap(), Actor::User);
    assert_eq!(code(organizations.accept_as_new(&ada.token, &secret(PASSWORD)).await), "CD1243");

    let late = house.invite("bob@acme.example", MemberRole::User).await;
    world.clock.pass(72 * HOUR_MS);
    assert_eq!(code(organizations.accept_as_new(&late.token, &secret(PASSWORD)).await), "CD1243");
    let revoked = house.invite("cy@acme.example", MemberRole::User).await;
    organizations.revoke_invitation(&house.admin, &house.acme, &revoked.id).await.unwrap();
    assert_eq!(code(organizations.accept_as_new(&revoked.token, &secret(PASSWORD)).await), "CD1243");
    assert_eq!(
        code(organizations.accept_as_new(&Secret::new("cfd_invitation_x".into()), &secret(PASSWORD)).await),
        "CD1243"
    );
    // A weak password does not spend it.
    let last = house.invite("di@acme.example", MemberRole::User).await;
    assert_eq!(code(organizations.accept_as_new(&last.token, &secret("short1")).await), "CD1221");
    assert_eq!(code(organizations.accept_as_new(&last.token, &secret(PASSWORD)).await), "done");
}

#[tokio::test]
async fn an_invitation_that_is_taken_back_while_it_is_taken_up_is_one_or_the_other() {
    let (mut revoked, mut joined) = (0, 0);
    let world = World::over(Dying::new(false));
    let house = world.house().await;
    let organizations = &house.organizations;
    let (_, eve) = house.other().await;
    for before in 0..60 {
        let invited = house.invite("eve@other.example", MemberRole::User).await;
        let seen = house.acts().await.len();
        let revoke = async {
            for _ in 0..before {
                tokio::task::yield_now().await;
            }
            organizations.revoke_invitation(&house.admin, &house.acme, &invited.id).await.unwrap();
        };
        let (accepted, ()) = tokio::join!(organizations.accept(&invited.token, &eve), revoke);
        let expected = if accepted.is_ok() { "member_joined" } else { "invitation_revoked" };
        assert_eq!(house.acts().await[seen..], [expected], "{before}");
        if accepted.is_ok() {
            joined += 1;
            organizations.remove_member(&eve, &house.acme, &eve).await.unwrap();
        } else {
            revoked += 1;
        }
    }
    assert!(revoked > 0 && joined > 0, "{revoked} {joined}");
}

#[tokio::test]
async fn one_person_is_a_member_of_several_in_different_roles() {
    let world = World::new();
    let house = world.house().await;
    let (other, eve) = house.other().await;
    let organizations = &house.organizations;
    let invited =
        organizations.invite(&eve, &other.id, "ADMIN@acme.example", MemberRole::User).await.unwrap();
    // It is known already, so no second person is made of the address.
    assert_eq!(code(organizations.accept_as_new(&invited.token, &secret(PASSWORD)).await), "CD1227");
    assert_eq!(organizations.accept(&invited.token, &house.admin).await.unwrap(), other.id);
    assert_eq!(organizations.actor(&house.admin, &other.id).await.unwrap(), Actor::User);
    assert_eq!(organizations.actor(&house.admin, &house.acme).await.unwrap(), Actor::Admin);
    let mut of_admin = organizations.of_user(&house.admin).await.unwrap();
    of_admin.sort();
    let mut both = vec![house.acme.clone(), other.id.clone()];
    both.sort();
    assert_eq!(of_admin, both);
    let again = organizations.invite(&eve, &other.id, "admin@acme.example", MemberRole::Admin).await.unwrap();
    assert_eq!(code(organizations.accept(&again.token, &house.admin).await), "CD1246");
    assert_eq!(organizations.actor(&house.admin, &other.id).await.unwrap(), Actor::User);
}

#[tokio::test]
async fn the_last_admin_neither_leaves_nor_becomes_less() {
    let world = World::new();
    let house = world.house().await;
    let (organizations, acme) = (&house.organizations, house.acme.as_str());
    let user = house.join("ada@acme.example", MemberRole::User).await;
    assert_eq!(code(organizations.remove_member(&house.admin, acme, &house.admin).await), "CD1244");
    assert_eq!(
        code(organizations.change_role(&house.admin, acme, &house.admin, MemberRole::User).await),
        "CD1244"
    );
    assert_eq!(
        code(organizations.change_role(&house.admin, acme, &house.admin, MemberRole::Admin).await),
        "done"
    );
    assert_eq!(code(organizations.change_role(&user, acme, &user, MemberRole::Admin).await), "CD1242");
    assert_eq!(code(organizations.change_role(&house.admin, acme, &user, MemberRole::Admin).await), "done");
    assert_eq!(code(organizations.remove_member(&house.admin, acme, &house.admin).await), "done");
    assert_eq!(organizations.actor(&house.admin, acme).await.unwrap(), Actor::Outsider);
    assert!(organizations.of_user(&house.admin).await.unwrap().is_empty());
    assert_eq!(code(organizations.remove_member(&user, acme, &user).await), "CD1244");
    let members = organizations.members(&user, acme).await.unwrap();
    assert_eq!(members.iter().map(|member| &member.user).collect::<Vec<_>>(), [&user]);
    assert_eq!(organizations.get(acme).await.unwrap().members, 1);
    assert_eq!(code(organizations.remove_member(&user, acme, "usr_none").await), "CD1231");
}

#[tokio::test]
async fn two_admins_who_leave_at_once_do_not_leave_it_without_one() {
    let world = World::over(Dying::new(false));
    let house = world.house().await;
    let second = house.join("ada@acme.example", MemberRole::Admin).await;
    let organizations = &house.organizations;
    let leave = async |user: &str| code(organizations.remove_member(user, &house.acme, user).await);
    let (one, other) = tokio::join!(leave(&house.admin), leave(&second));
    let mut answers = [one, other];
    answers.sort_unstable();
    assert_eq!(answers, ["CD1244", "done"]);
}

#[tokio::test]
async fn who_is_no_member_learns_not_even_that_it_is_there() {
    let world = World::new();
    let house = world.house().await;
    let (_, eve) = house.other().await;
    for action in Action::ALL {
        let there = house.organizations.authorize(&eve, &house.acme, *action).await.unwrap_err();
        let not_there = house.organizations.authorize(&eve, "org_none", *action).await.unwrap_err();
        assert_eq!((there.code(), not_there.code()), ("CD1240", "CD1240"));
        let same = there.to_string().replace(&house.acme, "org_none");
        assert_eq!(same, not_there.to_string(), "{action:?}");
    }
    let denied = house.acts().await.iter().filter(|act| *act == "denied").count();
    assert_eq!(denied, Action::ALL.len(), "each denial is in the log");
}

#[tokio::test]
async fn an_operator_sees_names_and_types_alone() {
    let world = World::new();
    let house = world.house().await;
    let authorize = async |action| house.organizations.authorize(&house.operator, &house.acme, action).await;
    assert!(
        authorize(Action::ReadOrganization).await.is_ok() && authorize(Action::ReadCatalog).await.is_ok()
    );
    for action in [Action::ReadRows, Action::ReadConfigurations, Action::EnterCredentials, Action::ReadAudit]
    {
        let error = authorize(action).await.unwrap_err();
        assert!(matches!(error, Error::Denied { reason: Reason::OperatorSeesNoData, .. }), "{error}");
    }
}

#[tokio::test]
async fn a_process_of_another_region_refuses_and_opens_nothing() {
    let world = World::new();
    let house = world.house().await;
    let users = Arc::clone(&house.organizations.users);
    let elsewhere = Organizations::new(users, region("us-1"));
    assert_eq!(code(elsewhere.get(&house.acme).await), "CD1241");
    assert_eq!(code(elsewhere.authorize(&house.admin, &house.acme, Action::ReadRows).await), "CD1241");
    assert_eq!(
        code(elsewhere.invite(&house.admin, &house.acme, "a@b.example", MemberRole::User).await),
        "CD1241"
    );
    assert_eq!(code(elsewhere.rename(&house.admin, &house.acme, "x").await), "CD1241");
    let invited = house.invite("ada@acme.example", MemberRole::User).await;
    assert_eq!(code(elsewhere.accept_as_new(&invited.token, &secret(PASSWORD)).await), "CD1241");

    // Somebody has written the other region into the record: nothing of the organization is there under it.
    let keeper = &house.organizations.keeper;
    let at = Key::of(&house.acme);
    let found = keeper.get(INSTALLATION, ORGANIZATIONS, &at).await.unwrap().unwrap();
    let forged = String::from_utf8(found.value.expose().to_vec()).unwrap().replace("eu-1", "us-1");
    let change = Change::new(INSTALLATION).put(ORGANIZATIONS, at, Life::Standing, forged.into_bytes());
    keeper.storage.commit(change).await.unwrap();
    assert_eq!(code(elsewhere.get(&house.acme).await), "CD1240");
    assert_eq!(code(house.organizations.get(&house.acme).await), "CD1241");
}

const LOOK_MS: u64 = HOUR_MS;
const MINUTE_MS: u64 = 60_000;

fn rows() -> BTreeSet<Action> {
    BTreeSet::from([Action::ReadRows])
}

#[tokio::test]
async fn break_glass_takes_two_people_and_gives_metadata_and_what_was_selected_for_its_time() {
    let world = World::new();
    let house = world.house().await;
    let (organizations, acme) = (&house.organizations, house.acme.as_str());
    let id = organizations.request_glass(&house.operator, acme, "ticket 4711").await.unwrap();
    let look = async |action| code(organizations.authorize(&house.operator, acme, action).await);
    assert_eq!(look(Action::ReadRuns).await, "CD1242", "nobody has allowed it");
    assert_eq!(
        code(organizations.approve_glass(&house.operator, acme, &id, LOOK_MS, rows()).await),
        "CD1242"
    );
    let everything = BTreeSet::from([Action::EnterCredentials]);
    assert_eq!(
        code(organizations.approve_glass(&house.admin, acme, &id, LOOK_MS, everything).await),
        "CD1242"
    );
    for wrong_ms in [0, 9 * HOUR_MS] {
        assert_eq!(
            code(organizations.approve_glass(&house.admin, acme, &id, wrong_ms, rows()).await),
            "CD1247"
        );
    }
    organizations.approve_glass(&house.admin, acme, &id, LOOK_MS, rows()).await.unwrap();
    assert_eq!(look(Action::ReadRuns).await, "done");
    assert_eq!(look(Action::ReadRows).await, "done");
    assert_eq!(look(Action::ReadConfigurations).await, "CD1242");
    assert_eq!(look(Action::EnterCredentials).await, "CD1242");
    // It is that operator's alone, and of that organization.
    let (other, eve) = house.other().await;
    assert_eq!(code(organizations.authorize(&eve, acme, Action::ReadRuns).await), "CD1240");
    let there = organizations.authorize(&house.operator, &other.id, Action::ReadRuns).await;
    assert_eq!(code(there), "CD1242");
    // The same look within a minute is one.
    world.clock.pass(MINUTE_MS - 1);
    assert_eq!(look(Action::ReadRows).await, "done");
    world.clock.pass(1);
    assert_eq!(look(Action::ReadRows).await, "done");
    world.clock.pass(LOOK_MS - MINUTE_MS - 1);
    assert_eq!(look(Action::ReadRows).await, "done");
    world.clock.pass(1);
    assert_eq!(look(Action::ReadRows).await, "CD1242");
    let of_glass: Vec<String> =
        house.acts().await.into_iter().filter(|act| act.starts_with("break")).collect();
    // Runs, rows three times, and twice what was not selected.
    let used = ["break_glass_used"; 6];
    assert_eq!(of_glass, [["break_glass_requested", "break_glass_approved"].as_slice(), &used].concat());
}

#[tokio::test]
async fn break_glass_is_ended_by_an_admin_and_not_allowed_after_a_day() {
    let world = World::new();
    let house = world.house().await;
    let (organizations, acme) = (&house.organizations, house.acme.as_str());
    let user = house.join("ada@acme.example", MemberRole::User).await;
    assert_eq!(code(organizations.request_glass(&house.admin, acme, "x").await), "CD1242");
    assert_eq!(code(organizations.request_glass(&house.operator, acme, " ").await), "CD1245");
    let id = organizations.request_glass(&house.operator, acme, "ticket").await.unwrap();
    organizations.approve_glass(&house.admin, acme, &id, LOOK_MS, rows()).await.unwrap();
    assert_eq!(code(organizations.approve_glass(&house.admin, acme, &id, LOOK_MS, rows()).await), "CD1247");
    assert_eq!(code(organizations.end_glass(&user, acme, &id).await), "CD1242");
    assert_eq!(code(organizations.read_glass(&user, acme, &id).await), "CD1240");
    organizations.end_glass(&house.admin, acme, &id).await.unwrap();
    assert_eq!(code(organizations.authorize(&house.operator, acme, Action::ReadRuns).await), "CD1242");
    assert_eq!(organizations.read_glass(&house.admin, acme, &id).await.unwrap().state, GlassState::Ended);
    let late = organizations.request_glass(&house.operator, acme, "ticket").await.unwrap();
    world.clock.pass(24 * HOUR_MS);
    assert_eq!(code(organizations.approve_glass(&house.admin, acme, &late, LOOK_MS, rows()).await), "CD1247");
}

#[tokio::test]
async fn an_operator_who_became_an_admin_does_not_allow_it_to_himself() {
    let world = World::new();
    let house = world.house().await;
    let (organizations, acme) = (&house.organizations, house.acme.as_str());
    let id = organizations.request_glass(&house.operator, acme, "ticket").await.unwrap();
    let invited = house.invite(EMAIL, MemberRole::Admin).await;
    organizations.accept(&invited.token, &house.operator).await.unwrap();
    assert_eq!(
        code(organizations.approve_glass(&house.operator, acme, &id, LOOK_MS, rows()).await),
        "CD1247"
    );
}

#[tokio::test]
async fn an_engine_holds_neither_tokens_nor_names_nor_addresses_and_a_shredded_log_none_of_them() {
    let world = World::new();
    let house = world.house().await;
    let invited = house.invite("ada@canary.example", MemberRole::User).await;
    house.organizations.rename(&house.admin, &house.acme, "Canary Mines").await.unwrap();
    let bytes = world.bytes().await;
    for wanted in ["canary", "Canary", "Acme", invited.token.expose()] {
        assert!(!contains(&bytes, wanted), "{wanted}");
    }
    let log = house.organizations.log(&house.acme);
    let readable = async || {
        let read = house.organizations.audit.read(&log, 0, 100).await.unwrap();
        read.iter().filter(|entry| matches!(entry.personal, PersonalFields::Of(_))).count()
    };
    assert_eq!(readable().await, 3);
    let storage = &house.organizations.keeper.storage;
    storage.delete_organization(&house.organizations.owner(&house.acme)).await.unwrap();
    assert_eq!(readable().await, 0);
}

/// Wherever a process dies, an invitation was taken up whole or not at all.
#[tokio::test]
async fn joining_is_whole_wherever_a_process_dies() {
    for keeps_the_last in [false, true] {
        for commits in 0.. {
            let engine = Dying::new(keeps_the_last);
            let world = World::over(engine.clone());
            let house = world.house().await;
            let invited = house.invite("ada@acme.example", MemberRole::Admin).await;
            engine.die_after(commits);
            let died = house.organizations.accept_as_new(&invited.token, &secret(PASSWORD)).await.is_err();
            let (acme, admin) = (house.acme.clone(), house.admin.clone());
            drop(house);
            engine.revive();
            let users = Arc::new(world.users().await);
            let organizations = Organizations::new(users, region("eu-1"));
            let members = organizations.members(&admin, &acme).await.unwrap().len();
            let known = organizations.get(&acme).await.unwrap().members;
            let again = code(organizations.accept_as_new(&invited.token, &secret(PASSWORD)).await);
            assert_eq!(u32::try_from(members).unwrap(), known, "{commits} commits");
            assert_eq!(
                (members == 2, again == "CD1243"),
                (again == "CD1243", members == 2),
                "{commits} commits"
            );
            if !died {
                assert!(commits >= 1);
                break;
            }
        }
    }
}

#[tokio::test]
async fn invitations_are_listed_for_admins_while_they_hold() {
    let world = World::new();
    let house = world.house().await;
    let user = house.join("bob@acme.example", MemberRole::User).await;
    let invited = house.invite("eve@acme.example", MemberRole::User).await;
    let of = async |by: &str| house.organizations.invitations(by, &house.acme).await;
    let listed = of(&house.admin).await.unwrap();
    let shown: Vec<_> = listed.iter().map(|one| (one.id.as_str(), one.email.as_str(), one.role)).collect();
    assert_eq!(shown, [(invited.id.as_str(), "eve@acme.example", MemberRole::User)]);
    assert_eq!(code(of(&user).await), "CD1242");
    world.clock.pass(72 * HOUR_MS);
    assert_eq!(of(&house.admin).await.unwrap().len(), 0);
}

#[tokio::test]
async fn wishes_to_look_are_listed_for_admins_and_for_who_asked() {
    let world = World::new();
    let house = world.house().await;
    let user = house.join("bob@acme.example", MemberRole::User).await;
    let (_, eve) = house.other().await;
    let id = house.organizations.request_glass(&house.operator, &house.acme, "ticket").await.unwrap();
    for (by, expected) in
        [(&house.admin, Ok(1)), (&house.operator, Ok(1)), (&user, Err("CD1242")), (&eve, Err("CD1240"))]
    {
        let listed = house.organizations.glasses(by, &house.acme).await;
        let ids: Vec<String> =
            listed.as_ref().map_or(Vec::new(), |all| all.iter().map(|one| one.0.clone()).collect());
        assert_eq!(listed.map(|all| all.len()).map_err(|error| error.code()), expected);
        assert!(ids.iter().all(|listed| *listed == id));
    }
}
