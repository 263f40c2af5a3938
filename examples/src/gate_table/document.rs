//! The document whose tables are written.

use anyhow::{Context as _, Result};

/// A document with places between `<!-- begin NAME -->` and `<!-- end NAME -->`.
pub(crate) struct Document {
    path: String,
    text: String,
}

impl Document {
    pub(crate) fn open(path: &str) -> Result<Self> {
        Ok(Self { path: path.to_owned(), text: std::fs::read_to_string(path).with_context(|| path.to_owned())? })
    }

    /// Replaces the text between the begin and end markers of this name with the table, and saves the document.
    pub(crate) fn fill(&mut self, name: &str, table: &str) -> Result<()> {
        let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
        let missing = || format!("no markers `begin {name}` and `end {name}` in the document");
        let from = self.text.find(&begin).with_context(missing)? + begin.len();
        let to = self.text.find(&end).filter(|&to| to >= from).with_context(missing)?;
        self.text = format!("{}{table}{}", &self.text[..from], &self.text[to..]);
        std::fs::write(&self.path, &self.text).with_context(|| self.path.clone())
    }
}
