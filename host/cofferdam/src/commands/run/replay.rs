//! `cofferdam run --replay`: a run that was recorded, once more and as often as one likes. Its world is the recording, what it knows
//! of earlier runs is what the recorded one knew, and of itself nothing is kept but what the destination writes.

use std::path::Path;
use std::sync::Arc;

use cassette::{Cassette, Head, Player};
use pipeline::records::MemoryRecords;
use pipeline::report::Outcome;

use crate::host::Host;
use crate::keeper::Keeper;
use crate::moved::{Driving, show};
use crate::opened::Opened;
use crate::output::Output;
use crate::problem::{Problem, Problems};
use crate::signals::Wishes;
use crate::spec::spec;
use crate::summary::Summary;
use crate::taped::{self, ReplayClock};
use crate::units::counted;
use crate::{arguments, places};

pub(super) async fn run(command: arguments::Run, folder: &Path, output: &Output) -> Result<(), Problems> {
    let player = Player::open(folder)?;
    let host = Host::new(command.cache, &command.network, output)?;
    let host = host.recording_or_replaying(Cassette::Replay(player.clone()));
    // Nothing is looked for there: a replay needs no credential.
    let mut keeper = Keeper::new(places::data(command.data.data.as_deref(), &command.sync), &command.data);
    let opened = Opened::new(&host, &command.sync, &mut keeper).await?;
    opened.warnings().iter().for_each(|warning| output.warning(warning));
    let mut spec = spec(&opened.document.sync, opened.ports()?);
    spec.options = taped::options(spec.options);
    let records = records(player.head(), &opened.document.sync.name, folder)?;
    let clock = ReplayClock::new(player.head().started_ms, spec.options.stop_grace_ms);
    let driving = Driving { host: &host, opened: &opened, wishes: Wishes::listen()? };
    let report = driving.run(spec, Arc::new(records), Arc::new(clock)).await;
    host.logs.finish();
    let is_whole = report.outcome == Outcome::Completed;
    let summary = Summary::new(&host, &opened, report, None);
    show(&summary, output)?;
    tell(&player, folder, is_whole, output);
    summary.ended().map_err(Problems::told_in_document)
}

/// What the recorded run knew when it began.
fn records(head: &Head, sync: &str, folder: &Path) -> Result<MemoryRecords, Problems> {
    let unit = |(unit, record): (&String, &serde_json::Value)| {
        let record = serde_json::from_value(record.clone()).map_err(|error| cassette::Error::Corrupt {
            path: folder.join("cassette.json"),
            problem: format!("what is known of the unit `{unit}` cannot be read: {error}"),
        })?;
        Ok::<_, Problems>((unit.clone(), record))
    };
    let units = head.units.iter().map(unit).collect::<Result<_, _>>()?;
    Ok(MemoryRecords::standing(sync, head.run.saturating_sub(1), units))
}

fn tell(player: &Player, folder: &Path, is_whole: bool, output: &Output) {
    let (answered, recorded) = player.answered();
    let exchanges = counted(recorded, "exchange", "exchanges");
    output.aside(&format!(
        "replayed from `{}`: {answered} of {exchanges}; nothing is kept of this run\n",
        folder.display()
    ));
    if is_whole && answered < recorded {
        let left = counted(recorded - answered, "recorded exchange", "recorded exchanges");
        output.warning(&Problem::new("CD0859", format!("the run was done without {left}")));
    }
}
