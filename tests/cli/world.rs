//! A folder of one test with a sync in it, and the program run there with nothing but what the test says.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use crate::canary::Canaries;

/// A folder of its own, in which `components` is the folder of built components. What was entered as a secret is looked for
/// when the world ends: in all that its commands said, and in every file of it.
pub(crate) struct World {
    folder: TempDir,
    /// The program, where it is not the one that was built.
    program: Option<PathBuf>,
    secrets: Mutex<Vec<String>>,
    /// Those files in which a secret may stand: what administrators and upstreams have.
    theirs: Mutex<Vec<PathBuf>>,
    said: Mutex<Vec<String>>,
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.shows_no_secret();
        }
    }
}

/// How the program ended, and what it said.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target").canonicalize().unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let components = target().join("components");
        assert!(components.join("faker.wasm").exists(), "there are no components: run `cargo xtask guests`");
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(components, folder.path().join("components")).unwrap();
        Self {
            folder,
            program: None,
            secrets: Mutex::default(),
            theirs: Mutex::default(),
            said: Mutex::default(),
        }
    }

    /// A world with a copy of the program, which may be replaced as an upgrade does; and where it is.
    pub(crate) fn with_own_program() -> (Self, PathBuf) {
        let mut world = Self::new();
        let copy = world.path("cofferdam");
        fs::copy(env!("CARGO_BIN_EXE_cofferdam"), &copy).unwrap();
        world.program = Some(copy.clone());
        (world, copy)
    }

    /// A world with this sync in it.
    pub(crate) fn with(sync: &str) -> Self {
        let world = Self::new();
        world.file("sync.toml", sync);
        world
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Changes the sync as a person with an editor would.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let sync = self.read("sync.toml");
        assert!(sync.contains(from), "`{from}` is not in the sync");
        self.file("sync.toml", sync.replace(from, to));
    }

    /// The same wherever it stands.
    pub(crate) fn edit_all(&self, from: &str, to: &str) {
        self.file("sync.toml", self.read("sync.toml").replace(from, to));
    }

    pub(crate) fn folder(&self, name: &str) {
        fs::create_dir_all(self.path(name)).unwrap();
    }

    /// A built component's bytes.
    pub(crate) fn component(&self, name: &str) -> Vec<u8> {
        let path = self.path("components").join(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}; run `cargo xtask guests`"))
    }

    /// The program, in an environment that says nothing but where compiled components are. They are shared by all tests:
    /// compiling them is what takes time.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let built = || PathBuf::from(env!("CARGO_BIN_EXE_cofferdam"));
        let mut command = Command::new(self.program.clone().unwrap_or_else(built));
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::null());
        command.env_clear().env("XDG_CACHE_HOME", target().join("tmp/cli-cache"));
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command
    }

    /// Every file below a folder with its bytes: to see that nothing was changed.
    pub(crate) fn files(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(name), &mut files);
        files
    }

    /// The only key file that was made by itself.
    pub(crate) fn key_file(&self) -> PathBuf {
        let keys: Vec<PathBuf> = self.files("config/cofferdam/keys").into_keys().collect();
        assert_eq!(keys.len(), 1, "{keys:?}");
        keys[0].clone()
    }

    /// A shell script in a mount namespace of its own, in which `$PROGRAM` is the program.
    pub(crate) fn mounting(&self, script: &str) -> Ran {
        ran(self.mounted(script).output().expect("`unshare` of util-linux is there"))
    }

    /// The command by which [`Self::mounting`] runs it.
    pub(crate) fn mounted(&self, script: &str) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script]).current_dir(self.folder.path());
        command.env("PROGRAM", env!("CARGO_BIN_EXE_cofferdam")).stdin(Stdio::null());
        command.env("XDG_CACHE_HOME", target().join("tmp/cli-cache"));
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.ended(self.command(arguments))
    }

    /// Runs this command of the world to its end.
    pub(crate) fn ended(&self, mut command: Command) -> Ran {
        let ran = ran(command.output().unwrap());
        self.heard(&ran);
        ran
    }

    /// What a command said that was run in another way than by [`Self::run`].
    pub(crate) fn heard(&self, ran: &Ran) {
        self.saw(ran.report());
    }

    /// What a terminal has shown.
    pub(crate) fn saw(&self, text: String) {
        self.said.lock().unwrap().push(text);
    }

    /// A file that only its owner reads, with a secret in it.
    pub(crate) fn secret(&self, name: &str, text: &str) {
        self.file(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        self.theirs(name);
        self.must_not_show(text.trim());
    }

    /// A file or folder in which secrets may stand, since it is none of the host's.
    pub(crate) fn theirs(&self, name: &str) {
        self.theirs.lock().unwrap().push(self.path(name));
    }

    /// No command says this, and no file holds it.
    pub(crate) fn must_not_show(&self, secret: &str) {
        let mut secrets = self.secrets.lock().unwrap();
        // Of a key in PEM form each line is enough; shorter ones are warned of and looked for by nobody.
        let lines = secret.lines().filter(|line| !line.starts_with("-----") && line.len() >= 12);
        secrets.extend(lines.map(ToOwned::to_owned));
    }

    /// What no command says and no file holds.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.secrets.lock().unwrap().clone()
    }

    /// Looks for each secret in everything that was said and written so far.
    #[track_caller]
    pub(crate) fn shows_no_secret(&self) {
        let secrets = self.secrets.lock().unwrap();
        if secrets.is_empty() {
            return;
        }
        let canaries = Canaries::of(&secrets);
        for said in self.said.lock().unwrap().iter() {
            let found = canaries.found_in(said.as_bytes());
            assert!(found.is_none(), "a command showed a secret {}: {said}", found.unwrap());
        }
        let theirs = self.theirs.lock().unwrap();
        for (path, bytes) in self.files("") {
            if !theirs.iter().any(|one| path.starts_with(one)) {
                let found = canaries.found_in(&bytes);
                assert!(found.is_none(), "a secret lies {} in {}", found.unwrap(), path.display());
            }
        }
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        match path.symlink_metadata().unwrap().file_type() {
            kind if kind.is_dir() => collect(&path, files),
            kind if kind.is_file() => drop(files.insert(path.clone(), fs::read(&path).unwrap())),
            _ => {}
        }
    }
}

pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        status: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Ran {
    /// Standard output, standard error and status, apart.
    pub(crate) fn report(&self) -> String {
        let status = self.status.map_or("ended by a signal".to_owned(), |status| status.to_string());
        format!("status: {status}\n----- stdout\n{}----- stderr\n{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.status, Some(0), "{}", self.report());
        self
    }

    /// The lines that the first hint says to add.
    pub(crate) fn lines_to_add(&self) -> String {
        let mut lines = self.stderr.lines().skip_while(|line| !line.ends_with("to allow it, add"));
        lines.next();
        lines.take_while(|line| line.starts_with("    ")).map(|line| format!("{line}\n")).collect()
    }
}

/// Holds what the program said against the snapshot of this name, without what differs between two runs.
#[macro_export]
macro_rules! snapshot {
    ($name:expr, $ran:expr) => {
        insta::with_settings!({
            snapshot_path => "snapshots",
            prepend_module_to_snapshot => false,
            omit_expression => true,
            filters => $crate::world::FILTERS.to_vec(),
        }, {
            insta::assert_snapshot!($name, $ran.report());
        });
    };
}

/// Times, amounts that depend on the machine, addresses, and the blanks with which tables make room for them.
pub(crate) const FILTERS: &[(&str, &str)] = &[
    (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
    (r"\b[0-9a-f]{32}\b", "[ID]"),
    (r"/\S*/\.tmp\w+/", "[WORLD]/"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[MOMENT]"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[SECOND]"),
    (r"process \d+", "process [PID]"),
    (r"\buser \d+", "user [UID]"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:[PORT]"),
    (r"port = \d+", "port = [PORT]"),
    (r"sport = :\d+", "sport = :[PORT]"),
    (r"port `?\d+`?", "port [PORT]"),
    (r"\b[\d.]+ (ms|s) of ", "[TIME] of "),
    (r"\b[\d.,]+ (B|KiB|MiB|GiB) of ", "[SIZE] of "),
    (r"(?m), [\d.]+ (ms|s)$", ", [TIME]"),
    (r"[\d,]+/s", "[RATE]"),
    (r"table_elements +[\d,]+ of 100,000( +[\d,]+ of 100,000)*", "table_elements [COUNT] of 100,000"),
    (r"(?m)^cpu_ms .*\n", ""),
    // Calls that end within a millisecond have no line.
    (
        r"(?m)^(call_ms|host_call_ms|request_ms|requests_per_second|concurrent_requests) +(source|destination|.* of ).*\n",
        "",
    ),
    (r"\[MOMENT\] +[\d.]+ (ms|s) ", "[MOMENT]  [TIME] "),
    (r"(?m)^(\w+_\w+|instances|handles) +(source|destination) .*$", "$1  $2  [USED]"),
    (r"entries, [\d.]+ (B|KiB|MiB),", "entries, [SIZE],"),
    (r"records open, [\d.]+ (B|KiB|MiB)", "records open, [SIZE]"),
    (r"size       .*", "size       [SIZE]"),
    (r"(?m)`, [\d.]+ MiB$", "`, [SIZE]"),
    (r"/\S*/library/", "[RUST]/library/"),
    (r"([^\s|])  +", "$1  "),
];
