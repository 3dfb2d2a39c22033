//! `cargo xtask story`: starts a server on an empty directory and tells it the whole life of an organization with `curl`
//! (`examples/server/story.sh`). Writes only under `target`.

use std::{fs, process::Command};

use anyhow::{Context, Result, bail};

use crate::{
    demo::{self, api},
    guests, paths, shell,
    wasm_target::{self, Source, cargo},
};

/// The token that the API of the story wants; the script enters it as a credential.
const TOKEN: &str = "the-token-of-the-quakes";
/// Components that the story uses as they are: their names here and there.
const COMPONENTS: [(&str, &str); 2] = [("null", "null"), ("example-webhook", "webhook")];

pub(crate) fn run(source: Source) -> Result<()> {
    let toolchain = wasm_target::ensure(source)?;
    guests::build(&toolchain)?;
    shell::run(cargo(&paths::root()).args(["build", "--package", "cofferdam"]))?;
    run_built()
}

/// Tells the story with a program and components that are there.
pub(crate) fn run_built() -> Result<()> {
    if !shell::answers("curl", "--version") {
        bail!("`curl` is not on PATH: the story is told with it");
    }
    let folder = paths::target().join("story");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let components = folder.join("components");
    fs::create_dir_all(&components)?;
    for (made, used) in COMPONENTS {
        let from = paths::target().join("components").join(format!("{made}.wasm"));
        fs::copy(&from, components.join(format!("{used}.wasm")))
            .with_context(|| format!("failed to copy `{}`: `cargo xtask guests` makes it", from.display()))?;
    }
    let program = demo::program()?;
    let example = paths::root().join("examples/server");
    let mut build = Command::new(&program);
    build.arg("build").arg(example.join("manifest.yaml")).arg("--out").arg(components.join("quakes.wasm"));
    shell::run(build.current_dir(paths::root()))?;
    let port = api::serve(&paths::root().join(demo::RECORDS), Some(TOKEN))?;
    let mut story = Command::new(example.join("story.sh"));
    story.arg(&program).arg(&components).arg(format!("http://127.0.0.1:{port}")).arg(folder.join("told"));
    shell::run(story.current_dir(paths::root()))
}

#[cfg(test)]
mod tests {
    use super::TOKEN;

    #[test]
    fn the_script_enters_the_token_that_the_api_wants() {
        let script = include_str!("../../../examples/server/story.sh");
        assert!(script.contains(&format!("secret='{TOKEN}'")));
    }
}
