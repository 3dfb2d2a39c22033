//! Whether what writers have left is what they had acknowledged, step by step: the marks `begin` and `acknowledged`.

use std::collections::{BTreeMap, BTreeSet};

use power::script;

use crate::campaign::After;

/// How far a writer has come.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    begun: u32,
    acknowledged: u32,
}

/// Every writer must have left exactly the state after its last acknowledged step, or the one after it if that was begun:
/// so nothing is lost, nothing is there in part, and nothing comes back.
pub(crate) fn judge(after: &After<'_>) -> Result<(), String> {
    let progress = progress(&after.marks);
    let mut found: BTreeSet<&str> =
        after.found.iter().copied().filter(|line| script::is_fact(line)).collect();
    for (writer, progress) in &progress {
        let own: BTreeSet<&str> =
            found.iter().copied().filter(|line| script::is_fact_of(line, *writer)).collect();
        found.retain(|line| !own.contains(line));
        let possible = [progress.acknowledged, progress.begun];
        let is_after =
            |steps: &u32| script::facts(*writer, *steps).iter().map(String::as_str).eq(own.iter().copied());
        if !possible.iter().any(is_after) {
            let back = (0..progress.acknowledged).rev().find(is_after);
            return Err(format!(
                "writer {writer} is at {progress:?}, and what is found is {}",
                match back {
                    Some(steps) => format!("what there was after {steps} steps"),
                    None => format!("nothing that ever was: {own:?}"),
                }
            ));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(format!("nobody has written {found:?}")) }
}

fn progress(marks: &[&str]) -> BTreeMap<u32, Progress> {
    let mut progress: BTreeMap<u32, Progress> = BTreeMap::new();
    for mark in marks {
        let words: Vec<&str> = mark.split(' ').collect();
        let [what, writer, number] = words.as_slice() else { continue };
        let steps = |number: &str| number.parse::<u32>().unwrap() + 1;
        match *what {
            "begin" => progress.entry(writer.parse().unwrap()).or_default().begun = steps(number),
            "acknowledged" => {
                progress.entry(writer.parse().unwrap()).or_default().acknowledged = steps(number)
            }
            _ => {}
        }
    }
    progress
}

#[cfg(test)]
mod tests {
    use power::script;

    use super::judge;
    use crate::campaign::After;

    fn judged(marks: &[&str], found: &[String]) -> Result<(), String> {
        judge(&After { marks: marks.to_vec(), found: found.iter().map(String::as_str).collect() })
    }

    #[test]
    fn a_step_that_was_begun_may_be_there_or_not() {
        let marks = ["begin 1 8", "acknowledged 1 8", "begin 1 9"];
        assert_eq!(judged(&marks, &script::facts(1, 9)), Ok(()));
        assert_eq!(judged(&marks, &script::facts(1, 10)), Ok(()));
        let lost = judged(&marks, &script::facts(1, 7)).unwrap_err();
        assert!(lost.contains("after 7 steps"), "{lost}");
    }

    #[test]
    fn a_half_is_found_out_and_so_is_what_nobody_wrote() {
        let marks = ["begin 1 0", "acknowledged 1 0"];
        let mut facts = script::facts(1, 1);
        facts.push(script::fact("9/1", b"x"));
        assert!(judged(&marks, &facts).unwrap_err().contains("nobody"));
        facts = script::facts(1, 30);
        facts.pop();
        let marks = ["begin 1 29", "acknowledged 1 29"];
        assert!(judged(&marks, &facts).unwrap_err().contains("nothing that ever was"));
    }
}
