//! A process dies in every commit while messages come and a run moves them: each message that was accepted is moved exactly
//! once, and none is left for which nobody comes.

use super::endpoints::{Hook, PLAIN, arrived, leave};
use super::world::{Dying, World};
use crate::{EndpointOptions, Endpoints, Error, Queue, RunOutcome, Scheduler, Secret, Taking};
use std::collections::BTreeSet;
use std::sync::Arc;

const BEFORE: [&str; 2] = ["a", "b"];
const BETWEEN: [&str; 2] = ["c", "d"];

/// What a destination has: it commits rows and position together.
#[derive(Default)]
struct Destination {
    rows: Vec<String>,
    position: u64,
}

/// What lives as long as a process.
struct Process<'a> {
    endpoints: &'a Endpoints,
    queue: &'a Arc<Queue>,
    token: &'a Secret,
    at: (&'a str, &'a str),
}

impl Process<'_> {
    async fn send(&self, ids: &[&'static str], accepted: &mut BTreeSet<&'static str>) -> Result<(), Error> {
        for id in ids {
            leave(self.endpoints, self.token, arrived(&[("x-id", id)], id)).await?;
            accepted.insert(id);
        }
        Ok(())
    }

    /// Does every run that waits.
    async fn run(&self, destination: &mut Destination) -> Result<(), Error> {
        let (organization, sync) = self.at;
        loop {
            Scheduler::new(Arc::clone(self.queue)).pass().await?;
            let Taking::Run(taken) = self.queue.take().await? else { return Ok(()) };
            // What was committed by a run that could not say so any more.
            self.endpoints.committed(organization, sync, destination.position).await?;
            loop {
                let read = self.endpoints.read(organization, sync, destination.position).await?;
                let Some(last) = read.last() else { break };
                destination.position = last.sequence;
                destination.rows.extend(read.into_iter().map(|one| String::from_utf8(one.body).unwrap()));
                self.endpoints.committed(organization, sync, destination.position).await?;
            }
            self.queue.finish(taken, &RunOutcome::Done).await?;
        }
    }
}

#[tokio::test]
async fn every_accepted_message_is_moved_once_wherever_a_process_dies() {
    for keeps_the_last in [false, true] {
        for commits in 0.. {
            let engine = Dying::new(keeps_the_last);
            let world = World::over(engine.clone());
            let hook = world.hook(PLAIN, EndpointOptions::default()).await;
            let (mut destination, mut accepted) = (Destination::default(), BTreeSet::new());
            let ((admin, acme), sync) = (hook.works.by(), hook.sync.clone());
            let (admin, acme) = (admin.to_owned(), acme.to_owned());
            let at = (acme.as_str(), sync.as_str());
            let process =
                Process { endpoints: &hook.endpoints, queue: &hook.works.queue, token: &hook.token, at };
            engine.die_after(commits);
            let life = async {
                process.send(&BEFORE, &mut accepted).await?;
                process.run(&mut destination).await?;
                process.send(&BETWEEN, &mut accepted).await?;
                process.run(&mut destination).await
            };
            let died = life.await.is_err();
            engine.revive();
            let Hook { token, works, endpoints, .. } = hook;
            drop((works, endpoints));

            let (endpoints, queue) = world.endpoints().await;
            let process = Process { endpoints: &endpoints, queue: &queue, token: &token, at };
            endpoints.ask_for_owed_runs().await.unwrap();
            process.run(&mut destination).await.unwrap();
            let left = endpoints.waiting(&admin, at.0, at.1).await.unwrap();
            assert_eq!(left.waiting, 0, "{commits}: nobody came");
            let moved: BTreeSet<&str> = destination.rows.iter().map(String::as_str).collect();
            assert!(accepted.is_subset(&moved), "{commits}: {accepted:?} {moved:?}");
            assert_eq!(moved.len(), destination.rows.len(), "{commits}: {:?}", destination.rows);

            // Who got no answer sends it again.
            let again: Vec<&str> =
                BEFORE.into_iter().chain(BETWEEN).filter(|id| !accepted.contains(id)).collect();
            process.send(&again, &mut accepted).await.unwrap();
            process.run(&mut destination).await.unwrap();
            let mut rows = destination.rows.clone();
            rows.sort();
            assert_eq!(rows, ["a", "b", "c", "d"], "{commits}");
            if !died {
                assert!(commits >= 12, "so many commits are to be swept over: {commits}");
                break;
            }
        }
    }
}
