//! Random scripts, random faults in several runs one after the other: exact in the end, and at each moment.

use super::faults::Fault;
use super::sweep::{finish, jumping};
use super::world::{Script, ScriptPage, World};
use crate::model::{Layout, Layouts};
use crate::report::Outcome;
use crate::run::Options;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::Index;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
struct RandomPage {
    batches: Vec<(bool, u8)>,
    raw: u8,
    checkpoint: bool,
    mark: bool,
    waits: bool,
}

fn random_page() -> impl Strategy<Value = RandomPage> {
    let batches = proptest::collection::vec((any::<bool>(), 0_u8..12), 0..3);
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (batches, 0_u8..3, flags).prop_map(|(batches, raw, (checkpoint, mark, waits))| RandomPage {
        batches,
        raw,
        checkpoint,
        mark,
        waits,
    })
}

/// Gives each row an id of its own. The last page has a checkpoint, else the source itself would give its rows again.
fn pages(random: &[RandomPage], next: &mut i64, streams: [&'static str; 2]) -> Vec<ScriptPage> {
    let mut ids = |count: u8| {
        let first = *next;
        *next += i64::from(count);
        (first..*next).collect::<Vec<i64>>()
    };
    let last = random.len() - 1;
    let page = |(place, page): (usize, &RandomPage)| ScriptPage {
        // Each group has at least its first stream, else nothing could be chosen of it.
        batches: std::iter::once((streams[0], ids(u8::from(place == 0))))
            .chain(page.batches.iter().map(|(second, count)| (streams[usize::from(*second)], ids(*count))))
            .collect(),
        raw: ids(page.raw),
        checkpoint: page.checkpoint || place == last,
        mark: page.mark || place == last,
        wait_ms: page.waits.then_some(5),
        schema_changes: false,
    };
    random.iter().enumerate().map(page).collect()
}

fn script() -> impl Strategy<Value = Script> {
    let group = || proptest::collection::vec(random_page(), 1..6);
    let layout = prop_oneof![Just(Layout::Columns), Just(Layout::JsonLines)];
    let layouts = prop_oneof![
        Just(Layouts { columns: true, json_lines: true }),
        Just(Layouts { columns: true, json_lines: false }),
        Just(Layouts { columns: false, json_lines: true }),
    ];
    let options =
        (1_u64..600, 1_u32..400, 1_u32..3).prop_map(|(commit_bytes, look_ahead_bytes, parallel_groups)| {
            Options { commit_bytes, look_ahead_bytes, parallel_groups, ..Options::default() }
        });
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (group(), group(), layout, layouts, options, flags).prop_map(
        |(first, second, layout, layouts, options, (transform, source_rejects, write_rejects, marks))| {
            let mut next = 0;
            let groups = BTreeMap::from([
                ("g", pages(&first, &mut next, ["a", "b"])),
                ("h", pages(&second, &mut next, ["c", "d"])),
            ]);
            Script {
                groups,
                layout,
                layouts,
                options,
                transform,
                source_rejects,
                write_rejects,
                marks,
                transactions: marks,
                ..Script::of(Vec::new())
            }
        },
    )
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        any::<bool>().prop_map(|after| Fault::Transient { after }),
        Just(Fault::Trap),
        Just(Fault::Cancel),
        any::<bool>().prop_map(|after| Fault::CancelAndHang { after }),
        any::<bool>().prop_map(|after| Fault::Crash { after }),
        Just(Fault::RateLimited(7)),
        Just(Fault::Panic),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_how_often_ever_the_end_is_exact(
        script in script(),
        faults in proptest::collection::vec((fault(), any::<Index>()), 0..6),
    ) {
        jumping(async {
            let world = World::new(script);
            for (fault, place) in faults {
                let call = place.index(60) as u64;
                if let Some(report) = world.run(Some((call, fault))).await {
                    let total = report.total();
                    assert_eq!(total.read, total.settled());
                }
            }
            finish(&world).await;
            world.assert_exact().await;
        });
    }

    #[test]
    fn late_rejects_are_mapped_back_and_kept(script in script(), cancel in any::<Index>()) {
        jumping(async {
            let world = World::new(Script { late_rejects: true, ..script });
            world.run(Some((cancel.index(80) as u64, Fault::Cancel))).await;
            finish(&world).await;
            world.assert_exact().await;
        });
    }

    #[test]
    fn an_unchanged_source_gives_nothing_to_a_second_run(script in script()) {
        jumping(async {
            let world = World::new(Script { late_rejects: true, ..script });
            finish(&world).await;
            let commits: u64 = super::faults::lock(&world.units).values().map(|unit| unit.commits).sum();
            let second = world.run(None).await.unwrap();
            assert_eq!(second.outcome, Outcome::Completed);
            assert_eq!(second.total().read, 0);
            let after: u64 = super::faults::lock(&world.units).values().map(|unit| unit.commits).sum();
            assert_eq!(after, commits);
            world.assert_exact().await;
        });
    }
}
