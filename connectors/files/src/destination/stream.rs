//! One stream that is being written.

use cofferdam_sdk::{
    Error, Field, Incoming, Mode, Operation, Reject, Result, RowOperations, Rows, WriteReport,
};

use super::{
    csv,
    disk::Disk,
    files::Directory,
    json_lines, names,
    parquet_part::ParquetPart,
    part::Part,
    state::{FileRun, Pending, State, StreamState},
};
use crate::config::{Compression, DestinationConfig, Dialect, Format};

/// How files are written; the same for all streams.
#[derive(Debug)]
pub(crate) struct Style {
    pub(crate) config: DestinationConfig,
    pub(crate) dialect: Dialect,
}

impl Style {
    fn is_gzip(&self) -> bool {
        self.config.compression == Some(Compression::Gzip)
    }
}

/// The hidden file that is being written.
enum Open<F: std::io::Write + Send> {
    Text(Part<F>),
    Parquet(Box<ParquetPart<F>>),
}

/// One stream that is being written.
pub(crate) struct Stream<D: Disk> {
    pub(crate) mode: Mode,
    pub(crate) generation: u64,
    base: String,
    ending: &'static str,
    /// Of the rows that come now.
    fields: Vec<Field>,
    open: Option<Open<D::File>>,
    /// Hidden files that are whole and not yet committed.
    finished: Vec<Pending>,
}

impl<D: Disk> Stream<D> {
    pub(crate) fn new(name: &str, style: &Style) -> Self {
        Self {
            mode: Mode::Append,
            generation: 0,
            base: names::base(&style.config.name, name),
            ending: names::ending(&style.config),
            fields: Vec::new(),
            open: None,
            finished: Vec::new(),
        }
    }

    /// The only file of the stream.
    pub(crate) fn single_name(&self) -> String {
        FileRun::name(&self.base, self.ending, 0)
    }

    /// The header of the file that is being written.
    pub(crate) fn header(&self) -> Option<Vec<String>> {
        self.open.as_ref().map(|_| self.fields.iter().map(|field| field.name.clone()).collect())
    }

    /// From now on rows have these fields. A file whose rows must all have the same ones ends here.
    pub(crate) fn set_fields(
        &mut self,
        fields: &[Field],
        style: &Style,
        directory: &Directory<D>,
    ) -> Result<()> {
        if self.fields != fields && style.config.format != Format::JsonLines {
            self.finish_part(directory)?;
        }
        self.fields = fields.to_vec();
        Ok(())
    }

    pub(crate) fn write(
        &mut self,
        incoming: &Incoming<'_>,
        style: &Style,
        directory: &Directory<D>,
        state: &StreamState,
        new_name: impl FnOnce() -> String,
    ) -> Result<WriteReport> {
        let mut rejected = refused_operations(&incoming.batch.operations, incoming.row_count());
        if rejected.len() == incoming.row_count() as usize {
            return Ok(WriteReport { rejected });
        }
        if self.open.is_none() {
            self.open_part(style, directory, state, new_name())?;
        }
        let refused: Vec<u32> = rejected.iter().map(|reject| reject.row).collect();
        let is_refused = |row: usize| {
            !refused.is_empty() && u32::try_from(row).is_ok_and(|row| refused.binary_search(&row).is_ok())
        };
        let part = match &mut self.open {
            None => return Err(Error::bug("no file is open")),
            Some(Open::Parquet(part)) => {
                part.write(directory, &incoming.columns()?, is_refused, &mut rejected)?;
                return Ok(WriteReport { rejected });
            }
            Some(Open::Text(part)) => part,
        };
        match (&incoming.batch.rows, style.config.format) {
            (Rows::JsonLines(lines), _) => {
                json_lines::write_lines(&mut part.buffer, lines, is_refused, &mut rejected);
            }
            (Rows::Columns(_), Format::Csv) => {
                let view = incoming.columns()?;
                csv::write_columns(&mut part.buffer, &view, &style.dialect, is_refused, &mut rejected)?;
            }
            (Rows::Columns(_), _) => {
                json_lines::write_columns(&mut part.buffer, &incoming.columns()?, is_refused, &mut rejected)?;
            }
        }
        part.drain(directory)?;
        Ok(WriteReport { rejected })
    }

    /// Begin a hidden file. One that shall stay the only one of its stream begins with what is there.
    fn open_part(
        &mut self,
        style: &Style,
        directory: &Directory<D>,
        state: &StreamState,
        name: String,
    ) -> Result<()> {
        if style.config.format == Format::Parquet {
            let part = ParquetPart::create(directory, name, &self.fields, style.config.compression)?;
            self.open = Some(Open::Parquet(Box::new(part)));
            return Ok(());
        }
        let mut part = Part::create(directory, name, style.is_gzip())?;
        if style.config.single_file {
            let visible = self.single_name();
            match self.mode {
                Mode::Append if directory.disk.exists(&visible) => {
                    part.copy_from(directory, &visible, u64::MAX)?
                }
                // More rows of a generation that others see already.
                Mode::Replace if state.complete => part.copy_from(directory, &visible, u64::MAX)?,
                Mode::Replace => {
                    for pending in &state.pending {
                        part.copy_from(directory, &pending.file, pending.bytes)?;
                    }
                }
                _ => {}
            }
        }
        if style.config.format == Format::Csv && style.dialect.header && !part.has_content() {
            csv::write_header(&mut part.buffer, &self.fields, &style.dialect)
                .map_err(|fault| Error::data(format!("the header of `{}`: {}", self.base, fault.what)))?;
        }
        self.open = Some(Open::Text(part));
        Ok(())
    }

    fn finish_part(&mut self, directory: &Directory<D>) -> Result<()> {
        let (file, bytes) = match self.open.take() {
            None => return Ok(()),
            Some(Open::Parquet(part)) => part.finish(directory)?,
            Some(Open::Text(mut part)) => {
                let bytes = part.settle(directory)?;
                (part.name, bytes)
            }
        };
        self.finished.push(Pending { file, bytes });
        Ok(())
    }

    /// Make durable what was written, and write down in `state` what is to become of it.
    pub(crate) fn commit(
        &mut self,
        style: &Style,
        directory: &Directory<D>,
        state: &mut State,
        name: &str,
        new_name: impl FnOnce() -> String,
        last: bool,
    ) -> Result<()> {
        let mut of_stream = state.streams.remove(name).unwrap_or_default();
        if self.mode == Mode::Replace {
            self.commit_replace(style, directory, state, &mut of_stream, new_name, last)?;
        } else {
            self.finish_part(directory)?;
            let files = std::mem::take(&mut self.finished);
            self.publish(style, directory, state, &mut of_stream, files);
        }
        state.streams.insert(name.to_owned(), of_stream);
        Ok(())
    }

    fn commit_replace(
        &mut self,
        style: &Style,
        directory: &Directory<D>,
        state: &mut State,
        of_stream: &mut StreamState,
        new_name: impl FnOnce() -> String,
        last: bool,
    ) -> Result<()> {
        let single = style.config.single_file;
        if last && single && self.open.is_none() {
            // Also a generation without rows takes the place of the one before.
            self.open_part(style, directory, of_stream, new_name())?;
        }
        if single {
            // One file goes on over all commits of the generation.
            if let Some(Open::Text(part)) = &mut self.open {
                let bytes = part.settle(directory)?;
                of_stream.pending = vec![Pending { file: part.name.clone(), bytes }];
            }
        } else {
            self.finish_part(directory)?;
            of_stream.pending.append(&mut self.finished);
        }
        if last {
            self.open = None;
            let before: Vec<FileRun> =
                if of_stream.complete { Vec::new() } else { std::mem::take(&mut of_stream.visible) };
            let files = std::mem::take(&mut of_stream.pending);
            self.publish(style, directory, state, of_stream, files);
            let now: Vec<String> = of_stream.visible.iter().flat_map(FileRun::names).collect();
            let old = before.iter().flat_map(FileRun::names).filter(|name| !now.contains(name));
            state.removes.extend(old);
            of_stream.complete = true;
        }
        Ok(())
    }

    /// These files shall be seen.
    fn publish(
        &self,
        style: &Style,
        directory: &Directory<D>,
        state: &mut State,
        of_stream: &mut StreamState,
        files: Vec<Pending>,
    ) {
        for file in files {
            let mut number = 0;
            if !style.config.single_file {
                number = of_stream.number + 1;
                // Somebody else's files stay.
                while directory.disk.exists(&FileRun::name(&self.base, self.ending, number)) {
                    number += 1;
                }
                of_stream.number = number;
            }
            state.renames.push((file.file, FileRun::name(&self.base, self.ending, number)));
            of_stream.add_visible(&self.base, self.ending, number);
        }
    }
}

/// Rows that ask for what files cannot do.
fn refused_operations(operations: &RowOperations, rows: u32) -> Vec<Reject> {
    let refused = |row: u32| {
        let what = match operations.get(row)? {
            Operation::Insert | Operation::Upsert => return None,
            Operation::Update => "update",
            Operation::Delete => "delete",
        };
        let message = format!("files cannot {what} rows that are written already");
        Some(Reject::new(row, "operation_not_supported", message))
    };
    match operations {
        RowOperations::All(Operation::Insert | Operation::Upsert) => Vec::new(),
        _ => (0..rows).filter_map(refused).collect(),
    }
}
