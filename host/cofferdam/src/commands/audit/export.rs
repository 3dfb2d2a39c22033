//! `cofferdam audit export`.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;

use serde_json::json;

use super::source::{self, Told};
use crate::arguments::AuditExport;
use crate::output::Output;
use crate::problem::{Own, Problem, Problems};

pub(super) async fn run(command: &AuditExport, output: &Output) -> Result<(), Problems> {
    let Some(path) = &command.to else {
        return source::write(&command.log, Told::InTheLog, &mut Lines(output)).await;
    };
    let failed = |source| Problem::from(Own::Write { what: "the exported log", path: path.clone(), source });
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let mut file = BufWriter::new(file.map_err(failed)?);
    source::write(&command.log, Told::InTheLog, &mut file).await?;
    file.flush().map_err(failed)?;
    if output.json {
        return output.document(&json!({ "file": path }));
    }
    output.aside(&format!("written to `{}`; `cofferdam audit verify` verifies it\n", path.display()));
    Ok(())
}

/// Standard output.
struct Lines<'o>(&'o Output);

impl Write for Lines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.bytes(bytes) {
            // Whoever closed the pipe has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written.map(|()| bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
