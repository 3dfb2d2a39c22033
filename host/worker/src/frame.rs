//! Frames: four bytes of length, little-endian, then a message. What is longer than a cap is not read, and what is no message
//! is an error of its own; memory grows with what has come, never with what was announced.

use serde::{Deserialize, Serialize};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// One page (16 MiB at most, or one row of as much), with its rejects, checkpoint and whatever wraps them, and no more. What
/// may be longer, code and components, is sent in parts.
pub(crate) const FRAME_BYTES_MAX: usize = 40 << 20;
/// Parts of code and components, and pieces of bodies, so that nothing waits behind them for long.
pub(crate) const PART_BYTES: usize = 256 << 10;

/// Why nothing more is to be had from the other side.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("it closed its socket")]
    Closed,
    #[error("its socket failed: {0}")]
    Socket(io::Error),
    #[error("it sent a frame of {bytes} bytes, and at most {FRAME_BYTES_MAX} are allowed")]
    TooLarge { bytes: usize },
    #[error("it sent a frame that is no message: {0}")]
    Malformed(postcard::Error),
    #[error("it broke the protocol: {0}")]
    Protocol(String),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            // Between two frames or within one: there is nobody left.
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                Self::Closed
            }
            _ => Self::Socket(error),
        }
    }
}

/// A message as a frame.
pub(crate) fn encoded<T: Serialize>(message: &T) -> Result<Vec<u8>, Broken> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(Broken::Malformed)?;
    let bytes = frame.len().saturating_sub(4);
    let length = u32::try_from(bytes).ok().filter(|_| bytes <= FRAME_BYTES_MAX);
    let length = length.ok_or(Broken::TooLarge { bytes })?;
    if let Some(head) = frame.first_chunk_mut::<4>() {
        *head = length.to_le_bytes();
    }
    Ok(frame)
}

/// The message of a frame, all of it.
pub(crate) fn decoded<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Broken> {
    let (message, rest) = postcard::take_from_bytes(bytes).map_err(Broken::Malformed)?;
    if rest.is_empty() {
        return Ok(message);
    }
    Err(Broken::Protocol(format!("a frame has {} bytes behind its message", rest.len())))
}

/// The next frame's bytes.
pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Broken> {
    let mut head = [0; 4];
    from.read_exact(&mut head).await?;
    let bytes = length(head)?;
    let mut frame = Vec::new();
    let came = from.take(bytes as u64).read_to_end(&mut frame).await?;
    if came == bytes { Ok(frame) } else { Err(Broken::Closed) }
}

/// As [`read`], where no thread may be started yet.
pub(crate) fn read_blocking(from: &mut impl io::Read) -> Result<Vec<u8>, Broken> {
    let mut head = [0; 4];
    from.read_exact(&mut head)?;
    let bytes = length(head)?;
    let mut frame = Vec::new();
    let came = io::Read::read_to_end(&mut io::Read::take(from, bytes as u64), &mut frame)?;
    if came == bytes { Ok(frame) } else { Err(Broken::Closed) }
}

fn length(head: [u8; 4]) -> Result<usize, Broken> {
    let bytes = usize::try_from(u32::from_le_bytes(head)).unwrap_or(usize::MAX);
    if bytes > FRAME_BYTES_MAX { Err(Broken::TooLarge { bytes }) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::{Broken, FRAME_BYTES_MAX, decoded, encoded, read};

    #[tokio::test]
    async fn what_was_sent_is_read_frame_by_frame() {
        let mut sent = encoded(&("one", 1_u64)).unwrap();
        sent.extend(encoded(&("two", 2_u64)).unwrap());
        let mut from = sent.as_slice();
        for expected in [("one", 1), ("two", 2)] {
            let frame = read(&mut from).await.unwrap();
            assert_eq!(decoded::<(&str, u64)>(&frame).unwrap(), expected);
        }
        assert!(matches!(read(&mut from).await, Err(Broken::Closed)));
    }

    #[tokio::test]
    async fn a_frame_over_the_cap_is_neither_read_nor_sent() {
        let head = u32::try_from(FRAME_BYTES_MAX + 1).unwrap().to_le_bytes();
        assert!(matches!(read(&mut head.as_slice()).await, Err(Broken::TooLarge { .. })));
        let large = serde_bytes::ByteBuf::from(vec![0; FRAME_BYTES_MAX]);
        assert!(matches!(encoded(&large), Err(Broken::TooLarge { .. })));
    }

    #[tokio::test]
    async fn a_frame_that_breaks_off_is_an_end() {
        let whole = encoded(&"a text").unwrap();
        for end in 0..whole.len() {
            assert!(matches!(read(&mut &whole[..end]).await, Err(Broken::Closed)), "{end}");
        }
    }

    #[test]
    fn bytes_behind_a_message_are_refused() {
        assert!(matches!(decoded::<u8>(&[1, 2]), Err(Broken::Protocol(_))));
        assert!(matches!(decoded::<&str>(&[200]), Err(Broken::Malformed(_))));
    }
}
