//! Pictures in files, as SVG or PNG by the ending of the name.

use std::path::Path;

use anyhow::{Result, ensure};
use llmscope_core::files::write_atomically;
use llmscope_core::plot;

use crate::output;

/// Refuses a name with another ending, before anything is measured or read.
pub(crate) fn check(path: &Path) -> Result<()> {
    ensure!(
        matches!(ending(path), "svg" | "png"),
        "--plot {}: expected a name that ends in .svg or .png",
        path.display()
    );
    Ok(())
}

/// Writes a drawing to a file whose name was checked.
pub(crate) fn write(path: &Path, svg: String) -> Result<()> {
    let content = if ending(path) == "svg" { svg.into_bytes() } else { plot::png(&svg)? };
    write_atomically(path, &content)?;
    output::say(output::DIM, "drawn:", &path.display().to_string());
    Ok(())
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}
