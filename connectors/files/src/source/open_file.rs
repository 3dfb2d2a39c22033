//! One file that is being read.

use cofferdam_sdk::{Error, Result};

use super::{
    columnar::{ParquetFile, ParquetRows},
    csv::CsvRows,
    csv_file::CsvFile,
    json::JsonRows,
    json_file::JsonFile,
    mark::Mark,
    partitions,
    rows::{Constants, Place, Rows, Targets},
    shape::{Fields, StreamField, sample},
    streams::{StreamFiles, is_gzip},
};
use crate::{
    config::{Format, SourceConfig},
    input::{ByteStream, Fingerprint, Snapshot},
};

/// One file that is being read.
pub(crate) struct OpenFile {
    /// Its path below the root of the stream.
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) snapshot: Snapshot,
    pub(crate) rows: Rows,
    pub(crate) constants: Constants,
    gzip: bool,
}

/// Columns of the stream that a file does not have are null in all of its rows.
fn add_missing(constants: &mut Constants, plan: &[Option<usize>], targets: &Targets) {
    let is_given =
        |place: &usize| plan.contains(&Some(*place)) || constants.iter().any(|(given, _)| given == place);
    let missing: Vec<usize> = (0..targets.names.len()).filter(|place| !is_given(place)).collect();
    constants.extend(missing.into_iter().map(|place| (place, None)));
}

/// The files of one stream agree on the types of their columns.
fn check_types(file: &ParquetFile, plan: &[Option<usize>], targets: &Targets) -> Result<()> {
    for (field, place) in file.fields.iter().zip(plan) {
        let wanted = place.and_then(|place| targets.kinds.get(place));
        if let Some(wanted) = wanted.filter(|wanted| **wanted != field.kind) {
            return Err(Error::data(format!(
                "`{}`: the column `{}` is {}, in the files before it is {wanted}",
                file.path, field.name, field.kind
            )));
        }
    }
    Ok(())
}

impl OpenFile {
    /// Open a file. Beside it come the columns that it has and the stream has not; if there are any, the file must be
    /// opened again once the stream has them.
    pub(crate) fn open(
        config: &SourceConfig,
        stream: &StreamFiles,
        name: &str,
        targets: &Targets,
    ) -> Result<(Self, Vec<StreamField>)> {
        let (path, gzip) = (stream.path(name), is_gzip(config, name));
        let mut constants = Constants::new();
        if config.partitions {
            for (name, value) in partitions::values(name)? {
                constants.extend(targets.place(&name).map(|place| (place, value)));
            }
        }
        let mut new = Vec::new();
        let (snapshot, rows) = match stream.format {
            Format::Csv => {
                let file = CsvFile::open(&path, gzip, config.dialect(name)?)?;
                let plan: Vec<Option<usize>> = file.names.iter().map(|name| targets.place(name)).collect();
                if targets.wants_new && plan.contains(&None) {
                    let mut fields = Fields::default();
                    sample(config, stream, name, &mut fields)?;
                    let fields = fields.kinds(config).into_iter();
                    new.extend(fields.filter(|field| targets.place(&field.name).is_none()));
                }
                add_missing(&mut constants, &plan, targets);
                (file.window.stream().snapshot(), Rows::Csv(Box::new(CsvRows::new(file, plan))))
            }
            Format::JsonLines => {
                let file = JsonFile::open(&path, gzip)?;
                let snapshot = file.window.stream().snapshot();
                (snapshot, Rows::Json(Box::new(JsonRows::new(file, config.infer_rows > 0))))
            }
            Format::Parquet => {
                let file = ParquetFile::open(config, &path)?;
                let plan: Vec<Option<usize>> =
                    file.fields.iter().map(|field| targets.place(&field.name)).collect();
                check_types(&file, &plan, targets)?;
                if targets.wants_new {
                    let unknown = file.fields.iter().zip(&plan).filter(|(_, place)| place.is_none());
                    new.extend(unknown.map(|(field, _)| StreamField::of(field)));
                }
                add_missing(&mut constants, &plan, targets);
                (file.snapshot, Rows::Parquet(Box::new(ParquetRows::new(file, plan))))
            }
        };
        Ok((Self { name: name.to_owned(), path, snapshot, rows, constants, gzip }, new))
    }

    /// Go on where an earlier reader ended, in a file that is longer now. A last row that was rejected because it was not
    /// whole is read again, and so is one that has grown itself.
    pub(crate) fn go_on_after_growth(&mut self, place: Place) -> Result<()> {
        let place = match place {
            Place::Bytes { offset, open_row: Some(row), .. } if !row.taken || !self.row_ended(offset)? => {
                Place::line_start(row.offset, row.line)
            }
            place => place,
        };
        self.rows.go_to(place)
    }

    /// Whether the last row that was read, whose line had no end, stayed as it was when the file grew.
    fn row_ended(&self, offset: u64) -> Result<bool> {
        let mut stream = ByteStream::open(&self.path, self.gzip)?;
        stream.skip_to(offset)?;
        let mut next = [0];
        Ok(stream.read(&mut next)? == 0 || matches!(next, [b'\n' | b'\r']))
    }

    /// How far the file was read.
    pub(crate) fn mark(&self, done: bool) -> Result<Mark> {
        let next = self.rows.place();
        let length = match next {
            _ if done => self.snapshot.size,
            Place::Bytes { offset, .. } if !self.gzip => offset,
            Place::Bytes { .. } => self.rows.raw_offset(),
            Place::Rows { .. } => self.snapshot.size,
        };
        let read = Fingerprint::of(&self.path, length);
        // Of a file that is gone the change is told, and not what failed because of it.
        let read = read.or_else(|fault| self.snapshot.verify(&self.path, true).and(Err(fault)))?;
        Ok(Mark { size: self.snapshot.size, modified: self.snapshot.modified, read, next, done })
    }
}
