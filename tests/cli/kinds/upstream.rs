//! Systems of the suite in other languages, whose libraries check what the host has made.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::world::target;

const HMAC: &str = include_str!("hmac.py");
const OBJECTS: &str = include_str!("objects.py");
const SIGNED: &str = include_str!("signed.js");

/// A process that serves until the test ends, and has said in one line of JSON where and with which secrets.
pub(crate) struct Upstream {
    process: Child,
    said: Value,
}

impl Upstream {
    /// An API that wants a keyed hash under this key.
    pub(crate) fn hmac(key: &str) -> Self {
        Self::started(Command::new("python3").args(["-c", HMAC, key]))
    }

    /// An object store that wants Amazon's signature.
    pub(crate) fn objects() -> Self {
        let packages = target().join("test-deps/python");
        assert!(packages.join("moto").exists(), "there is no `moto`: run `cargo xtask test-deps`");
        Self::started(Command::new("python3").args(["-c", OBJECTS]).env("PYTHONPATH", packages))
    }

    /// An API of service accounts whose keys are of this algorithm.
    pub(crate) fn signed(algorithm: &str) -> Self {
        Self::started(Command::new("node").args(["-e", SIGNED, "--", algorithm]))
    }

    fn started(command: &mut Command) -> Self {
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("it says where it is: {line:?}"));
        Self { process, said }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.said["port"])
    }

    pub(crate) fn said(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
