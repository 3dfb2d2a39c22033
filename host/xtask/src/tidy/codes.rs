//! Every error code has a page that explains it, and every page a code.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};

use super::sources::Sources;

/// The folder of the pages, relative to the root of the repository.
const PAGES: &str = "host/docs/errors";

/// What each page has, beside its title.
const SECTIONS: [&str; 3] = ["What happened", "Likely causes", "What to do"];

/// Code and text of each page.
pub(super) fn pages(root: &Path) -> Result<BTreeMap<String, String>> {
    let directory = root.join(PAGES);
    let mut pages = BTreeMap::new();
    if !directory.exists() {
        return Ok(pages);
    }
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "md") {
            let text =
                fs::read_to_string(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
            pages.insert(path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), text);
        }
    }
    Ok(pages)
}

/// One line for each code without a page, page without a code, and page without one of its parts.
pub(super) fn faults(sources: &Sources, pages: &BTreeMap<String, String>) -> Vec<String> {
    let codes = codes(sources);
    let mut faults = Vec::new();
    for (code, path) in codes.iter().filter(|(code, _)| !pages.contains_key(*code)) {
        faults.push(format!("codes: `{code}` (`{path}`) has no page: write `{PAGES}/{code}.md`"));
    }
    for (code, text) in pages {
        if !codes.contains_key(code) {
            faults.push(format!("codes: `{PAGES}/{code}.md` explains a code that no error has"));
        }
        let title = format!("# {code}: ");
        let parts = SECTIONS.iter().filter(|section| !text.contains(**section)).copied();
        let title = (!text.starts_with(&title)).then_some(title.as_str());
        for part in title.into_iter().chain(parts) {
            faults.push(format!("codes: `{PAGES}/{code}.md` has no `{part}`"));
        }
    }
    faults
}

/// The codes that the crates of the host can answer, each with a file that names it. Tests do not count.
fn codes(sources: &Sources) -> BTreeMap<String, String> {
    let mut codes = BTreeMap::new();
    for source in sources.iter() {
        let path = source.path.to_string_lossy().into_owned();
        if !path.starts_with("host/") || path.starts_with("host/xtask/") || is_test(&path) {
            continue;
        }
        let code = source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for code in code.split('"').filter(|literal| is_code(literal)) {
            codes.entry(code.to_owned()).or_insert_with(|| path.clone());
        }
    }
    codes
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

fn is_code(literal: &str) -> bool {
    let digits = literal.strip_prefix("CD").unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Sources, faults};

    const PAGE: &str = "# CD0101: unknown key\n\n## What happened\n\n## Likely causes\n\n## What to do\n";
    const ERROR: (&str, &str) = ("host/manifest/src/error.rs", r#"fn code() -> &'static str { "CD0101" }"#);

    fn check(files: &[(&str, &str)], pages: &[(&str, &str)]) -> Vec<String> {
        let pages: BTreeMap<_, _> =
            pages.iter().map(|(code, text)| ((*code).to_owned(), (*text).to_owned())).collect();
        faults(&Sources::made_up(files), &pages)
    }

    #[test]
    fn a_code_with_its_page_is_fine() {
        assert_eq!(check(&[ERROR], &[("CD0101", PAGE)]), Vec::<String>::new());
    }

    #[test]
    fn a_code_without_a_page_is_a_fault() {
        let faults = check(&[ERROR], &[]);
        assert!(faults[0].contains("`CD0101` (`host/manifest/src/error.rs`) has no page"), "{faults:?}");
    }

    #[test]
    fn a_page_without_a_code_is_a_fault_even_when_tests_name_it() {
        let in_tests = [
            ("host/manifest/src/tests.rs", r#"assert_eq!(error.code(), "CD0101");"#),
            ("host/manifest/src/lib.rs", "#[cfg(test)]\nmod tests {\n const CODE: &str = \"CD0101\";\n}"),
        ];
        let faults = check(&in_tests, &[("CD0101", PAGE)]);
        assert_eq!(faults, ["codes: `host/docs/errors/CD0101.md` explains a code that no error has"]);
    }

    #[test]
    fn a_page_without_its_parts_is_a_fault() {
        let faults = check(&[ERROR], &[("CD0101", "# CD0102: wrong\n\n## What happened\n\n## What to do\n")]);
        let missing = ["# CD0101: ", "Likely causes"];
        assert_eq!(
            faults,
            missing.map(|part| format!("codes: `host/docs/errors/CD0101.md` has no `{part}`"))
        );
    }
}
