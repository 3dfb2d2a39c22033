//! Attacks by calls into the host.

use crate::{Attack, Context};
use cofferdam_sdk::{Error, Result, Step, http::Client};
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("call-ten-million-times", call_ten_million_times),
    ("log-lines", log_lines),
    ("log-bytes", log_bytes),
    ("log-one-huge-line", log_one_huge_line),
    ("log-escapes", log_escapes),
    ("print-forever", print_forever),
    ("print-without-newline", print_without_newline),
    ("print-bad-text", print_bad_text),
    ("leak-handles", leak_handles),
    ("sleep", sleep),
    ("poll-forever", poll_forever),
    ("random-hammer", random_hammer),
    ("random-huge", random_huge),
    ("error-text-huge", error_text_huge),
    ("error-text-escapes", error_text_escapes),
    ("request-many-hosts", request_many_hosts),
    ("request-without-grant", request_without_grant),
    ("swallow-a-denial-then-fail", swallow_a_denial_then_fail),
];

fn call_ten_million_times(_: &Context) -> Result<Step> {
    for _ in 0..10_000_000 {
        black_box(cofferdam_sdk::run::stop_requested());
    }
    Ok(Step::End)
}

fn log_lines(_: &Context) -> Result<Step> {
    loop {
        log::info!("again");
    }
}

fn log_bytes(_: &Context) -> Result<Step> {
    let line = "x".repeat(60_000);
    loop {
        log::info!("{line}");
    }
}

fn log_one_huge_line(_: &Context) -> Result<Step> {
    log::info!("{}", "x".repeat(34 << 20));
    Ok(Step::End)
}

fn log_escapes(_: &Context) -> Result<Step> {
    log::info!("first\nINFO host: forged \u{1b}[2J\u{1b}]0;title\u{7} \u{202e}desrever");
    Ok(Step::End)
}

fn print_forever(_: &Context) -> Result<Step> {
    loop {
        println!("again");
    }
}

fn print_without_newline(_: &Context) -> Result<Step> {
    let piece = [b'x'; 16 << 10];
    loop {
        std::io::stdout().write_all(&piece)?;
        std::io::stdout().flush()?;
    }
}

fn print_bad_text(_: &Context) -> Result<Step> {
    std::io::stderr().write_all(b"\xff\xfe bad \xc3\x28 text\n")?;
    Ok(Step::End)
}

fn leak_handles(_: &Context) -> Result<Step> {
    loop {
        std::mem::forget(wasip2::clocks::monotonic_clock::subscribe_duration(1));
    }
}

fn sleep(_: &Context) -> Result<Step> {
    std::thread::sleep(Duration::from_secs(1_000_000));
    Ok(Step::End)
}

fn poll_forever(_: &Context) -> Result<Step> {
    let never = wasip2::clocks::monotonic_clock::subscribe_duration(u64::MAX);
    wasip2::io::poll::poll(&[&never]);
    Ok(Step::End)
}

fn random_hammer(_: &Context) -> Result<Step> {
    loop {
        black_box(wasip2::random::random::get_random_bytes(1 << 16));
    }
}

fn random_huge(_: &Context) -> Result<Step> {
    black_box(wasip2::random::random::get_random_bytes(1 << 63));
    Ok(Step::End)
}

fn error_text_huge(_: &Context) -> Result<Step> {
    Err(Error::data("x".repeat(20 << 20)))
}

fn error_text_escapes(_: &Context) -> Result<Step> {
    Err(Error::data("<script>\u{1b}[31m\u{202e}gnp.exe"))
}

fn request_many_hosts(_: &Context) -> Result<Step> {
    for number in 0..10_000 {
        let sent = Client::new().get(format!("https://host-{number}.example.com/")).send();
        black_box(sent.is_err());
    }
    Ok(Step::End)
}

fn request_without_grant(_: &Context) -> Result<Step> {
    Client::new().get("https://not-granted.example.com/secret?key=1").send()?;
    Ok(Step::End)
}

/// Handles a denial in one call and fails for another reason in the next.
fn swallow_a_denial_then_fail(context: &Context) -> Result<Step> {
    if context.calls > 1 {
        return Err(Error::transient("the other system is away"));
    }
    let refused = Client::new().get("https://not-granted.example.com/").send().is_err();
    black_box(refused);
    Ok(Step::Page(crate::pages::empty()))
}
