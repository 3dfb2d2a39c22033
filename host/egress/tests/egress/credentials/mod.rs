//! Credentials on requests: chosen, placed, signed, renewed, shown as a certificate.

mod certificates;
mod endpoints;
mod fails;
mod killed;
mod other_audiences;
mod overlapping;
mod places;
mod quiet;
mod reflected;
mod renewed;
mod replayed;
mod signed;
