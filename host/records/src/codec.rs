//! How values become bytes: JSON for what is small and may grow fields, a compact form for row errors, compressed where it
//! is worth it.

use crate::error::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use storage::Table;

/// Values shorter than this are not worth compressing.
const COMPRESS_FROM: usize = 1 << 10;
/// Fast: rows are compressed while a run waits for it. Level 3 takes twice as long for a tenth less.
const LEVEL: i32 = 1;
/// What a value may be when it is unpacked: storage keeps up to 64 MiB, and texts shrink to an eighth and less.
const UNPACKED_BYTES_MAX: usize = 1 << 30;

const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// As JSON, packed.
pub(crate) fn to_json<T: Serialize>(table: Table, value: &T) -> Result<Vec<u8>, Error> {
    let json = serde_json::to_vec(value).map_err(|error| unreadable(table, &error))?;
    pack(table, &json)
}

pub(crate) fn from_json<T: DeserializeOwned>(table: Table, bytes: &[u8]) -> Result<T, Error> {
    let json = unpack(table, bytes)?;
    serde_json::from_slice(&json).map_err(|error| unreadable(table, &error))
}

/// In the compact form, packed.
pub(crate) fn to_compact<T: Serialize>(table: Table, value: &T) -> Result<Vec<u8>, Error> {
    let compact = postcard::to_stdvec(value).map_err(|error| unreadable(table, &error))?;
    pack(table, &compact)
}

pub(crate) fn from_compact<T: DeserializeOwned>(table: Table, bytes: &[u8]) -> Result<T, Error> {
    let compact = unpack(table, bytes)?;
    postcard::from_bytes(&compact).map_err(|error| unreadable(table, &error))
}

/// `form u8 (0 as it is, 1 zstd) | bytes`.
pub(crate) fn pack(table: Table, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    if bytes.len() < COMPRESS_FROM { Ok(plain(bytes)) } else { Packer::new(table)?.pack(bytes) }
}

/// Packs one value after the other with one set of tables, which take as long to make as a small value to compress.
pub(crate) struct Packer {
    table: Table,
    compressor: zstd::bulk::Compressor<'static>,
}

impl Packer {
    pub(crate) fn new(table: Table) -> Result<Self, Error> {
        let compressor = zstd::bulk::Compressor::new(LEVEL).map_err(|error| unreadable(table, &error))?;
        Ok(Self { table, compressor })
    }

    pub(crate) fn pack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        if bytes.len() >= COMPRESS_FROM {
            let failed = |error: std::io::Error| unreadable(self.table, &error);
            let mut packed = vec![COMPRESSED];
            packed.extend(self.compressor.compress(bytes).map_err(failed)?);
            if packed.len() <= bytes.len() {
                return Ok(packed);
            }
        }
        Ok(plain(bytes))
    }
}

fn plain(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 1);
    packed.push(PLAIN);
    packed.extend_from_slice(bytes);
    packed
}

pub(crate) fn unpack(table: Table, packed: &[u8]) -> Result<Vec<u8>, Error> {
    match packed.split_first() {
        Some((&PLAIN, bytes)) => Ok(bytes.to_vec()),
        Some((&COMPRESSED, bytes)) => {
            let known = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten();
            let size = known.and_then(|size| usize::try_from(size).ok()).unwrap_or(UNPACKED_BYTES_MAX);
            zstd::bulk::decompress(bytes, size.min(UNPACKED_BYTES_MAX))
                .map_err(|error| unreadable(table, &error))
        }
        Some((form, _)) => Err(unreadable(table, &format!("unknown form {form}"))),
        None => Err(unreadable(table, &"it is empty")),
    }
}

pub(crate) fn unreadable(table: Table, message: &dyn std::fmt::Display) -> Error {
    Error::Unreadable { table: table.name.into(), message: message.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{from_compact, from_json, pack, to_compact, to_json, unpack};
    use crate::tables::LOGS;

    #[test]
    fn what_is_packed_comes_back_and_texts_shrink() {
        let long = "line of a log\n".repeat(1_000);
        for text in ["", "short", long.as_str()] {
            assert_eq!(unpack(LOGS, &pack(LOGS, text.as_bytes()).unwrap()).unwrap(), text.as_bytes());
            assert_eq!(from_json::<String>(LOGS, &to_json(LOGS, &text).unwrap()).unwrap(), text);
            assert_eq!(from_compact::<String>(LOGS, &to_compact(LOGS, &text).unwrap()).unwrap(), text);
        }
        assert!(pack(LOGS, long.as_bytes()).unwrap().len() < long.len() / 20);
    }

    #[test]
    fn what_is_no_value_of_ours_is_told_with_its_table() {
        for bytes in [&[][..], &[2, 0], &[1, 0, 0], &[0, b'{']] {
            let error = from_json::<u64>(LOGS, bytes).unwrap_err();
            assert!(error.to_string().contains("run_logs"), "{error}");
            assert_eq!(error.code(), "CD1050");
        }
    }
}
