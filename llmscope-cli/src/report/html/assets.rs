//! The style and the scripts that every page contains, and the content security policy that allows only these.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Includes the license, which every copy must contain.
const UPLOT: &str =
    concat!("/*\n", include_str!("assets/uplot/LICENSE"), "*/\n", include_str!("assets/uplot/uPlot.iife.min.js"));
const UPLOT_STYLE: &str = include_str!("assets/uplot/uPlot.min.css");
const CHART: &str = include_str!("assets/chart.js");
const PAGE: &str = include_str!("assets/page.js");
const STYLE: &str = include_str!("assets/page.css");

pub(super) struct Assets {
    pub(super) style: String,
}

impl Assets {
    pub(super) fn new() -> Self {
        Self { style: format!("{UPLOT_STYLE}\n{STYLE}") }
    }

    pub(super) fn scripts(&self) -> [&'static str; 3] {
        [UPLOT, CHART, PAGE]
    }

    /// Forbids requests and frames, and only allows the style and the scripts with these hashes. HTML in the data of a
    /// log therefore cannot run scripts.
    pub(super) fn policy(&self) -> String {
        let scripts: Vec<String> = self.scripts().into_iter().map(source).collect();
        format!(
            "default-src 'none'; script-src {}; style-src {}; img-src data:; base-uri 'none'; form-action 'none'",
            scripts.join(" "),
            source(&self.style)
        )
    }
}

fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vendored_files_match_the_hashes_of_their_readme() {
        let readme = include_str!("assets/uplot/README.md");
        for text in [include_str!("assets/uplot/uPlot.iife.min.js"), UPLOT_STYLE] {
            let hash: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(readme.contains(&hash), "{hash}");
        }
    }

    #[test]
    fn no_asset_closes_its_own_element() {
        let assets = Assets::new();
        for text in assets.scripts().into_iter().chain([assets.style.as_str()]) {
            assert!(!text.to_ascii_lowercase().contains("</"), "an asset contains a closing tag");
            assert!(!text.contains("<!--"));
        }
    }
}
