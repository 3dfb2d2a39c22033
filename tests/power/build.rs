//! Compiles the recorder. It is a program of its own, in C: `recorder/trace.c` says why.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::Command;

const RECORDER: [&str; 5] = ["trace.c", "calls.c", "places.c", "faults.c", "log.c"];
/// Does what must be refused.
const OFFENDER: [&str; 1] = ["offender.c"];

fn main() -> Result<(), Box<dyn Error>> {
    compile(&RECORDER, "recorder")?;
    compile(&OFFENDER, "offender")?;
    println!("cargo::rerun-if-changed=recorder");
    println!("cargo::rerun-if-env-changed=CC");
    Ok(())
}

fn compile(sources: &[&str], name: &str) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("recorder");
    let output = Path::new(&env::var("OUT_DIR")?).join(name);
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = Command::new(&compiler);
    command.args(["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&output);
    command.args(sources.iter().map(|source| folder.join(source)));
    let status = command.status().map_err(|error| format!("failed to start `{compiler:?}`: {error}"))?;
    if !status.success() {
        return Err(format!("`{compiler:?}` failed to compile the {name}: {status}").into());
    }
    println!("cargo::rustc-env=POWER_{}={}", name.to_uppercase(), output.display());
    Ok(())
}
