//! Writes one commit unit.

use std::{collections::BTreeMap, io::Read};

use cofferdam_sdk::{
    Capabilities, CommitReport, Error, Field, FieldFate, Incoming, LastCommit, Layouts, Mode, Modes,
    OpenWrite, Operations, Result, StreamPlan, StreamVerdict, WriteReport, Writer,
};

use super::{
    disk::{Disk, OsDisk},
    files::Directory,
    state::{State, StreamState},
    stream::{Stream, Style},
    verdict::verdict,
};
use crate::{
    config::{Compression, DestinationConfig, Format},
    source::first_row,
};

/// Writes one commit unit into a directory.
pub struct FilesWriter(UnitWriter<OsDisk>);

impl FilesWriter {
    pub(crate) fn open(config: DestinationConfig, write: &OpenWrite) -> Result<Self> {
        let disk = OsDisk::new(&config.directory);
        if write.fence.is_some() {
            disk.make_directory()?;
        }
        UnitWriter::open(disk, config, write).map(Self)
    }
}

impl Writer for FilesWriter {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn committed(&mut self) -> Result<Option<LastCommit>> {
        self.0.committed()
    }

    fn prepare(&mut self, plans: &[StreamPlan], dry_run: bool) -> Result<Vec<StreamVerdict>> {
        self.0.prepare(plans, dry_run)
    }

    fn write(&mut self, number: u64, incoming: Incoming<'_>) -> Result<WriteReport> {
        self.0.write(number, incoming)
    }

    fn commit(&mut self, token: &str, last: bool) -> Result<CommitReport> {
        self.0.commit(token, last)
    }
}

/// Writes one commit unit to any disk.
pub(crate) struct UnitWriter<D: Disk> {
    style: Style,
    directory: Directory<D>,
    fence: Option<u64>,
    /// As of the last commit.
    state: State,
    streams: BTreeMap<String, Stream<D>>,
    parts: u64,
}

impl<D: Disk> UnitWriter<D> {
    pub(crate) fn open(disk: D, config: DestinationConfig, write: &OpenWrite) -> Result<Self> {
        config.validate()?;
        let directory = Directory::new(disk, &config.directory, &write.unit);
        let (state, parts) = match write.fence {
            Some(fence) => (directory.adopt(fence)?, directory.last_part(fence)?),
            None => (directory.truth()?.unwrap_or_else(State::new), 0),
        };
        let style = Style { dialect: config.dialect()?, config };
        Ok(Self { style, directory, fence: write.fence, state, streams: BTreeMap::new(), parts })
    }

    fn fence(&self) -> Result<u64> {
        self.fence.ok_or_else(|| Error::bug("a writer that was opened without a fence must not write"))
    }

    fn prepare_stream(&mut self, plan: &StreamPlan) -> Result<()> {
        let name = &plan.schema.stream;
        let known = self.state.streams.entry(name.clone()).or_default();
        if plan.mode == Mode::Replace && plan.generation < known.generation {
            return Err(Error::data(format!(
                "stream `{name}`: generation {} comes after generation {}",
                plan.generation, known.generation
            )));
        }
        let starts_anew = plan.mode == Mode::Replace && plan.generation > known.generation;
        if starts_anew {
            known.generation = plan.generation;
            known.complete = false;
        }
        if starts_anew || plan.mode == Mode::Append {
            // What an earlier generation left unfinished is removed as a leftover at the next opening.
            known.pending.clear();
        }
        let stream = self.streams.entry(name.clone()).or_insert_with(|| Stream::new(name, &self.style));
        (stream.mode, stream.generation) = (plan.mode, plan.generation);
        stream.set_fields(&plan.schema.schema.fields, &self.style, &self.directory)
    }

    /// A single CSV file has one header for all rows that it ever gets.
    fn check_header(&self, plan: &StreamPlan, verdict: &mut StreamVerdict) -> Result<()> {
        let config = &self.style.config;
        if !(config.single_file && config.format == Format::Csv && self.style.dialect.header) {
            return Ok(());
        }
        let new_stream = Stream::<D>::new(&plan.schema.stream, &self.style);
        let state = self.state.streams.get(&plan.schema.stream);
        let file = match plan.mode {
            Mode::Replace => pending_file(state, plan.generation),
            _ => Some(new_stream.single_name()).filter(|name| self.directory.disk.exists(name)),
        };
        let open = self.streams.get(&plan.schema.stream).and_then(Stream::header);
        let header = match (open, file) {
            (Some(header), _) => Some(header),
            (None, Some(file)) => self.read_header(&file)?,
            (None, None) => None,
        };
        let Some(header) = header else { return Ok(()) };
        let fields: &[Field] = &plan.schema.schema.fields;
        if !header.iter().eq(fields.iter().map(|field| &field.name)) {
            let why = format!("the single file has the columns `{}` already", header.join("`, `"));
            for field in &mut verdict.fields {
                field.fate = FieldFate::Refused(why.clone());
            }
        }
        Ok(())
    }

    fn read_header(&self, file: &str) -> Result<Option<Vec<String>>> {
        const HEADER_BYTES_MAX: u64 = 1 << 20;
        let failed = |fault| self.directory.explain("reading", file, fault);
        let opened = self.directory.disk.open(file).map_err(failed)?;
        let mut bytes = Vec::new();
        let read = if self.style.config.compression == Some(Compression::Gzip) {
            flate2::read::MultiGzDecoder::new(opened).take(HEADER_BYTES_MAX).read_to_end(&mut bytes)
        } else {
            opened.take(HEADER_BYTES_MAX).read_to_end(&mut bytes)
        };
        read.map_err(failed)?;
        Ok(first_row(&bytes, &self.style.dialect))
    }
}

/// The hidden file that a generation has filled so far.
fn pending_file(state: Option<&StreamState>, generation: u64) -> Option<String> {
    let state = state.filter(|state| state.generation == generation)?;
    state.pending.first().map(|pending| pending.file.clone())
}

impl<D: Disk> UnitWriter<D> {
    pub(crate) fn capabilities(&self) -> Capabilities {
        let mut layouts = Layouts::COLUMNS;
        if self.style.config.format == Format::JsonLines {
            layouts |= Layouts::JSON_LINES;
        }
        Capabilities {
            exactly_once: true,
            transactions: false,
            fences: true,
            late_rejects: false,
            layouts,
            modes: Modes::APPEND | Modes::REPLACE,
            operations: Operations::INSERT | Operations::UPSERT,
        }
    }

    pub(crate) fn committed(&mut self) -> Result<Option<LastCommit>> {
        Ok(self.state.token.clone().map(LastCommit::of_token))
    }

    pub(crate) fn prepare(&mut self, plans: &[StreamPlan], dry_run: bool) -> Result<Vec<StreamVerdict>> {
        let mut verdicts = Vec::with_capacity(plans.len());
        for plan in plans {
            let mut verdict = verdict(plan, self.style.config.format)?;
            self.check_header(plan, &mut verdict)?;
            verdicts.push(verdict);
        }
        if !dry_run {
            self.fence()?;
            plans.iter().try_for_each(|plan| self.prepare_stream(plan))?;
        }
        Ok(verdicts)
    }

    pub(crate) fn write(&mut self, _number: u64, incoming: Incoming<'_>) -> Result<WriteReport> {
        let fence = self.fence()?;
        let unknown = || Error::bug(format!("the stream `{}` was not prepared", incoming.stream()));
        let stream = self.streams.get_mut(incoming.stream()).ok_or_else(unknown)?;
        let state = self.state.streams.get(incoming.stream()).ok_or_else(unknown)?;
        let (parts, hidden) = (&mut self.parts, &self.directory.hidden);
        let new_name = || {
            *parts += 1;
            hidden.part(fence, *parts)
        };
        stream.write(&incoming, &self.style, &self.directory, state, new_name)
    }

    /// What was written is made durable under hidden names; then one rename of the state is the commit; then the names
    /// become visible, which the next opening would do too.
    pub(crate) fn commit(&mut self, token: &str, last: bool) -> Result<CommitReport> {
        let fence = self.fence()?;
        self.directory.check_fence(fence)?;
        let mut state = self.state.clone();
        state.token = Some(token.to_owned());
        (state.renames, state.removes) = (Vec::new(), Vec::new());
        for (name, stream) in &mut self.streams {
            let (parts, hidden) = (&mut self.parts, &self.directory.hidden);
            let new_name = || {
                *parts += 1;
                hidden.part(fence, *parts)
            };
            stream.commit(&self.style, &self.directory, &mut state, name, new_name, last)?;
        }
        state.save(&self.directory, fence)?;
        // A run that took over before the rename has not seen this commit, so nothing of it may become visible. One that
        // takes over later sees it and does the same as we do.
        self.directory.check_fence(fence)?;
        self.directory.publish(&state)?;
        self.state = state;
        Ok(CommitReport { rejected: Vec::new() })
    }
}
