//! Undoes one layer of content encoding while the body streams, in bounded memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder,
};
use async_compression::zstd::DParameter;
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncBufRead, AsyncRead};
use tokio_util::io::{StreamReader, poll_read_buf};

use crate::download::Wire;
use crate::{Error, Result};

/// Decoded bytes handed over at once.
const PART_BYTES: usize = 32 << 10;
/// RFC 9659: a window of 8 MiB is all that a zstd content encoding may ask for.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// First seven bits of a brotli stream with a large window, up to 1 GiB: not part of the `br` encoding.
const BROTLI_LARGE_WINDOW: u8 = 0x11;

type Reader = StreamReader<Wire, Bytes>;

/// An encoding that the host undoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Brotli,
    Zstd,
    Deflate,
}

impl Coding {
    pub(crate) fn parse(token: &str) -> Option<Self> {
        match token.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            "deflate" => Some(Self::Deflate),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
        }
    }
}

/// A body that is being decoded.
pub(crate) struct Decoder {
    coding: Coding,
    stage: Stage,
    part: BytesMut,
}

enum Stage {
    /// Nothing has come yet; an empty body needs no decoder.
    Start(Reader),
    Gzip(GzipDecoder<Reader>),
    Brotli(Box<BrotliDecoder<Reader>>),
    Zstd(ZstdDecoder<Reader>),
    Zlib(ZlibDecoder<Reader>),
    /// Some servers say `deflate` and leave the zlib frame away.
    Raw(DeflateDecoder<Reader>),
    /// The encoded stream has ended; the body must too.
    Tail(Reader),
    Broken,
}

impl Decoder {
    pub(crate) fn new(coding: Coding, wire: Wire) -> Self {
        Self { coding, stage: Stage::Start(StreamReader::new(wire)), part: BytesMut::new() }
    }

    /// The body as it is sent, once it has ended.
    pub(crate) fn wire(&mut self) -> Option<&mut Wire> {
        match &mut self.stage {
            Stage::Start(reader) | Stage::Tail(reader) => Some(reader.get_mut()),
            Stage::Gzip(decoder) => Some(decoder.get_mut().get_mut()),
            Stage::Brotli(decoder) => Some(decoder.get_mut().get_mut()),
            Stage::Zstd(decoder) => Some(decoder.get_mut().get_mut()),
            Stage::Zlib(decoder) => Some(decoder.get_mut().get_mut()),
            Stage::Raw(decoder) => Some(decoder.get_mut().get_mut()),
            Stage::Broken => None,
        }
    }

    /// The next decoded part.
    pub(crate) fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes>>> {
        loop {
            let outcome = match &mut self.stage {
                Stage::Start(reader) => ready!(poll_start(reader, context)).map(Step::Begin),
                Stage::Tail(reader) => ready!(poll_start(reader, context)).map(Step::Finish),
                Stage::Gzip(decoder) => ready!(poll_decoder(decoder, &mut self.part, context)),
                Stage::Brotli(decoder) => ready!(poll_decoder(decoder.as_mut(), &mut self.part, context)),
                Stage::Zstd(decoder) => ready!(poll_decoder(decoder, &mut self.part, context)),
                Stage::Zlib(decoder) => ready!(poll_decoder(decoder, &mut self.part, context)),
                Stage::Raw(decoder) => ready!(poll_decoder(decoder, &mut self.part, context)),
                Stage::Broken => return Poll::Ready(None),
            };
            match outcome {
                Ok(Step::Part(part)) => return Poll::Ready(Some(Ok(part))),
                Ok(Step::Begin(None)) | Ok(Step::Finish(None)) => return Poll::Ready(None),
                Ok(Step::Begin(Some(first))) => {
                    if let Err(error) = self.begin(first) {
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Ok(Step::Decoded) => self.tail(),
                Ok(Step::Finish(Some(_))) => {
                    return Poll::Ready(Some(Err(self.refuse("bytes follow the end"))));
                }
                Err(error) => return Poll::Ready(Some(Err(self.error(error)))),
            }
        }
    }

    /// Chooses the decoder by the encoding and the first byte.
    fn begin(&mut self, first: u8) -> Result<()> {
        if self.coding == Coding::Brotli && first & 0x7f == BROTLI_LARGE_WINDOW {
            return Err(self.refuse("its window is larger than the encoding allows"));
        }
        let Stage::Start(reader) = std::mem::replace(&mut self.stage, Stage::Broken) else { return Ok(()) };
        self.stage = match self.coding {
            Coding::Gzip => {
                let mut decoder = GzipDecoder::new(reader);
                decoder.multiple_members(true);
                Stage::Gzip(decoder)
            }
            Coding::Brotli => Stage::Brotli(Box::new(BrotliDecoder::new(reader))),
            Coding::Zstd => {
                let window = DParameter::window_log_max(ZSTD_WINDOW_LOG_MAX);
                let mut decoder = ZstdDecoder::with_params(reader, &[window]);
                decoder.multiple_members(true);
                Stage::Zstd(decoder)
            }
            // The low half of a zlib frame's first byte is 8; a raw stream that begins so is malformed.
            Coding::Deflate if first & 0x0f == 8 => Stage::Zlib(ZlibDecoder::new(reader)),
            Coding::Deflate => Stage::Raw(DeflateDecoder::new(reader)),
        };
        Ok(())
    }

    fn tail(&mut self) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Broken) {
            Stage::Gzip(decoder) => Stage::Tail(decoder.into_inner()),
            Stage::Brotli(decoder) => Stage::Tail(decoder.into_inner()),
            Stage::Zstd(decoder) => Stage::Tail(decoder.into_inner()),
            Stage::Zlib(decoder) => Stage::Tail(decoder.into_inner()),
            Stage::Raw(decoder) => Stage::Tail(decoder.into_inner()),
            other => other,
        };
    }

    fn refuse(&self, problem: &'static str) -> Error {
        Error::Decode { encoding: self.coding.name(), source: io::Error::other(problem) }
    }

    /// Our own errors come back through the decoder as they were; the rest are the decoder's.
    fn error(&mut self, error: io::Error) -> Error {
        match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(source) => match self.wire() {
                // A decoder that wants more than there is says so in many ways.
                Some(wire) if wire.has_ended() => Error::BodyEndedEarly { received: wire.received(), source },
                _ => Error::Decode { encoding: self.coding.name(), source },
            },
        }
    }
}

enum Step {
    Begin(Option<u8>),
    Part(Bytes),
    Decoded,
    Finish(Option<u8>),
}

/// The first byte that has not been read, or none at the end.
fn poll_start(reader: &mut Reader, context: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
    let bytes = ready!(Pin::new(reader).poll_fill_buf(context))?;
    Poll::Ready(Ok(bytes.first().copied()))
}

fn poll_decoder<R: AsyncRead + Unpin>(
    decoder: &mut R,
    part: &mut BytesMut,
    context: &mut Context<'_>,
) -> Poll<io::Result<Step>> {
    if part.capacity() == 0 {
        part.reserve(PART_BYTES);
    }
    let read = ready!(poll_read_buf(Pin::new(decoder), context, part))?;
    Poll::Ready(Ok(if read == 0 { Step::Decoded } else { Step::Part(part.split().freeze()) }))
}
