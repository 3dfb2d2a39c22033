//! What is no file: pipes, devices and sockets are refused before they are opened. Opening a pipe waits for whoever opens its
//! other end, and a thread that waits there is never had back.

use super::Granted;
use runtime::Limits;
use serde_json::json;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

fn run(program: &str, arguments: &[&str], path: &Path) {
    let status = Command::new(program).arg(path).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {}", path.display());
}

/// Threads of this process that wait for the other end of a pipe.
fn waiting_for_a_pipe() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let waits = |path: &Path| std::fs::read_to_string(path.join("wchan")).unwrap_or_default();
    threads.filter(|thread| waits(&thread.as_ref().unwrap().path()).contains("fifo")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn pipes_sockets_and_devices_are_listed_and_not_opened() {
    let granted = Granted::new(true);
    run("mkfifo", &[], &granted.at("pipe"));
    run("mknod", &["c", "1", "5"], &granted.at("zero"));
    run("mknod", &["b", "7", "250"], &granted.at("disk"));
    let _listening = UnixListener::bind(granted.at("socket")).unwrap();
    symlink("pipe", granted.at("link")).unwrap();
    granted
        .expect(&[
            ("list", ".", "", "disk file link pipe socket zero"),
            ("type", "pipe", "", "something else"),
            ("read", "pipe", "", "access"),
            ("read", "link", "", "access"),
            ("read", "./pipe", "", "access"),
            ("write", "pipe", "", "access"),
            ("append", "pipe", "", "access"),
            ("truncate", "pipe", "", "access"),
            ("create", "pipe", "", "access"),
            ("set-times", "pipe", "", "access"),
            ("set-times", "link", "", "access"),
            ("read", "zero", "", "access"),
            ("write", "zero", "", "access"),
            ("read", "disk", "", "access"),
            ("read", "socket", "", "access"),
            ("set-times", "socket", "", "access"),
            // They may go like any other name.
            ("rename", "pipe", "pipe-2", "done"),
            ("unlink", "pipe-2", "", "done"),
            ("unlink", "zero", "", "done"),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_that_nobody_writes_to_holds_no_thread_of_the_host() {
    let granted = Granted::new(false).limits(Limits { host_call_ms: 1_000, ..Limits::defaults() });
    run("mkfifo", &[], &granted.at("pipe"));
    let tries = json!([{ "do": "again", "path": "pipe", "count": 1_000 }]);
    assert_eq!(granted.steps(tries).await.unwrap(), ["again pipe: access 1000"]);
    assert_eq!(waiting_for_a_pipe(), 0);
}
