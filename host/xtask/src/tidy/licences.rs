//! Every crate that is compiled in has a licence of the list.

use super::metadata::Metadata;

/// Licences that go with Apache-2.0 in one program.
const ALLOWED: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    // University of Illinois: LLVM before its exception, of which libFuzzer is a part.
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// One line for each package whose licence is missing or not of the list.
pub(super) fn faults(metadata: &Metadata) -> Vec<String> {
    let mut faults = Vec::new();
    for package in &metadata.packages {
        let licence = package.license.as_deref().unwrap_or("none");
        if !is_allowed(licence) {
            faults.push(format!(
                "licences: `{}` {} has the licence `{licence}`",
                package.name, package.version
            ));
        }
    }
    faults
}

/// Evaluates an SPDX expression. Old crates write `MIT/Apache-2.0` for `MIT OR Apache-2.0`.
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words };
    parser.any() == Some(true) && parser.words.is_empty()
}

/// `any := all ("OR" all)*`, `all := one ("AND" one)*`, `one := "(" any ")" | id ["WITH" exception]`
struct Parser<'a> {
    words: &'a [&'a str],
}

impl<'a> Parser<'a> {
    /// None: this is no expression.
    fn any(&mut self) -> Option<bool> {
        let mut allowed = self.all()?;
        while self.take("OR") {
            allowed |= self.all()?;
        }
        Some(allowed)
    }

    fn all(&mut self) -> Option<bool> {
        let mut allowed = self.one()?;
        while self.take("AND") {
            allowed &= self.one()?;
        }
        Some(allowed)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let allowed = self.any()?;
            return self.take(")").then_some(allowed);
        }
        let licence = self.next()?;
        if self.take("WITH") {
            let exception = self.next()?;
            return Some(ALLOWED.contains(&format!("{licence} WITH {exception}").as_str()));
        }
        Some(ALLOWED.contains(&licence))
    }

    fn take(&mut self, word: &str) -> bool {
        let is_next = self.words.first() == Some(&word);
        if is_next {
            self.next();
        }
        is_next
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::metadata::made_up, faults, is_allowed};

    #[test]
    fn expressions_are_read_as_spdx_says() {
        for allowed in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0-only",
            "(MIT OR Apache-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in
            ["GPL-3.0-only", "MIT AND GPL-3.0-only", "MIT OR", "(MIT", "", "MIT WITH Classpath", "MIT MIT"]
        {
            assert!(!is_allowed(refused), "{refused}");
        }
    }

    #[test]
    fn a_crate_without_a_licence_is_a_fault() {
        let mut metadata = made_up(&[("it", &[])]);
        assert!(faults(&metadata).is_empty());
        metadata.packages[0].license = None;
        assert_eq!(faults(&metadata), ["licences: `it` 1.2.3 has the licence `none`"]);
    }
}
