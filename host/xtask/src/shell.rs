//! Runs other programs: says what it runs, and turns a failure into an error that names the command.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

/// Runs a command on our terminal.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = announce(command);
    let status = command.status().with_context(|| not_started(&line))?;
    succeed(status, &line)
}

/// Runs a command quietly and returns what it printed on standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| not_started(&line))?;
    if !output.status.success() {
        bail!("`{line}` failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command on our terminal and kills it when it takes longer than `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let line = announce(command);
    let mut child = command.stdin(Stdio::null()).spawn().with_context(|| not_started(&line))?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return succeed(status, &line);
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            bail!("`{line}` did not end within {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The stream that `run_and_read` reads; the other one goes to our terminal.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
    /// Standard output that is made for a program, and not shown.
    Data,
}

/// Runs a command on our terminal and shows each line of one of its streams to `see` too.
pub(crate) fn run_and_read(command: &mut Command, stream: Stream, mut see: impl FnMut(&str)) -> Result<()> {
    let line = announce(command);
    match stream {
        Stream::Stdout | Stream::Data => command.stdout(Stdio::piped()),
        Stream::Stderr => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| not_started(&line))?;
    let pipe: Option<Box<dyn Read>> = match stream {
        Stream::Stdout | Stream::Data => child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read>),
        Stream::Stderr => child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read>),
    };
    let mut reader = BufReader::new(pipe.context("the child has no pipe")?);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        let text = String::from_utf8_lossy(&bytes);
        match stream {
            Stream::Stdout => print!("{text}"),
            Stream::Stderr => eprint!("{text}"),
            Stream::Data => {}
        }
        see(text.trim_end());
        bytes.clear();
    }
    succeed(child.wait()?, &line)
}

/// Whether a program can be started and answers `--version` (or another harmless argument) with success.
pub(crate) fn answers(program: &str, argument: &str) -> bool {
    let quiet = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    quiet.is_ok_and(|status| status.success())
}

/// An error with all its causes, one a line. (`{:?}` would add a backtrace through this program, which helps nobody.)
pub(crate) fn explain(error: &anyhow::Error) -> String {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    format!("error: {}", causes.join("\n  caused by: "))
}

fn announce(command: &Command) -> String {
    let line = line(command);
    eprintln!("$ {line}");
    line
}

/// As a person would type it, with the directory where that matters.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    let mut line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    if let Some(directory) = command.get_current_dir() {
        // Writing to a string cannot fail.
        let _ = write!(line, "  (in {})", directory.display());
    }
    line
}

fn not_started(line: &str) -> String {
    format!("failed to start `{line}`: is the program installed and on PATH?")
}

fn succeed(status: ExitStatus, line: &str) -> Result<()> {
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Duration};

    use anyhow::anyhow;

    use super::{Stream, explain, output, run_and_read, run_within};

    #[test]
    fn causes_are_told_from_the_outside_in() {
        let error = anyhow!("no route").context("failed to download");
        assert_eq!(explain(&error), "error: failed to download\n  caused by: no route");
    }

    #[test]
    fn a_command_over_its_time_is_killed_and_named() {
        let error = run_within(Command::new("sleep").arg("60"), Duration::from_millis(10)).unwrap_err();
        assert_eq!(error.to_string(), "`sleep 60` did not end within 0 s");
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let error = output(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap_err();
        assert!(error.to_string().contains("sh -c"), "{error}");
        assert!(error.to_string().ends_with("broken"), "{error}");
    }

    #[test]
    fn every_line_is_seen_even_the_last_without_an_end() {
        let mut lines = Vec::new();
        let mut command = Command::new("printf");
        run_and_read(command.arg("one\\ntwo"), Stream::Stdout, |line| lines.push(line.to_owned())).unwrap();
        assert_eq!(lines, ["one", "two"]);
    }
}
