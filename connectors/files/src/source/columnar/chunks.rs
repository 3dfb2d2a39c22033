//! A file as the Parquet reader wants it: any range at any time. One handle serves all, for a handle costs a descriptor
//! and cannot be duplicated in a component.

use std::{
    fs::File,
    io::{Read, Result as IoResult, Seek, SeekFrom},
    sync::{Arc, Mutex, PoisonError},
};

use parquet::{
    errors::Result,
    file::reader::{ChunkReader, Length},
};

/// Bytes that are read at once where only a few are asked for.
const READ_BYTES: usize = 16 << 10;

#[derive(Clone)]
pub(crate) struct Chunks {
    file: Arc<Mutex<File>>,
    length: u64,
}

impl Chunks {
    pub(crate) fn new(file: File, length: u64) -> Self {
        Self { file: Arc::new(Mutex::new(file)), length }
    }

    fn read_at(&self, start: u64, buffer: &mut [u8]) -> IoResult<usize> {
        // Each read seeks first, so a poisoned lock spoils nothing.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        let mut count = 0;
        while let Some(rest) = buffer.get_mut(count..).filter(|rest| !rest.is_empty()) {
            match file.read(rest)? {
                0 => break,
                read => count += read,
            }
        }
        Ok(count)
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Chunks {
    type T = Range;

    fn get_read(&self, start: u64) -> Result<Range> {
        Ok(Range { chunks: self.clone(), next: start, buffer: Vec::new(), used: 0 })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<bytes::Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.length);
        if end.is_none() {
            return Err(parquet::errors::ParquetError::EOF(format!("no {length} bytes at byte {start}")));
        }
        let mut bytes = vec![0; length];
        if self.read_at(start, &mut bytes)? < length {
            return Err(parquet::errors::ParquetError::EOF(format!(
                "the file ends within {length} bytes at {start}"
            )));
        }
        Ok(bytes.into())
    }
}

/// Reads on from one place, whatever others read in between.
pub(crate) struct Range {
    chunks: Chunks,
    next: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl Read for Range {
    fn read(&mut self, into: &mut [u8]) -> IoResult<usize> {
        if self.used == self.buffer.len() {
            self.buffer.resize(READ_BYTES, 0);
            let count = self.chunks.read_at(self.next, &mut self.buffer)?;
            self.buffer.truncate(count);
            (self.next, self.used) = (self.next + count as u64, 0);
        }
        let rest = self.buffer.get(self.used..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.used += count;
        Ok(count)
    }
}
