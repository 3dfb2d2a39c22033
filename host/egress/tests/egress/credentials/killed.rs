//! E56 with a process of its own, which is killed: nothing runs in it any more, and what it had kept is in a file.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use egress::Error;
use egress::credential::Error as Fault;

use crate::support::kept_credentials::{Keeper, placed};
use crate::support::served::{Served, reply};
use crate::support::{House, eventually, get, send};

/// Tells the process that is killed where credentials are kept, where the API is, and where tokens are.
const FILE: &str = "EGRESS_TEST_FILE";
const API: &str = "EGRESS_TEST_API";
const TOKENS: &str = "EGRESS_TEST_TOKENS";
/// The test that is the process where it finds these.
const PROCESS: &str =
    "credentials::killed::e56_a_process_that_is_killed_before_the_answer_leaves_a_mark_and_the_loss_is_told";

fn house(file: &Path, api: &str, tokens: &str) -> (House, Arc<Keeper>) {
    let keeper = Keeper::in_file(file);
    let settings = format!("kind = \"oauth2\"\ngrant = \"refresh-token\"\ntoken_url = \"{tokens}\"");
    (House::placing(keeper.settings(placed(api, &settings))), keeper)
}

/// The process: it sends one request, for which it needs a new token. It never comes back.
async fn live(file: String) {
    // Nor does it outlive the test.
    std::thread::spawn(|| {
        let _end = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    let [api, tokens] = [API, TOKENS].map(|name| std::env::var(name).unwrap());
    let (house, _keeper) = house(Path::new(&file), &api, &tokens);
    let _answer = send(&house.client(), get(format!("{api}/"))).await;
    std::future::pending::<()>().await;
}

/// When the process is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Killed {
    /// The provider has spent the token and has given another, which never arrives.
    BeforeTheAnswer,
    /// The new token is kept, and comes to the API for the first time.
    AtTheFirstUse,
}

struct World {
    file: PathBuf,
    process: Arc<Mutex<Option<Child>>>,
    /// What the provider takes.
    good: Arc<Mutex<String>>,
    redemptions: Arc<Mutex<u32>>,
    api: Served,
    tokens: Served,
    _directory: tempfile::TempDir,
}

fn kill(process: &Mutex<Option<Child>>) {
    if let Some(mut process) = process.lock().unwrap().take() {
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

impl World {
    async fn new(killed: Killed, takes_the_old_again: bool) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("credentials.json");
        let process: Arc<Mutex<Option<Child>>> = Arc::default();
        let good = Arc::new(Mutex::new("first-refresh-token".to_owned()));
        let redemptions: Arc<Mutex<u32>> = Arc::default();
        let (killing, taking, counting) = (Arc::clone(&process), Arc::clone(&good), Arc::clone(&redemptions));
        let tokens = Served::plain(move |request| {
            let form = String::from_utf8(request.body().to_vec()).unwrap();
            let mut count = counting.lock().unwrap();
            *count += 1;
            let mut good = taking.lock().unwrap();
            let shown = format!("refresh_token={good}");
            if !form.split('&').any(|pair| pair == shown) {
                return reply(400, r#"{"error":"invalid_grant"}"#);
            }
            if !(takes_the_old_again && *count == 1) {
                *good = format!("refresh-token-{count}");
            }
            if killed == Killed::BeforeTheAnswer {
                kill(&killing);
            }
            let tokens = format!(r#""access_token":"access-token-{count}","refresh_token":"{good}""#);
            reply(200, format!(r#"{{"token_type":"bearer",{tokens}}}"#))
        })
        .await;
        let killing = Arc::clone(&process);
        let api = Served::plain(move |request| {
            if request.headers()["authorization"] == "Bearer access-token-of-last-week" {
                return reply(401, "");
            }
            kill(&killing);
            reply(200, "")
        })
        .await;
        let fields = [
            ("client_id", "c"),
            ("client_secret", "s"),
            ("refresh_token", "first-refresh-token"),
            ("access_token", "access-token-of-last-week"),
        ];
        Keeper::in_file(&file).enter("acme.api", &fields);
        Self { file, process, good, redemptions, api, tokens, _directory: directory }
    }

    /// Runs the process until it is killed.
    async fn run(&self) {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", PROCESS]);
        command.env(FILE, &self.file).env(API, self.api.url("")).env(TOKENS, self.tokens.url("/token"));
        // The servers of this thread answer only when it waits, so the process is known to them before they must kill it.
        let process =
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        *self.process.lock().unwrap() = Some(process);
        eventually("the process was killed", || self.process.lock().unwrap().is_none()).await;
    }

    /// Sends the next request, in a process that knows only the file.
    async fn next(&self) -> (Result<u16, Error>, Arc<Keeper>) {
        let (house, keeper) = house(&self.file, &self.api.url(""), &self.tokens.url("/token"));
        let sent = send(&house.client(), get(self.api.url("/"))).await;
        (sent.map(|response| response.status().as_u16()), keeper)
    }
}

#[tokio::test]
async fn e56_a_process_that_is_killed_before_the_answer_leaves_a_mark_and_the_loss_is_told() {
    if let Ok(file) = std::env::var(FILE) {
        return live(file).await;
    }
    let world = World::new(Killed::BeforeTheAnswer, false).await;
    world.run().await;
    assert!(Keeper::in_file(&world.file).is_marked("acme.api"));
    let (sent, keeper) = world.next().await;
    let error = sent.unwrap_err();
    let is_lost = matches!(&error, Error::Credential(fault) if matches!(**fault, Fault::Lost { .. }));
    assert!(is_lost && error.code() == "CD0326", "{error}");
    assert!(error.to_string().contains("must be connected again"), "{error}");
    assert_eq!(keeper.field("acme.api", "refresh_token").as_deref(), Some("first-refresh-token"));
}

#[tokio::test]
async fn e56_a_provider_that_takes_the_old_token_once_more_heals_what_a_kill_has_cut_off() {
    let world = World::new(Killed::BeforeTheAnswer, true).await;
    world.run().await;
    assert!(Keeper::in_file(&world.file).is_marked("acme.api"));
    let (sent, keeper) = world.next().await;
    assert_eq!(sent.unwrap(), 200);
    assert!(!keeper.is_marked("acme.api"));
    let kept = keeper.field("acme.api", "refresh_token");
    assert_eq!(kept.as_deref(), Some(world.good.lock().unwrap().as_str()));
}

#[tokio::test]
async fn e56_a_token_that_is_used_was_kept_before_whatever_happens_then() {
    let world = World::new(Killed::AtTheFirstUse, false).await;
    world.run().await;
    let kept = Keeper::in_file(&world.file);
    assert!(!kept.is_marked("acme.api"));
    assert_eq!(kept.field("acme.api", "access_token").as_deref(), Some("access-token-1"));
    assert_eq!(world.next().await.0.unwrap(), 200);
    assert_eq!(*world.redemptions.lock().unwrap(), 1, "a token that holds is not renewed");
}
