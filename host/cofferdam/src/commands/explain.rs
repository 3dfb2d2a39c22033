//! `cofferdam explain`: the page of an error code.

use include_dir::{Dir, include_dir};
use serde_json::json;

use crate::arguments::Explain;
use crate::output::Output;
use crate::problem::{Own, Problems};
use crate::text::closest;

static PAGES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../docs/errors");

struct Page {
    code: &'static str,
    text: &'static str,
}

pub(super) fn run(command: &Explain, output: &Output) -> Result<(), Problems> {
    let pages = pages();
    match &command.code {
        Some(code) => one(find(&pages, code)?, output),
        None => all(&pages, output),
    }
}

fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> = PAGES.files().filter_map(page).collect();
    pages.sort_by_key(|page| page.code);
    pages
}

fn page(file: &'static include_dir::File<'static>) -> Option<Page> {
    Some(Page { code: file.path().file_stem()?.to_str()?, text: file.contents_utf8()? })
}

impl Page {
    /// What stands after the code in the first line.
    fn title(&self) -> &'static str {
        let first = self.text.lines().next().unwrap_or_default();
        first.split_once(": ").map_or(first, |(_, title)| title)
    }
}

/// `cd202` and `202` are understood too: a person types them.
fn find<'p>(pages: &'p [Page], code: &str) -> Result<&'p Page, Problems> {
    let upper = code.trim().to_uppercase();
    let digits = upper.trim_start_matches("CD");
    let full = format!("CD{digits:0>4}");
    if let Some(page) = pages.iter().find(|page| page.code == full) {
        return Ok(page);
    }
    let suggestion = closest(&full, pages.iter().map(|page| page.code)).map(ToOwned::to_owned);
    Err(Own::UnknownCode { code: code.to_owned(), suggestion }.into())
}

fn one(page: &Page, output: &Output) -> Result<(), Problems> {
    if output.json {
        return output.document(&json!({ "code": page.code, "title": page.title(), "page": page.text }));
    }
    output.text(page.text)
}

fn all(pages: &[Page], output: &Output) -> Result<(), Problems> {
    if output.json {
        let codes = pages.iter().map(|page| json!({ "code": page.code, "title": page.title() }));
        return output.document(&json!({ "codes": codes.collect::<Vec<_>>() }));
    }
    output.text(&pages.iter().map(|page| format!("{}  {}\n", page.code, page.title())).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::{find, pages};

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        let pages = pages();
        for typed in ["CD0202", "cd0202", "0202", "202", " CD202 "] {
            assert_eq!(find(&pages, typed).map(|page| page.code).ok(), Some("CD0202"), "{typed}");
        }
    }

    #[test]
    fn every_page_has_a_title() {
        let pages = pages();
        assert!(pages.len() > 50);
        for page in pages {
            assert!(page.text.starts_with(&format!("# {}: {}", page.code, page.title())), "{}", page.code);
        }
    }
}
