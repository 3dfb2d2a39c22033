//! The state at one commit, read while others commit: what a scan of the database finds, then everything that the journal says
//! has happened since the commit as of which the database was when the scan began, until the scan ended.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;

use super::database::Database;
use super::error::OpenError;
use super::frame::{Kind, Mac};
use super::replay::{batches, check_joint};
use super::segment::Segment;
use super::shared::{Pin, Shared, unreadable};
use super::survey::Known;
use crate::engine::{EngineError, Scan, Sequence, Snapshot, SnapshotItem};

/// About so much is answered at once.
const PAGE_ENTRIES: usize = 1024;
const PAGE_BYTES: usize = 1 << 20;

pub(super) struct SledSnapshot(Arc<std::sync::Mutex<State>>);

struct State {
    shared: Arc<Shared>,
    database: Arc<Database>,
    pin: Pin,
    phase: Phase,
    sequence: Sequence,
}

enum Phase {
    /// Behind this key.
    Scan(Option<Vec<u8>>),
    /// These segments are still to be read; of the one that was read last, these items are still to be told.
    Journal { segments: VecDeque<Known>, chain: Option<Mac>, newest: Sequence, items: VecDeque<SnapshotItem> },
}

impl SledSnapshot {
    pub(super) fn new(shared: &Arc<Shared>) -> Result<Self, EngineError> {
        // The pin first: what is applied between the two is told twice, which is harmless.
        let pin = shared.pin();
        let database = shared.database()?;
        let state =
            State { shared: Arc::clone(shared), database, pin, phase: Phase::Scan(None), sequence: 0 };
        Ok(Self(Arc::new(std::sync::Mutex::new(state))))
    }
}

#[async_trait]
impl Snapshot for SledSnapshot {
    async fn next(&mut self) -> Result<Vec<SnapshotItem>, EngineError> {
        let state = Arc::clone(&self.0);
        let page = tokio::task::spawn_blocking(move || {
            state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next()
        });
        page.await.map_err(|error| EngineError::Stopped { reason: error.to_string() })?
    }

    fn sequence(&self) -> Sequence {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).sequence
    }
}

impl State {
    fn next(&mut self) -> Result<Vec<SnapshotItem>, EngineError> {
        self.shared.check()?;
        if let Phase::Scan(after) = &mut self.phase {
            let scan = Scan { prefix: Vec::new(), after: after.clone(), limit: PAGE_ENTRIES };
            let entries = self.database.scan(&scan).map_err(|fault| unreadable(&self.database, fault))?;
            if let Some((last, _)) = entries.last() {
                *after = Some(last.clone());
                return Ok(entries.into_iter().map(SnapshotItem::Put).collect());
            }
            self.end_scan();
        }
        self.next_of_journal()
    }

    /// The scan may have seen changes of any commit up to the newest, which the journal has.
    fn end_scan(&mut self) {
        self.sequence = self.shared.newest();
        let segments = self.shared.segments_behind(self.pin.behind).into();
        let newest = self.pin.behind;
        self.phase = Phase::Journal { segments, chain: None, newest, items: VecDeque::new() };
    }

    fn next_of_journal(&mut self) -> Result<Vec<SnapshotItem>, EngineError> {
        let Phase::Journal { segments, chain, newest, items } = &mut self.phase else {
            return Ok(Vec::new());
        };
        let until = self.sequence;
        while items.is_empty() && *newest < until {
            let Some(known) = segments.pop_front() else { break };
            let place = &self.shared.place;
            let read =
                Segment::read(place.path(known.number), known.number, &place.key).and_then(|segment| {
                    check_joint(&segment, *chain, *newest)?;
                    let end = read_items(&segment, &place.key, (newest, until), items)?;
                    *chain = Some(end);
                    Ok(())
                });
            read.map_err(|error| damaged(&error))?;
        }
        let mut bytes = 0;
        let mut page = Vec::new();
        while bytes < PAGE_BYTES
            && let Some(item) = items.pop_front()
        {
            bytes += match &item {
                SnapshotItem::Put((key, value)) => key.len() + value.len(),
                SnapshotItem::Delete(key) => key.len(),
            };
            page.push(item);
        }
        Ok(page)
    }
}

/// Takes the changes behind `newest` up to `until`. Somebody may be writing behind them: that is not looked at.
fn read_items(
    segment: &Segment,
    key: &Mac,
    (newest, until): (&mut Sequence, Sequence),
    items: &mut VecDeque<SnapshotItem>,
) -> Result<Mac, OpenError> {
    let end = segment.walk_until(key, until, |frame| {
        if frame.kind != Kind::Batches {
            return Ok(());
        }
        for (sequence, batch) in batches(&segment.path, frame)? {
            if sequence > *newest && sequence <= until {
                *newest = sequence;
                items.extend(batch.deletes.iter().map(|key| SnapshotItem::Delete(key.to_vec())));
                let puts = batch.puts.iter();
                items.extend(puts.map(|(key, value)| SnapshotItem::Put((key.to_vec(), value.to_vec()))));
            }
        }
        Ok(())
    })?;
    Ok(end.chain)
}

fn damaged(error: &OpenError) -> EngineError {
    match error {
        OpenError::Damaged { path, offset, problem } => EngineError::Damaged {
            place: format!("{} at byte {offset}", path.display()),
            problem: problem.clone(),
        },
        other => EngineError::Unavailable {
            action: "read",
            place: "the commit journal".to_owned(),
            reason: other.to_string(),
        },
    }
}
