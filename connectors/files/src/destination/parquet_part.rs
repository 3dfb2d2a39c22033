//! A hidden Parquet file that is being written. Rows wait in memory until they fill a row group.

use std::{
    io::{self, Write},
    sync::Arc,
};

use cofferdam_sdk::{ColumnsView, Error, Field, Reject, Result};
use parquet::{
    basic::{Compression as Codec, GzipLevel},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
};

use super::{
    disk::Disk,
    files::Directory,
    parquet_column::{ParquetColumn, schema},
    part::Counted,
};
use crate::config::Compression;

/// Bytes of values after which a row group is written. All of them are in memory at once, so it is far less than the
/// 128 MiB that are usual.
const GROUP_BYTES: usize = 24 << 20;

/// A hidden Parquet file that is being written.
pub(crate) struct ParquetPart<F: Write + Send> {
    pub(crate) name: String,
    writer: SerializedFileWriter<Counted<F>>,
    columns: Vec<ParquetColumn>,
}

impl<F: Write + Send> ParquetPart<F> {
    pub(crate) fn create<D: Disk<File = F>>(
        directory: &Directory<D>,
        name: String,
        fields: &[Field],
        compression: Option<Compression>,
    ) -> Result<Self> {
        let codec = match compression {
            None | Some(Compression::Snappy) => Codec::SNAPPY,
            Some(Compression::Gzip) => Codec::GZIP(GzipLevel::default()),
            Some(Compression::None) => Codec::UNCOMPRESSED,
        };
        let properties = WriterProperties::builder()
            .set_compression(codec)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by("cofferdam".to_owned())
            .build();
        let schema = schema(fields).map_err(|fault| Error::data(format!("`{name}` as Parquet: {fault}")))?;
        let file = Counted { file: directory.create(&name)?, bytes: 0 };
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties));
        let writer = writer.map_err(|fault| failed(directory, &name, fault))?;
        Ok(Self { name, writer, columns: fields.iter().map(ParquetColumn::new).collect::<Result<_>>()? })
    }

    /// Take the rows that are not refused already, and refuse those that Parquet cannot say.
    pub(crate) fn write<D: Disk<File = F>>(
        &mut self,
        directory: &Directory<D>,
        view: &ColumnsView<'_>,
        is_refused: impl Fn(usize) -> bool,
        rejected: &mut Vec<Reject>,
    ) -> Result<()> {
        let found = view.columns().iter().flat_map(ParquetColumn::refused).collect::<Vec<_>>();
        let mut kept = vec![true; view.row_count()];
        for reject in found {
            let row = reject.row as usize;
            if let Some(kept) = kept.get_mut(row).filter(|kept| **kept && !is_refused(row)) {
                *kept = false;
                rejected.push(reject);
            }
        }
        for (row, kept) in kept.iter_mut().enumerate() {
            *kept = *kept && !is_refused(row);
        }
        for (column, view) in self.columns.iter_mut().zip(view.columns()) {
            column.take(view, &kept)?;
        }
        if self.columns.iter().map(ParquetColumn::bytes).sum::<usize>() >= GROUP_BYTES {
            self.write_group().map_err(|fault| failed(directory, &self.name, fault))?;
        }
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.columns.iter().all(|column| column.row_count() == 0) {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let writer = group.next_column()?;
            let mut writer = writer.ok_or_else(|| ParquetError::General("a column too many".to_owned()))?;
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close().map(drop)
    }

    /// Write the rest and the footer; the file outlives the machine's power. Returns how many bytes it has.
    pub(crate) fn finish<D: Disk<File = F>>(mut self, directory: &Directory<D>) -> Result<(String, u64)> {
        self.write_group().map_err(|fault| failed(directory, &self.name, fault))?;
        let file = self.writer.into_inner().map_err(|fault| failed(directory, &self.name, fault))?;
        directory.sync_file(&self.name, &file.file)?;
        Ok((self.name, file.bytes))
    }
}

/// What the disk says comes through as it is; all else is our fault.
fn failed<D: Disk>(directory: &Directory<D>, name: &str, fault: ParquetError) -> Error {
    let fault = match fault {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(fault) => return directory.explain("writing", name, *fault),
            Err(other) => other.to_string(),
        },
        other => other.to_string(),
    };
    Error::bug(format!("writing `{}`: {fault}", directory.path(name)))
}
