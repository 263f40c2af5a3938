//! SVG to PNG, with an embedded font.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, Options, Tree};

use crate::error::{Error, Result};

/// Pixels per SVG unit: sharp on a high-density screen and in print.
const SCALE: f32 = 2.0;

/// Inter (SIL Open Font License 1.1), reduced to the characters of a chart.
static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    fonts.load_font_data(include_bytes!("font/Inter-Regular-subset.otf").to_vec());
    fonts.load_font_data(include_bytes!("font/Inter-SemiBold-subset.otf").to_vec());
    Arc::new(fonts)
});

/// Renders an SVG picture as PNG, at two pixels per unit, without system fonts.
///
/// # Errors
/// [`Error::Render`] with the renderer's message.
///
/// ```
/// use llmscope_core::plot::png;
///
/// let picture = png(r#"<svg xmlns="http://www.w3.org/2000/svg" width="8" height="4"/>"#)?;
/// assert_eq!(&picture[1..4], b"PNG");
/// assert_eq!(picture[19], 16); // two pixels a unit: the width, in the last byte of its field
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn png(svg: &str) -> Result<Vec<u8>> {
    let failed = |message: String| Error::Render { message };
    let options = Options { fontdb: FONTS.clone(), font_family: "Inter".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| failed(error.to_string()))?;
    let size = tree.size().to_int_size().scale_by(SCALE).ok_or_else(|| failed("empty picture".to_owned()))?;
    let mut pixels = Pixmap::new(size.width(), size.height()).ok_or_else(|| failed("picture too large".to_owned()))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(error.to_string()))
}
