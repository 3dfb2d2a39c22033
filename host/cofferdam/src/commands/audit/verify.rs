//! `cofferdam audit verify`: a log is held against what was signed, and against what was seen of it before.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use control::{NoteKey, Verification, VerifyOptions, verify_export};
use serde_json::{Value, json};

use super::remembered::Remembered;
use super::source::{self, Told};
use crate::arguments::AuditVerify;
use crate::output::Output;
use crate::problem::{Own, Problem, Problems};
use crate::remote::Error;
use crate::text::plain_line;
use crate::units::counted;

/// The first line and the last one are short: what is longer is no export.
const LINE_BYTES_MAX: u64 = 16 << 10;

/// What was found, and what it was judged by.
struct Judged {
    verification: Verification,
    key: String,
    /// The signed checkpoint at its end.
    note: Option<String>,
    remembered: Option<Remembered>,
    /// Whether the file ends before what is remembered: it is an older one.
    is_older: bool,
}

pub(super) async fn run(command: &AuditVerify, output: &Output) -> Result<(), Problems> {
    let judged = match &command.file {
        Some(path) => {
            let failed = |source| Own::Read { what: "the exported log", path: path.clone(), source };
            judge(command, path.clone(), File::open(path).map_err(failed)?, true)?
        }
        None => {
            let failed = |source| Own::Write { what: "a file of", path: std::env::temp_dir(), source };
            let file = tempfile::tempfile().map_err(failed)?;
            let mut out = BufWriter::new(&file);
            source::write(&command.log, Told::Nowhere, &mut out).await?;
            out.flush().map_err(failed)?;
            drop(out);
            judge(command, PathBuf::from("the log"), file, false)?
        }
    };
    let may_remember = command.file.is_none() && judged.verification.findings.is_empty();
    if let Some(checkpoint) = judged.note.clone().filter(|_| may_remember) {
        let origin = judged.verification.origin.clone();
        Remembered { origin, key: judged.key.clone(), checkpoint }.write()?;
    }
    show(&judged, may_remember, output)
}

fn judge(command: &AuditVerify, path: PathBuf, mut file: File, is_file: bool) -> Result<Judged, Problems> {
    let failed = |source| Problem::from(Own::Read { what: "the exported log", path: path.clone(), source });
    let (first, last) = ends(&mut file).map_err(failed)?;
    let text = |line: &Value, name| line.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let (origin, own_key) = (text(&first, "origin"), text(&first, "key"));
    let note = text(&last, "checkpoint");
    let remembered = match &origin {
        Some(origin) => Remembered::read(origin)?,
        None => None,
    };
    let key = command.key.clone().or_else(|| remembered.as_ref().map(|known| known.key.clone()));
    let options_key = key.as_deref().map(NoteKey::parse).transpose()?;
    let mut notes = Vec::new();
    for path in &command.checkpoints {
        notes.push(checkpoint(path)?);
    }
    let mut is_older = false;
    if let Some(known) = remembered.as_ref().filter(|_| command.key.is_none()) {
        let seen = known.seen()?;
        // A later checkpoint says nothing of an earlier file. A log, though, does not become shorter.
        let opened = options_key.as_ref().zip(note.as_ref()).and_then(|(key, note)| key.open(note).ok());
        is_older = is_file && opened.is_some_and(|signed| signed.size < seen.size);
        if !is_older {
            notes.push(known.checkpoint.clone());
        }
    }
    let options = VerifyOptions { key: options_key, remembered: notes };
    let verification = verify_export(&mut BufReader::new(file), &options)?;
    Ok(Judged { verification, key: key.or(own_key).unwrap_or_default(), note, remembered, is_older })
}

/// What its first line and its last one say, and nothing where they are of no use. Goes back to the beginning.
fn ends(file: &mut File) -> std::io::Result<(Value, Value)> {
    let mut first = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    BufReader::new(&mut *file).take(LINE_BYTES_MAX).read_until(b'\n', &mut first)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(LINE_BYTES_MAX)))?;
    let mut end = Vec::new();
    file.take(LINE_BYTES_MAX).read_to_end(&mut end)?;
    file.seek(SeekFrom::Start(0))?;
    let last = end.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).unwrap_or_default();
    let read = |line: &[u8]| serde_json::from_slice(line).unwrap_or_default();
    Ok((read(&first), read(last)))
}

/// As the API gives it, or alone as it is signed.
pub(super) fn checkpoint(path: &Path) -> Result<String, Problems> {
    let failed = |source| Own::Read { what: "the checkpoint", path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(failed)?;
    let document = serde_json::from_str::<Value>(&text).ok();
    let within = document.as_ref().and_then(|document| document.get("checkpoint")?.as_str());
    Ok(within.map_or(text.clone(), ToOwned::to_owned))
}

fn show(judged: &Judged, is_remembered: bool, output: &Output) -> Result<(), Problems> {
    let Judged { verification, key, remembered, is_older, .. } = judged;
    let Verification { origin, entries, is_key_known, findings, .. } = verification;
    let places: Vec<String> = findings.iter().map(ToString::to_string).collect();
    if output.json {
        output.document(&json!({
            "log": origin,
            "entries": entries,
            "findings": places,
            "key": key,
            "is_key_known": is_key_known,
            "is_remembered": is_remembered,
        }))?;
    }
    if !findings.is_empty() {
        let (origin, findings) = (origin.clone(), findings.len());
        let problems = Problems::from(Error::Tampered { origin, findings, places });
        return Err(if output.json { problems.told_in_document() } else { problems });
    }
    let entries = counted(*entries, "entry is as it was", "entries are as they were");
    if !output.json {
        output.text(&format!("`{}`: {entries} signed\n", plain_line(origin)))?;
    }
    output.aside(match (is_key_known, is_remembered) {
        (true, _) if *is_older => "it ends before the checkpoint that is remembered here, and was not held against that\n",
        (true, _) if remembered.is_some() => "it begins with what was seen of it before\n",
        (true, _) => "",
        (false, true) => "nothing was known of it before: its key and its checkpoint are remembered from now on\n",
        (false, false) => {
            "it was judged by the key that stands in it, so a file that somebody wrote anew as a whole is not found: give `--key`\n"
        }
    });
    Ok(())
}
