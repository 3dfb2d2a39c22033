//! Finds secrets in what goes past, however they are spelled, and blanks them.
//!
//! The second wall around credentials: the first is that a connector never holds one. [`Watch`] knows the secrets of one
//! connection while it runs and counts what was found; [`Scrubber`] looks for them; [`Stream`] does so in what comes in
//! pieces. Knows no HTTP, no records and no clock.
//!
//! # What is found
//!
//! Values of 12 bytes and more ([`VALUE_BYTES_MIN`]), everywhere:
//!
//! | form | spellings |
//! |---|---|
//! | plain | the bytes |
//! | base64, base64url | at each of the three offsets, whatever stands before and behind, with padding and without |
//! | hex | in lower case, in upper case |
//!
//! and each byte of each of these forms may be written as itself or escaped, in any mixture:
//!
//! | escape | of the byte `/` |
//! |---|---|
//! | percent, also twice | `%2F`, `%2f`, `%252F` |
//! | JSON, JavaScript, also in JSON in JSON | `\/`, `\u002F`, `\u002f`, `\x2f`, `\\u002f`, `\\\/` |
//! | HTML | `&#47;`, `&#x2F;`, `&amp;` and the four others that HTML itself needs |
//! | forms | `+` for a space |
//!
//! A list of needles cannot hold such mixtures (a secret of 32 bytes has more than 2^64 of them). So needles are looked for
//! as they are, and from each escape on it is seen whether a needle goes on there, be it escaped or not.
//!
//! Shorter values only in header values and log lines ([`Scrubber::header`], [`Scrubber::text`]), as they are, and only
//! where they stand as a word of their own: anywhere else they would hit what is no secret.
//!
//! # What is not found
//!
//! - A part of a secret, be it all but one byte: the first or last bytes behind a range request, a body that was cut.
//! - Parts that lie apart: in two fields, two rows, two responses, or with anything between them, such as the line
//!   breaks of MIME's base64.
//! - Other encodings and what is computed: base32, UTF-16, compression within a body, reversed or enciphered bytes, hashes.
//! - base64 or hex of an escaped secret, base64 twice: escapes are looked for around other forms, never within.
//! - Up to four bits of the first byte of a secret in base64, where the character that holds them went out with an
//!   earlier piece.
//!
//! # What stays in memory
//!
//! All that is derived from secrets is in buffers of our own that are wiped when they are dropped: the reason not to build on
//! one of the libraries for many needles, whose tables hold them and are not wiped. What goes past is not ours to wipe.

mod escape;
mod filter;
mod found;
mod grams;
mod held;
mod hit;
mod leads;
mod needle;
mod places;
mod repeating;
mod resumes;
mod scrubber;
mod short;
mod stands;
mod stream;
mod walk;
mod watch;
mod work;

#[cfg(test)]
mod tests;

pub use hit::{Count, Encoding, Hit, Place};
pub use scrubber::Scrubber;
pub use stream::Stream;
pub use watch::{VALUE_BYTES_MIN, Watch};
