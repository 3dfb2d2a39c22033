//! Makes `wasm32-wasip2` available: from rustup where it can, else put together from Debian's packages.
//! Does not build guests.

mod debian;
mod rustup;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use clap::ValueEnum;

/// The target of all guests.
pub(crate) const TRIPLE: &str = "wasm32-wasip2";

/// Where the standard library of the guests comes from.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// What is there already, else rustup, else Debian.
    Auto,
    /// The toolchain in use, if need be after `rustup target add`.
    Rustup,
    /// Debian's compiler with a standard library built here.
    Debian,
}

/// A compiler that can build guests.
pub(crate) struct Toolchain {
    /// A directory made by `debian`; none when the toolchain in use has the target.
    debian: Option<PathBuf>,
}

/// Makes the target available; instant when it is there.
pub(crate) fn ensure(source: Source) -> Result<Toolchain> {
    let in_use = Toolchain { debian: None };
    match source {
        Source::Rustup if rustup::has_target()? => Ok(in_use),
        Source::Rustup => rustup::add_target().map(|()| in_use),
        Source::Debian => debian::ensure().map(Toolchain::from_debian),
        Source::Auto => {
            if rustup::has_target()? {
                return Ok(in_use);
            }
            if let Some(directory) = debian::present()? {
                return Ok(Toolchain::from_debian(directory));
            }
            let Err(refused) = rustup::add_target() else {
                return Ok(in_use);
            };
            eprintln!(
                "rustup cannot add {TRIPLE}: {refused:#}\nbuilding it from Debian's packages (about 3 minutes, once)"
            );
            let directory = debian::ensure().with_context(|| {
                format!("the target {TRIPLE} can be had neither from rustup ({refused:#}) nor from Debian")
            })?;
            Ok(Toolchain::from_debian(directory))
        }
    }
}

impl Toolchain {
    fn from_debian(directory: PathBuf) -> Self {
        Self { debian: Some(directory) }
    }

    /// A `cargo` in `directory` that can build guests there: add `build --release --target wasm32-wasip2`.
    pub(crate) fn cargo_command(&self, directory: &Path) -> Command {
        let mut command = cargo(directory);
        if let Some(debian) = &self.debian {
            command.env("RUSTC", debian::rustc(debian)).env_remove("RUSTC_WRAPPER");
        }
        command
    }

    /// `cargo clippy` for guests: lints come with their own compiler, which must be the one that built `std`.
    pub(crate) fn clippy_command(&self, directory: &Path) -> Command {
        let Some(debian) = &self.debian else {
            let mut command = cargo(directory);
            command.arg("clippy");
            return command;
        };
        let mut command = Command::new(debian::cargo_clippy(debian));
        command.arg("clippy").current_dir(directory);
        command.env("CARGO", cargo_program()).env("RUSTC", debian::rustc(debian)).env_remove("RUSTC_WRAPPER");
        command
    }

    /// How to build a guest by hand.
    pub(crate) fn usage(&self) -> String {
        let build = format!("cargo build --release --target {TRIPLE}");
        match &self.debian {
            None => format!("{TRIPLE} is there: {build}"),
            Some(debian) => format!("{TRIPLE} is there: RUSTC={} {build}", debian::rustc(debian).display()),
        }
    }
}

/// The cargo that started us, in another directory.
pub(crate) fn cargo(directory: &Path) -> Command {
    let mut command = Command::new(cargo_program());
    command.current_dir(directory);
    command
}

fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
