//! Wherever a process dies while it appends, the next one finds a whole log in which nothing is that was not to be.

use super::audit_files::verify;
use super::world::{Dying, World};
use crate::audit::{Log, Remembered};
use crate::tables::AUDIT_PERSONS;
use crate::{Act, Audit, Error, Event, INSTALLATION};
use storage::{Change, Life};

const ENTRIES: u64 = 9;

fn key(number: u64) -> Vec<u8> {
    format!("k{number}").into_bytes()
}

/// Appends what is not there yet, each entry with a change.
async fn run(audit: &Audit) -> Result<(), Error> {
    let log = Log::installation();
    let done = audit.head(&log).await?.size;
    for number in done..ENTRIES {
        let event = Event::done(Act::LoggedIn, format!("usr_{number}"), "usr")
            .personal(&format!("usr_{}", number % 3), &[("email", "ada@example.com")]);
        let change = Change::new(INSTALLATION).expect(AUDIT_PERSONS, key(number), None);
        let change = change.put(AUDIT_PERSONS, key(number), Life::Standing, vec![1]);
        audit.append_with(&log, &event, change).await?;
    }
    Ok(())
}

/// How many changes are true.
async fn changes(audit: &Audit) -> u64 {
    let mut count = 0;
    while audit.keeper.get(INSTALLATION, AUDIT_PERSONS, &key(count)).await.unwrap().is_some() {
        count += 1;
    }
    count
}

#[tokio::test]
async fn a_log_is_whole_wherever_a_process_dies() {
    for keeps_the_last in [false, true] {
        for commits in u64::from(keeps_the_last).. {
            let engine = Dying::new(keeps_the_last);
            let world = World::over(engine.clone());
            let audit = world.audit().await;
            let remembered = audit.checkpoint(&Log::installation()).await.unwrap();
            engine.die_after(commits);
            let died = run(&audit).await.is_err();
            drop(audit);
            engine.revive();

            let audit = world.audit().await;
            let found = verify(&audit, &[remembered]).await;
            assert_eq!(found.findings, [], "{commits} commits");
            assert_eq!(found.entries, changes(&audit).await, "{commits} commits");
            let between = audit.checkpoint(&Log::installation()).await.unwrap();
            run(&audit).await.unwrap();
            let whole = verify(&audit, std::slice::from_ref(&between)).await;
            assert_eq!((whole.entries, whole.findings), (ENTRIES, vec![]), "{commits} commits");
            assert_eq!(audit.hold_against(&Log::installation(), &between).await.unwrap(), Remembered::Fits);
            if !died {
                assert!(commits >= ENTRIES, "so many commits are to be swept over: {commits}");
                break;
            }
        }
    }
}
