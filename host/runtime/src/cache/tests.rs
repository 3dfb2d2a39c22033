use super::*;

fn cache(directory: &Path) -> Cache {
    let mut config = wasmtime::Config::new();
    config.epoch_interruption(true);
    Cache::open(directory, &wasmtime::Engine::new(&config).unwrap()).unwrap()
}

#[test]
fn what_is_stored_is_loaded_by_a_second_process() {
    let directory = tempfile::tempdir().unwrap();
    cache(directory.path()).store("digest", b"code").unwrap();
    assert_eq!(cache(directory.path()).load("digest").unwrap(), b"code");
    assert!(cache(directory.path()).load("other").is_none());
}

#[test]
fn a_changed_or_moved_file_is_not_loaded() {
    let directory = tempfile::tempdir().unwrap();
    let cache = cache(directory.path());
    cache.store("digest", b"compiled code").unwrap();
    let path = cache.path("digest");
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(&path, &bad).unwrap();
        assert!(cache.load("digest").is_none(), "byte {at}");
    }
    fs::write(&path, &good[..good.len() - 1]).unwrap();
    assert!(cache.load("digest").is_none(), "cut");
    fs::write(&path, b"").unwrap();
    assert!(cache.load("digest").is_none(), "empty");
    fs::write(cache.path("other"), &good).unwrap();
    assert!(cache.load("other").is_none(), "moved");
}

#[test]
fn another_key_or_engine_does_not_load() {
    let directory = tempfile::tempdir().unwrap();
    cache(directory.path()).store("digest", b"code").unwrap();
    let plain = wasmtime::Engine::new(&wasmtime::Config::new()).unwrap();
    assert!(Cache::open(directory.path(), &plain).unwrap().load("digest").is_none());
    fs::write(directory.path().join("key"), [7; KEY_BYTES]).unwrap();
    assert!(cache(directory.path()).load("digest").is_none());
}

#[test]
fn the_key_is_the_users_alone_and_a_broken_one_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    cache(directory.path());
    let path = directory.path().join("key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, b"short").unwrap();
    let error = key(&path).unwrap_err();
    assert_eq!(error.code(), "CD0412");
}

#[test]
fn two_processes_at_once_agree_on_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key");
    let threads: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn({
                let path = path.clone();
                move || key(&path).unwrap()
            })
        })
        .collect();
    let keys: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
}
