//! Tables that commands measure and keep in a document, between two lines; what people wrote around them stays.

use std::fs;

use anyhow::{Context, Result};

use crate::paths;

/// Where a table stands.
pub(crate) struct Table {
    /// The document, from the root of the repository.
    pub(crate) document: &'static str,
    pub(crate) begin: &'static str,
    pub(crate) end: &'static str,
}

impl Table {
    pub(crate) fn keep(&self, table: &str) -> Result<()> {
        let path = paths::root().join(self.document);
        let text =
            fs::read_to_string(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        let text = self.replaced(&text, table).with_context(|| {
            format!("`{}` lacks the lines between which the table stands", path.display())
        })?;
        fs::write(&path, text).with_context(|| format!("failed to write `{}`", path.display()))?;
        eprintln!("the table is in {}", path.display());
        Ok(())
    }

    fn replaced(&self, text: &str, table: &str) -> Option<String> {
        let (before, rest) = text.split_once(self.begin)?;
        let (_, after) = rest.split_once(self.end)?;
        Some(format!("{before}{}\n{}\n{}{after}", self.begin, table.trim_end(), self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn only_the_table_is_replaced() {
        let table = Table { document: "a.md", begin: "<!-- table -->", end: "<!-- end -->" };
        let text = "# Title\n<!-- table -->\nold\n<!-- end -->\nwords\n";
        let expected = "# Title\n<!-- table -->\nnew\n<!-- end -->\nwords\n";
        assert_eq!(table.replaced(text, "new\n").as_deref(), Some(expected));
        assert_eq!(table.replaced("no lines", "new\n"), None);
    }
}
