//! Attacks by calls into the host.

use crate::{Attack, Context};
use cofferdam_sdk::{Error, FieldFault, Result, Step, http::Client};
use std::hint::black_box;
use std::io::Write;
use std::time::Duration;
use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};

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
    ("random-insecure-huge", random_insecure_huge),
    ("hold-requests", hold_requests),
    ("keep-an-answer", keep_an_answer),
    ("keep-an-answer-and-8-mebibytes", keep_an_answer_and_memory),
    ("headers-without-end", headers_without_end),
    ("url-of-a-megabyte", url_of_a_megabyte),
    ("poll-nothing", poll_nothing),
    ("poll-a-million-times-the-same", poll_the_same),
    ("work-and-log", work_and_log),
    ("work-a-little", work_a_little),
    ("error-text-huge", error_text_huge),
    ("error-of-many-faults", error_of_many_faults),
    ("error-with-a-path-of-a-megabyte", error_with_a_huge_path),
    ("error-text-escapes", error_text_escapes),
    ("request-many-hosts", request_many_hosts),
    ("request-ten-thousand-hosts", request_ten_thousand_hosts),
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

fn random_insecure_huge(_: &Context) -> Result<Step> {
    black_box(wasip2::random::insecure::get_insecure_random_bytes(1 << 40));
    Ok(Step::End)
}

/// Begins requests and never asks what became of them.
fn hold_requests(_: &Context) -> Result<Step> {
    loop {
        std::mem::forget(outgoing_handler::handle(held_request(), None));
    }
}

fn held_request() -> OutgoingRequest {
    let request = OutgoingRequest::new(Fields::new());
    let set = request.set_scheme(Some(&Scheme::Https)).and(request.set_authority(Some("held.example.com")));
    black_box(set.and(request.set_path_with_query(Some("/"))).is_ok());
    request
}

/// Leaves an answer to the host, which has to throw it away.
fn keep_an_answer(_: &Context) -> Result<Step> {
    let answer =
        outgoing_handler::handle(held_request(), None).map_err(|code| Error::data(format!("{code:?}")))?;
    answer.subscribe().block();
    std::mem::forget(answer.get());
    std::mem::forget(answer);
    Ok(Step::End)
}

fn keep_an_answer_and_memory(context: &Context) -> Result<Step> {
    std::mem::forget(black_box(vec![1_u8; 8 << 20]));
    keep_an_answer(context)
}

fn headers_without_end(_: &Context) -> Result<Step> {
    let (fields, value) = (Fields::new(), vec![b'x'; 1_000]);
    loop {
        fields.append("x-more", &value).map_err(|fault| Error::data(format!("{fault:?}")))?;
    }
}

fn url_of_a_megabyte(_: &Context) -> Result<Step> {
    let url = format!("https://long.example.com/{}", "x".repeat(1 << 20));
    Client::new().get(url).send()?;
    Ok(Step::End)
}

fn poll_nothing(_: &Context) -> Result<Step> {
    wasip2::io::poll::poll(&[]);
    Ok(Step::End)
}

fn poll_the_same(_: &Context) -> Result<Step> {
    let ready = wasip2::clocks::monotonic_clock::subscribe_duration(0);
    loop {
        black_box(wasip2::io::poll::poll(&vec![&ready; 1_000_000]));
    }
}

/// Ten times: works a little, says so, waits a little, asks for something. Then ten rows as usual.
fn work_and_log(context: &Context) -> Result<Step> {
    for step in 0..10 {
        black_box((0..1_000_u32).map(black_box).sum::<u32>());
        log::info!("step {step}");
        std::thread::sleep(Duration::from_millis(1));
        let refused = Client::new().get("https://not-granted.example.com/").send().is_err();
        black_box(refused);
    }
    crate::pages::behave(context)
}

/// Some 50 microseconds of work, and on which thread it ended.
fn work_a_little(_: &Context) -> Result<Step> {
    black_box((0..100_000_u32).map(black_box).sum::<u32>());
    log::info!("done");
    Ok(Step::Page(crate::pages::empty()))
}

fn error_of_many_faults(_: &Context) -> Result<Step> {
    let fault = FieldFault { path: "/x".repeat(50), message: "wrong ".repeat(10) };
    Err(Error::Config(vec![fault; 20_000]))
}

fn error_with_a_huge_path(_: &Context) -> Result<Step> {
    Err(Error::config("/x\u{1b}[2J".repeat(1 << 18), "wrong"))
}

fn error_text_huge(_: &Context) -> Result<Step> {
    Err(Error::data("x".repeat(20 << 20)))
}

fn error_text_escapes(_: &Context) -> Result<Step> {
    Err(Error::data("<script>\u{1b}[31m\u{202e}gnp.exe"))
}

fn request_many_hosts(_: &Context) -> Result<Step> {
    request_hosts(u32::MAX)
}

fn request_ten_thousand_hosts(_: &Context) -> Result<Step> {
    request_hosts(10_000)
}

fn request_hosts(count: u32) -> Result<Step> {
    for number in 0..count {
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
