//! Organizations and people are deleted, and nothing of them can be read any more.

use super::audit_files::verify;
use super::connections::code;
use super::organizations::{House, region};
use super::syncs::Works;
use super::users::{PASSWORD, secret};
use super::world::{Dying, HOUR_MS, START_MS, World};
use crate::audit::{Log, PersonalFields};
use crate::filed::Head;
use crate::organizations::while_it_lasts;
use crate::syncs::{self, Kept};
use crate::tables::{INVITATION_TOKENS, Key, MEMBERSHIPS, SYNCS_DUE, TOKEN_USES, TOKENS, ZONES};
use crate::{
    INSTALLATION, MemberRole, NewToken, Organizations, QueueOptions, Scheduler, Scope, Sessions, Taking,
    Tokens,
};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use storage::{Change, Life, Range};

const NAME: &str = "Acme";

impl World {
    async fn organizations(&self) -> Organizations {
        Organizations::new(Arc::new(self.users().await), region("eu-1"))
    }
}

impl Works {
    /// A sync that is due, one that waits to run, and one that runs.
    async fn busy(&self) {
        let (admin, acme) = self.by();
        let every = json!({ "when": { "every": { "interval_ms": HOUR_MS, "from_ms": 0 } } });
        let due = self.sync(&json!({ "schedule": every })).await.id;
        self.syncs.start(admin, acme, &due).await.unwrap();
        self.waiting(2).await;
        assert!(matches!(self.queue.take().await.unwrap(), Taking::Run(_)));
    }

    /// How many records the installation has whose key names the organization, its log and its tombstone apart.
    async fn traces(&self) -> Vec<String> {
        let acme = Key::of(&self.shop.house.acme).to_vec();
        let (mut traces, keeper) = (Vec::new(), &self.shop.organizations.keeper);
        for table in crate::tables::ALL {
            let range = Range { prefix: &[], after: None, limit: 10_000 };
            for (key, _) in keeper.page(INSTALLATION, *table, range).await.unwrap() {
                if key.windows(acme.len()).any(|window| window == acme) {
                    traces.push(table.name.to_owned());
                }
            }
        }
        traces
    }
}

#[tokio::test]
async fn an_organization_is_deleted_by_two_admins_or_by_one_after_72_hours() {
    let world = World::new();
    let house = world.house().await;
    let House { organizations, admin, acme, .. } = &house;
    let user = house.join("ada@acme.example", MemberRole::User).await;
    let second = house.join("bob@acme.example", MemberRole::Admin).await;
    assert_eq!(code(organizations.request_deletion(&user, acme, NAME).await), "CD1242");
    assert_eq!(code(organizations.request_deletion(admin, acme, "acme").await), "CD1263");
    assert_eq!(code(organizations.confirm_deletion(admin, acme, NAME).await), "CD1264");
    let asked = organizations.request_deletion(admin, acme, NAME).await.unwrap();
    world.clock.pass(HOUR_MS);
    assert_eq!(organizations.request_deletion(&second, acme, NAME).await.unwrap(), asked);
    assert_eq!(organizations.deletion(&user, acme).await.unwrap().as_ref(), Some(&asked));
    organizations.withdraw_deletion(&second, acme).await.unwrap();
    assert_eq!(code(organizations.confirm_deletion(&second, acme, NAME).await), "CD1264");

    organizations.request_deletion(admin, acme, NAME).await.unwrap();
    assert_eq!(code(organizations.confirm_deletion(admin, acme, NAME).await), "CD1265");
    world.clock.pass(72 * HOUR_MS - 1);
    assert_eq!(code(organizations.confirm_deletion(admin, acme, NAME).await), "CD1265");
    world.clock.pass(1);
    assert_eq!(code(organizations.confirm_deletion(admin, acme, NAME).await), "done");
    assert_eq!(code(organizations.get(acme).await), "CD1240");

    let (other, eve) = house.other().await;
    let invited = organizations.invite(&eve, &other.id, "cy@other.example", MemberRole::Admin).await.unwrap();
    let (cy, _) = organizations.accept_as_new(&invited.token, &secret(PASSWORD)).await.unwrap();
    organizations.request_deletion(&eve, &other.id, "Other").await.unwrap();
    assert_eq!(code(organizations.confirm_deletion(&cy, &other.id, "Other").await), "done");
}

#[tokio::test]
async fn of_a_deleted_organization_nothing_is_left_but_its_log_and_a_certificate() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    works.busy().await;
    let (admin, acme) = works.by();
    let House { operator, organizations, .. } = &works.shop.house;
    let second = works.shop.house.join("bob@acme.example", MemberRole::Admin).await;
    works.shop.house.join("open@acme.example", MemberRole::User).await;
    organizations.invite(admin, acme, "late@acme.example", MemberRole::User).await.unwrap();
    let tokens = Tokens::new(Arc::clone(&works.shop.organizations));
    let scopes = BTreeSet::from([Scope::Read]);
    let new = NewToken { name: "backup".into(), scopes, life_ms: HOUR_MS };
    let (_, token) = tokens.create(admin, acme, new).await.unwrap();
    tokens.authenticate(&token).await.unwrap();
    assert!(works.traces().await.len() > 20);

    organizations.request_deletion(admin, acme, NAME).await.unwrap();
    let certificate = organizations.confirm_deletion(&second, acme, NAME).await.unwrap();
    let mut left = works.traces().await;
    left.sort_unstable();
    left.dedup();
    assert_eq!(left, ["condemned", "tombstones"]);
    assert_eq!(code(tokens.authenticate(&token).await), "CD1249");
    assert!(organizations.of_user(admin).await.unwrap().is_empty());
    assert!(organizations.all().await.unwrap().is_empty());
    assert!(matches!(works.queue.take().await.unwrap(), Taking::Nothing { .. }));
    let scheduler = Scheduler::new(Arc::clone(&works.queue));
    assert_eq!(scheduler.pass().await.unwrap().started, 0);
    let keeper = &works.shop.organizations.keeper;
    // Nor what is kept under keys that do not name it.
    for table in [SYNCS_DUE, TOKENS, TOKEN_USES, INVITATION_TOKENS, MEMBERSHIPS] {
        let range = Range { prefix: &[], after: None, limit: 10 };
        assert!(keeper.page(INSTALLATION, table, range).await.unwrap().is_empty(), "{}", table.name);
    }

    let audit = &works.shop.organizations.audit;
    let log = organizations.log(acme);
    let head = audit.head(&log).await.unwrap();
    assert_eq!((certificate.log_entries, certificate.confirmed_by.as_str()), (head.size, second.as_str()));
    for entry in audit.read(&log, 0, 1_000).await.unwrap() {
        assert!(!matches!(entry.personal, PersonalFields::Of(_)), "{}", entry.act);
    }
    let last = audit.read(&Log::installation(), 0, 1_000).await.unwrap().pop().unwrap();
    assert_eq!((last.act.as_str(), last.subject.as_str()), ("organization_shredded", acme));
    assert_eq!(last.details["log_root"], certificate.log_root);
    let kept = organizations.deletion_certificate(operator, acme).await.unwrap();
    assert_eq!(kept, Some(certificate));
    assert_eq!(code(organizations.deletion_certificate(admin, acme).await), "CD1242");
    assert_eq!(verify(audit, &[]).await.findings, []);
}

#[tokio::test]
async fn what_was_begun_before_an_organization_was_deleted_does_not_come_to_be_after_it() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let organizations = &works.shop.organizations;
    let second = works.shop.house.join("bob@acme.example", MemberRole::Admin).await;
    // Somebody who may has come as far as the last step of making a sync, and of making whatever else.
    let spec = works.spec(&json!({}));
    let body = organizations.write_body(acme, syncs::KIND, "syn_late", &spec).await.unwrap();
    let head = Head::new("Late".into(), body, START_MS, Kept::of(&spec, START_MS));
    let change = Change::new(INSTALLATION);
    let made = syncs::KIND.put(change.clone(), (acme, "syn_late"), &head, None).unwrap();
    let other = while_it_lasts(change, acme).put(ZONES, Key::of(acme), Life::Standing, Vec::new());

    organizations.request_deletion(admin, acme, NAME).await.unwrap();
    organizations.confirm_deletion(&second, acme, NAME).await.unwrap();
    for late in [made, other] {
        let table = organizations.keeper.try_commit(late).await.unwrap();
        assert_eq!(table.as_deref(), Some("condemned"));
    }
    let mut left = works.traces().await;
    left.sort_unstable();
    assert_eq!(left, ["condemned", "tombstones"]);
}

#[tokio::test]
async fn a_deletion_is_carried_out_whole_wherever_a_process_dies() {
    // The first commit that the process dies in, and whether it is kept.
    for (commits, is_kept) in (0..).flat_map(|commits| [(commits, false), (commits, true)]) {
        let engine = Dying::new(is_kept);
        let world = World::over(engine.clone());
        let house = world.house().await;
        let second = house.join("bob@acme.example", MemberRole::Admin).await;
        house.organizations.request_deletion(&house.admin, &house.acme, NAME).await.unwrap();
        engine.die_after(commits);
        let died = house.organizations.confirm_deletion(&second, &house.acme, NAME).await.is_err();
        engine.revive();
        let (acme, operator) = (house.acme.clone(), house.operator.clone());
        drop(house);
        let organizations = world.organizations().await;
        organizations.mend().await.unwrap();
        let certificate = organizations.deletion_certificate(&operator, &acme).await.unwrap();
        let shredded = organizations.audit.read(&Log::installation(), 0, 1_000).await.unwrap();
        let shredded = shredded.iter().filter(|entry| entry.act == "organization_shredded").count();
        if organizations.get(&acme).await.is_ok() {
            // It died before the deletion was confirmed: it can be confirmed still.
            assert!(certificate.is_none() && commits == 0 && !is_kept, "{commits}");
            organizations.confirm_deletion(&second, &acme, NAME).await.unwrap();
        } else {
            assert_eq!((certificate.is_some(), shredded), (true, 1), "{commits}");
            assert!(!organizations.keeper.knows(&organizations.owner(&acme)), "{commits}");
        }
        if !died {
            assert!(commits >= 5, "so many commits are to be swept over: {commits}");
            break;
        }
    }
}

#[tokio::test]
async fn an_organization_whose_making_was_ended_by_a_crash_leaves_no_key() {
    for commits in 0..8 {
        let engine = Dying::new(false);
        let world = World::over(engine.clone());
        let house = world.house().await;
        engine.die_after(commits);
        let made = house.organizations.create(&house.operator, "Other", "eve@other.example").await;
        engine.revive();
        let is_made = made.is_ok();
        drop(house);
        let organizations = world.organizations().await;
        organizations.mend().await.unwrap();
        let known: BTreeSet<String> =
            organizations.all().await.unwrap().into_iter().map(|one| one.id).collect();
        let keys: BTreeSet<String> = organizations.keeper.storage.organizations().into_iter().collect();
        let expected = known.iter().map(|id| organizations.owner(id)).chain([INSTALLATION.to_owned()]);
        assert_eq!(keys, expected.collect(), "{commits}");
        assert!(!is_made || known.len() == 2);
    }
}

#[tokio::test]
async fn of_a_deleted_person_nothing_tells_who_it_was_and_it_comes_in_no_more() {
    let world = World::new();
    let house = world.house().await;
    let ada = house.join("zoe@acme.example", MemberRole::User).await;
    let House { organizations, admin, acme, operator } = &house;
    let sessions = Sessions::new(Arc::clone(&organizations.users));
    let address = [192, 0, 2, 1].into();
    let (_, token) = sessions.begin(ada.clone(), address).await.unwrap();
    assert_eq!(code(organizations.delete_person(admin, &ada, &sessions).await), "CD1242");
    assert_eq!(code(organizations.delete_person(operator, admin, &sessions).await), "CD1244");
    assert_eq!(code(organizations.delete_person(operator, operator, &sessions).await), "CD1266");

    organizations.delete_person(&ada, &ada, &sessions).await.unwrap();
    assert_eq!(code(sessions.authenticate(&token).await), "CD1248");
    assert_eq!(code(organizations.users.get(&ada).await.map(|_| ())), "CD1231");
    assert_eq!(organizations.members(admin, acme).await.unwrap().len(), 1);
    for log in [organizations.log(acme), Log::installation()] {
        for entry in organizations.audit.read(&log, 0, 1_000).await.unwrap() {
            if let PersonalFields::Of(personal) = entry.personal {
                assert!(!personal.fields.values().any(|value| value.contains("zoe@")), "{}", entry.act);
            }
        }
    }
    // Somebody else may have the address, and is another person.
    assert_ne!(house.join("zoe@acme.example", MemberRole::User).await, ada);
    let acts: Vec<String> = organizations
        .audit
        .read(&Log::installation(), 0, 1_000)
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.act)
        .collect();
    assert!(acts.contains(&"user_deleted".to_owned()));
}
