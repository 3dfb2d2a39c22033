//! Workers that are other programs, with a true process each: it is told of, and it is gone.

use std::sync::Arc;

use crate::compiler::tests::compiler;
use crate::parent::{Crew, Passing};

fn crew(script: &str) -> Crew {
    Crew::new(compiler(script, None), Arc::<Passing>::default()).unwrap()
}

#[tokio::test]
async fn a_program_that_is_no_worker_is_told_of_with_how_it_ended_and_its_last_words() {
    for (script, expected) in [
        ("exit 3", "it closed its socket; it ended with status 3"),
        ("echo 'no engine' >&2; exit 1", "it ended with status 1; its last words: no engine"),
        ("kill -ILL $$", "it ended by signal 4"),
        ("printf '\\377\\377\\377\\377' >&0; cat", "at most 41943040 are allowed"),
        ("yes >&0", "at most 41943040 are allowed"),
        ("printf '\\005\\000\\000\\000ab' >&0", "it closed its socket"),
        // What it hears comes back.
        ("exec cat <&0 >&0", "it sent a frame that is no message"),
    ] {
        let error = crew(script).start().await.unwrap_err();
        assert_eq!(error.code(), "CD1403", "{script}: {error}");
        assert!(error.to_string().contains(expected), "{script}: {error}");
    }
}
