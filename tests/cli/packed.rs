//! Files as `gzip` writes them.

use std::path::Path;
use std::process::Command;

/// The packed bytes of this file.
pub(crate) fn pack(file: &Path) -> Vec<u8> {
    let output = Command::new("gzip").arg("--stdout").arg(file).output().expect("`gzip` is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What is packed in this file.
pub(crate) fn unpack(file: &Path) -> String {
    let output =
        Command::new("gzip").args(["--decompress", "--stdout"]).arg(file).output().expect("`gzip` is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
