//! The connector's role.

use std::{
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use cofferdam_sdk::{Budget, Catalog, Error, OpenRead, Result, Source, export};
use serde_json::{Map, Value};

use crate::{
    catalog,
    http::HostHttp,
    position::Position,
    program::{self, Program},
    reader::StreamReader,
};

/// For one request of a check.
const CHECK_TIME: Duration = Duration::from_secs(20);

struct HttpManifest;

impl Source for HttpManifest {
    type Config = Map<String, Value>;
    type Reader = StreamReader<HostHttp>;

    fn check(config: &Self::Config) -> Result<()> {
        let program = Rc::new(program::load(config.clone())?);
        for stream in &program.manifest.check {
            let mut reader = open(&program, stream, None)?;
            let budget = Budget::new(1, 1, CHECK_TIME);
            reader.fetch(&budget).map_err(|error| error.context(format!("stream `{stream}`")))?;
        }
        Ok(())
    }

    fn discover(config: &Self::Config) -> Result<Catalog> {
        catalog::catalog(&program::load(config.clone())?, now()?)
    }

    fn open(config: Self::Config, read: OpenRead) -> Result<Self::Reader> {
        let position = read.position::<Position>()?.map(Position::checked).transpose()?;
        open(&Rc::new(program::load(config)?), &read.group, position)
    }
}

fn open(program: &Rc<Program>, stream: &str, position: Option<Position>) -> Result<StreamReader<HostHttp>> {
    StreamReader::open(Rc::clone(program), stream, position, HostHttp, now()?)
}

/// Microseconds since 1970.
fn now() -> Result<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let micros = since.and_then(|since| i64::try_from(since.as_micros()).ok());
    micros.ok_or_else(|| Error::bug("the clock shows a time before 1970"))
}

export!(source = HttpManifest, manifest = "connector.toml");
