//! Does with its directory what its configuration says, by the calls of WASI themselves, and tells in one log line each what
//! came of it.

mod steps;

use cofferdam_sdk::{
    Budget, Catalog, Error, Layout, OpenRead, Reader, Result, Schema, Source, Step, StreamInfo, StreamSchema,
    export,
};
use serde::Deserialize;
use steps::{Act, Held};
use wasip2::filesystem::preopens::get_directories;

/// What to do, in this order.
#[derive(Deserialize)]
struct Config {
    steps: Vec<Act>,
}

struct Paths;

impl Source for Paths {
    type Config = Config;
    type Reader = PathsReader;

    fn check(_: &Config) -> Result<()> {
        Ok(())
    }

    fn discover(_: &Config) -> Result<Catalog> {
        let schema = StreamSchema::new("rows", Schema::open(), Layout::JsonLines);
        Ok(Catalog::new([StreamInfo::new(schema)]))
    }

    fn open(config: Config, _: OpenRead) -> Result<PathsReader> {
        Ok(PathsReader { config })
    }
}

struct PathsReader {
    config: Config,
}

impl Reader for PathsReader {
    fn next(&mut self, _: &Budget) -> Result<Step> {
        let directories = get_directories();
        let (root, _) = directories.first().ok_or_else(|| Error::bug("no directory was granted"))?;
        let mut held = Held::new();
        for act in &self.config.steps {
            log::info!("{}", act.run(root, &mut held));
        }
        Ok(Step::End)
    }
}

export!(source = Paths, manifest = "connector.toml");
