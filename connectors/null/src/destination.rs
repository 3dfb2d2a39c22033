//! Opens writers.

use cofferdam_sdk::{Destination, OpenWrite, Result};

use crate::{config::Config, writer::NullWriter};

/// The destination.
#[derive(Debug)]
pub struct Null;

impl Destination for Null {
    type Config = Config;
    type Writer = NullWriter;

    fn check(config: &Config) -> Result<()> {
        config.validate()
    }

    fn open(config: Config, _: OpenWrite) -> Result<NullWriter> {
        config.validate()?;
        Ok(NullWriter::new(config))
    }
}
