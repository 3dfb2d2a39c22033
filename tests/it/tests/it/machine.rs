//! What the machine does to the host, for real: limits on address space, and two processes at one cache. Each such test runs
//! itself again in processes of its own.

use crate::directories::Granted;
use crate::harness::{budget, guest_bytes, hostile, neighbour_works, open, read_of, runtime, schema_of};
use crate::hostile_wat::build::{Guest, component};
use crate::hostile_wat::source_with;
use pipeline::connector::Source as _;
use pipeline::failure::{Cause, Failure};
use runtime::{Connection, Grants, Limits, Runtime, Settings, Source};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Tells a process that it is a child, and what it is given.
const CHILD: &str = "COFFERDAM_IT_CHILD";

/// This test again, in a process of its own.
fn again(test: &str, given: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("machine::{test}"), "--nocapture", "--test-threads=1"]);
    command.env(CHILD, given);
    command
}

/// Run the test again with so much address space, and see it pass.
fn within_addresses(test: &str, mebibytes: u64) {
    within(test, "-v", mebibytes * 1024);
}

/// Run the test again under this limit of the shell's, and see it pass.
fn within(test: &str, limit: &str, amount: u64) {
    let inner = again(test, "limited");
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"ulimit "$0" "$1" && shift && exec "$@""#, limit, &amount.to_string()]);
    limited.arg(inner.get_program()).args(inner.get_args()).env(CHILD, "limited");
    passes(&mut limited, &format!("under `ulimit {limit} {amount}`"));
}

/// The test passes there.
fn passes(test: &mut Command, there: &str) {
    let output = test.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{there}: {text}");
    assert!(text.contains("1 passed"), "the test did not run: {text}");
}

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn connectors_run_where_there_are_no_addresses_for_a_pool() {
    if !is_child() {
        for mebibytes in [2_048, 6_144, 12_288] {
            within_addresses("connectors_run_where_there_are_no_addresses_for_a_pool", mebibytes);
        }
        return;
    }
    block_on(async {
        assert!(!runtime().is_pooled());
        for _ in 0..3 {
            neighbour_works().await;
        }
    });
}

#[test]
fn a_low_limit_on_open_files_that_may_be_raised_is_raised() {
    if !is_child() {
        within("a_low_limit_on_open_files_that_may_be_raised_is_raised", "-Sn", 128);
        return;
    }
    block_on(async {
        let held = Granted::new(false).steps(json!([{ "do": "hold", "path": "file", "count": 500 }])).await;
        assert_eq!(held.unwrap(), ["hold file: 500"]);
    });
}

/// Half a gibibyte, either at once or when it is called.
const HALF_A_GIBIBYTE_PAGES: &str = "8192";

/// Open readers until one fails; the others live on meanwhile.
async fn until_full(guest: &Guest<'_>) -> Failure {
    let limits = Limits { memory_bytes: 1 << 30, ..Limits::defaults() };
    let source = source_with(guest, limits).await;
    let mut readers = Vec::new();
    for _ in 0..100 {
        let mut reader = match source.open(read_of(schema_of("rows"))).await {
            Ok(reader) => reader,
            Err(failure) => return failure,
        };
        if let Err(failure) = reader.next(budget()).await {
            return failure;
        }
        readers.push(reader);
    }
    panic!("fifty gibibytes in less");
}

#[test]
fn memory_that_the_machine_does_not_give_is_not_blamed_on_the_connector() {
    if !is_child() {
        within_addresses("memory_that_the_machine_does_not_give_is_not_blamed_on_the_connector", 4_096);
        return;
    }
    block_on(async {
        let memory = format!("(memory (export \"memory\") {HALF_A_GIBIBYTE_PAGES})");
        let at_once = Guest { memory: &memory, ..Guest::default() };
        let grow = format!("(drop (memory.grow (i32.const {HALF_A_GIBIBYTE_PAGES}))) (i32.const 64)");
        let later = Guest { next: &grow, ..Guest::default() };
        for guest in [at_once, later] {
            let failure = until_full(&guest).await;
            assert!(matches!(failure.cause, Cause::OutOfMemory(_)), "{failure}");
            assert_eq!(failure.code(), "CD0623");
            neighbour_works().await;
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_whose_parts_run_out_has_no_room_and_finds_it_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = Settings::new(directory.path().to_owned());
    settings.live_instances = 4;
    let guest = Guest { beside: ("(module)", 200), ..Guest::default() };
    let component = Runtime::new(settings).unwrap().load(component(&guest)).await.unwrap();
    let grants = Grants { limits: Limits::ceilings(), ..Grants::none() };
    let source = Source::new(Connection::new(component, &json!({}), grants).unwrap()).unwrap();
    let first = open(&source).await.unwrap();
    let Err(failure) = open(&source).await else { panic!("the pool has twice 200 core instances") };
    assert!(matches!(failure.cause, Cause::NoRoom(_)), "{failure}");
    drop(first);
    crate::harness::eventually("the pool has room again", || {
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(open(&source)).is_ok())
    })
    .await;
}

/// A child at the cache: says that it is there, waits for the word, then loads the component and reads ten rows.
fn child_at_the_cache(directory: &Path) {
    std::io::stdout().write_all(b"\nready\n").unwrap();
    std::io::stdin().lines().next().unwrap().unwrap();
    block_on(async {
        let runtime = Runtime::new(Settings::new(directory.to_owned())).unwrap();
        let component = runtime.load(guest_bytes("hostile")).await.unwrap();
        let connection = Connection::new(component, &json!({ "attack": "behave" }), Grants::none()).unwrap();
        let mut reader = open(&Source::new(connection).unwrap()).await.unwrap();
        reader.next(budget()).await.unwrap();
    });
}

#[test]
fn two_processes_that_compile_one_component_at_once_into_an_empty_cache_both_run_it() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return child_at_the_cache(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let name = "two_processes_that_compile_one_component_at_once_into_an_empty_cache_both_run_it";
    let mut children: Vec<_> = (0..2)
        .map(|_| {
            let mut command = again(name, directory.path().to_str().unwrap());
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut answers: Vec<_> =
        children.iter_mut().map(|child| BufReader::new(child.stdout.take().unwrap()).lines()).collect();
    for lines in &mut answers {
        assert!(lines.any(|line| line.unwrap() == "ready"), "the child did not start");
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    for (mut child, lines) in children.into_iter().zip(answers) {
        let rest: Vec<String> = lines.map(Result::unwrap).collect();
        assert!(child.wait().unwrap().success(), "{rest:?}");
    }
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap()))
            .collect();
        files.sort();
        files
    };
    let left = files();
    assert_eq!(left.len(), 2, "one key and one file of code, and nothing half: {left:?}");
    // What the two left behind serves a third, which compiles nothing.
    let mut third = again(name, directory.path().to_str().unwrap()).stdin(Stdio::piped()).spawn().unwrap();
    third.stdin.take().unwrap().write_all(b"go\n").unwrap();
    assert!(third.wait().unwrap().success());
    assert_eq!(files(), left);
}

/// Of the processors, by this process so far, in hundredths of a second.
#[cfg(target_os = "linux")]
fn processor_time() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, figures) = stat.rsplit_once(") ").unwrap();
    figures.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// Nearly all of this connector's time the host works for it, for a fraction of a tick each time.
#[cfg(target_os = "linux")]
#[test]
fn h36_the_hosts_work_for_a_connector_is_its_processor_time() {
    if !is_child() {
        let name = "h36_the_hosts_work_for_a_connector_is_its_processor_time";
        passes(&mut again(name, "measures"), "in a process of its own");
        return;
    }
    block_on(async {
        let limits = Limits { cpu_ms: 200, ..Limits::defaults() };
        let hostile = hostile("random-hammer", "next", limits).await;
        let before = processor_time();
        let failure = hostile.read(1).await.unwrap_err();
        assert!(matches!(&failure.cause, Cause::Limit { name, .. } if name == "cpu_ms"), "{failure}");
        let had = processor_time() - before;
        assert!((15..100).contains(&had), "{had} hundredths of a second");
    });
}
