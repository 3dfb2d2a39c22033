//! Reads the files of one stream, one after the other.

use cofferdam_sdk::{Budget, Error, OpenRead, Reader, Result, Step, StreamSchema};

use super::{
    draft::Draft,
    mark::{self, Mark, Marks, Plan},
    open_file::OpenFile,
    rows::{Context, Filled, Targets},
    shape::{Shape, StreamField},
    streams::{StreamFiles, streams},
};
use crate::{
    config::{Format, SourceConfig},
    input::Snapshot,
};

/// A page carries a checkpoint once the rows since the last one are so many times as large as it: marks of many files
/// would otherwise be most of what is moved.
const CHECKPOINT_SHARE: u64 = 4;

/// Reads the files of one stream.
pub struct FilesReader {
    config: SourceConfig,
    stream: StreamFiles,
    shape: Shape,
    /// The fields that were asked for; none: all, also those that come up later.
    selected: Option<Vec<String>>,
    targets: Targets,
    schema: StreamSchema,
    /// The schema has changed and the host does not know yet.
    change_is_due: bool,
    marks: Marks,
    next_file: usize,
    open: Option<OpenFile>,
    /// Why nothing can be read after the page before.
    failed: Option<Error>,
    rows_left: u64,
    /// Bytes of files that were consumed since the last checkpoint, and its size.
    unmarked_bytes: u64,
    checkpoint_bytes: u64,
    /// Marks have changed since the last checkpoint.
    is_unmarked: bool,
}

impl FilesReader {
    pub(crate) fn open(config: SourceConfig, read: &OpenRead) -> Result<Self> {
        config.validate()?;
        let unknown = || Error::data(format!("there are no files of the stream `{}`", read.group));
        let stream =
            streams(&config)?.into_iter().find(|stream| stream.name == read.group).ok_or_else(unknown)?;
        let shape = Shape::of(&config, &stream)?;
        let known = mark::read(read.checkpoint.as_ref())?;
        // Files that are gone need no mark any more.
        let marks = known.into_iter().filter(|(name, _)| stream.files.iter().any(|file| file.name == *name));
        let marks = marks.collect();
        let selection = read.selection(&stream.name);
        let selected = selection.and_then(|selection| selection.fields.clone());
        let targets = targets(&shape, selected.as_deref())?;
        Ok(Self {
            schema: shape.schema(&stream.name, 1),
            config,
            shape,
            selected,
            targets,
            change_is_due: false,
            marks,
            next_file: 0,
            open: None,
            failed: None,
            rows_left: selection.and_then(|selection| selection.limit).unwrap_or(u64::MAX),
            unmarked_bytes: 0,
            checkpoint_bytes: 0,
            is_unmarked: false,
            stream,
        })
    }

    /// Fill the page from as many files as it takes. True: there are no more files.
    fn fill(&mut self, draft: &mut Draft) -> Result<bool> {
        loop {
            if self.open.is_none() && !self.open_next()? {
                return Ok(true);
            }
            if self.change_is_due {
                return Ok(false);
            }
            let Some(file) = &mut self.open else { return Ok(true) };
            let context = Context {
                stream: &self.stream.name,
                targets: &self.targets,
                constants: &file.constants,
                growing: self.config.growing,
            };
            match file.rows.fill(draft, &context)? {
                Filled::Full => return Ok(self.rows_left <= draft.row_count() as u64),
                Filled::NewFields(fields) => {
                    self.change_schema(fields)?;
                    return Ok(false);
                }
                Filled::End => self.close()?,
            }
        }
    }

    /// Open the next file that has something to read. False: there is none.
    fn open_next(&mut self) -> Result<bool> {
        while let Some(found) = self.stream.files.get(self.next_file) {
            self.next_file += 1;
            let (name, path) = (found.name.clone(), self.stream.path(&found.name));
            let plan = match self.marks.get(&name) {
                Some(mark) => {
                    mark.plan(&path, Snapshot::of(&path)?, self.stream.format != Format::Parquet)?
                }
                None => Plan::Start,
            };
            if plan == Plan::Skip {
                continue;
            }
            if plan == Plan::Restart {
                log::warn!("`{path}` was written anew: it is read again from its start");
                self.marks.remove(&name);
            }
            let (file, new) = OpenFile::open(&self.config, &self.stream, &name, &self.targets)?;
            if !new.is_empty() {
                self.change_schema(new)?;
                self.next_file -= 1;
                return Ok(true);
            }
            let file = self.open.insert(file);
            match plan {
                Plan::Resume(place) => file.rows.go_to(place)?,
                Plan::Grown(place) => file.go_on_after_growth(place)?,
                _ => {}
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// The file has been read: it must still be the one that was opened.
    fn close(&mut self) -> Result<()> {
        let Some(file) = self.open.take() else { return Ok(()) };
        file.snapshot.verify(&file.path, self.config.growing)?;
        let mark = file.mark(true)?;
        self.marks.insert(file.name, mark);
        self.is_unmarked = true;
        Ok(())
    }

    fn change_schema(&mut self, fields: Vec<StreamField>) -> Result<()> {
        for field in fields {
            let kind = self.config.columns.get(&field.name).copied().unwrap_or(field.kind);
            self.shape.fields.push(StreamField { kind, ..field });
        }
        self.targets = targets(&self.shape, self.selected.as_deref())?;
        self.schema = self.shape.schema(&self.stream.name, self.schema.version + 1);
        self.change_is_due = true;
        Ok(())
    }

    /// The checkpoint, if it is time for one.
    fn checkpoint(&mut self, draft: &Draft, at_end: bool) -> Result<Option<String>> {
        self.unmarked_bytes += draft.consumed();
        let is_time = self.unmarked_bytes >= CHECKPOINT_SHARE * self.checkpoint_bytes;
        if !(at_end || is_time) {
            return Ok(None);
        }
        if let Some(file) = &self.open {
            let mark: Mark = file.mark(false)?;
            self.marks.insert(file.name.clone(), mark);
        }
        let json = mark::write(&self.marks)?;
        (self.unmarked_bytes, self.checkpoint_bytes) = (0, json.len() as u64);
        self.is_unmarked = false;
        Ok(Some(json))
    }
}

impl Reader for FilesReader {
    fn next(&mut self, budget: &Budget) -> Result<Step> {
        if std::mem::take(&mut self.change_is_due) {
            return Ok(Step::SchemaChanged(vec![self.schema.clone()]));
        }
        if let Some(fault) = self.failed.take() {
            return Err(fault);
        }
        if self.rows_left == 0 {
            return Ok(Step::End);
        }
        // The rows of this page are laid out by the schema that is known now.
        let schema = self.schema.clone();
        let mut draft = Draft::new(&self.targets.kinds, budget, self.rows_left);
        let at_end = match self.fill(&mut draft) {
            // A file that breaks off spoils nothing that stands before; of one that changes, nobody knows.
            Err(fault @ Error::Data(_)) if !draft.is_empty() => {
                self.failed = Some(fault);
                false
            }
            filled => filled?,
        };
        if draft.is_empty() && self.change_is_due {
            return self.next(budget);
        }
        if draft.is_empty() && at_end && !self.is_unmarked {
            return Ok(Step::End);
        }
        self.rows_left -= draft.row_count() as u64;
        let checkpoint = self.checkpoint(&draft, at_end)?;
        Ok(Step::Page(draft.finish(&schema, checkpoint)))
    }
}

/// The columns of the pages: the selected fields in their order, or all.
fn targets(shape: &Shape, selected: Option<&[String]>) -> Result<Targets> {
    let Some(selected) = selected else { return Ok(Targets::new(&shape.fields, true)) };
    let field = |name: &String| {
        let found = shape.fields.iter().find(|field| field.name == *name);
        found.ok_or_else(|| Error::data(format!("there is no field `{name}`")))
    };
    Ok(Targets::new(selected.iter().map(field).collect::<Result<Vec<_>>>()?, false))
}
