//! A QR code drawn as a PNG.

use bytes::Bytes;
use qrcode::{Color, EcLevel, QrCode};

/// How a code looks.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) struct Look {
    /// Width and height in pixels.
    pub(in crate::sandbox) width: u32,
    /// Red, green, blue of the dark parts.
    pub(in crate::sandbox) line: [u8; 3],
    /// Whether the light parts are transparent instead of white.
    pub(in crate::sandbox) is_transparent: bool,
}

/// Draws `text`. The real platform draws round codes that only WeChat reads; ours is a plain QR
/// code, so that a test can read back what was asked for.
///
/// None where the text is too long for a QR code or the width too small for it.
pub(in crate::sandbox) fn draw(text: &str, look: Look) -> Option<Bytes> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
    let modules = code.width();
    let colors = code.to_colors();
    let width = look.width as usize;
    let scale = width / (modules + 2 * QUIET_MODULES);
    if scale == 0 {
        return None;
    }
    let margin = (width - scale * modules) / 2;
    let module_at = |pixel: usize| pixel.checked_sub(margin).map(|p| p / scale);
    let is_dark = |x: usize, y: usize| match (module_at(x), module_at(y)) {
        (Some(x), Some(y)) if x < modules && y < modules => {
            colors.get(y * modules + x) == Some(&Color::Dark)
        }
        _ => false,
    };
    // One bit a pixel, rows begin at whole bytes.
    let row_bytes = width.div_ceil(8);
    let mut pixels = vec![0_u8; row_bytes * width];
    for (y, row) in pixels.chunks_mut(row_bytes).enumerate() {
        for x in (0..width).filter(|x| is_dark(*x, y)) {
            if let Some(byte) = row.get_mut(x / 8) {
                *byte |= 0x80 >> (x % 8);
            }
        }
    }
    encode(&pixels, look).ok()
}

fn encode(pixels: &[u8], look: Look) -> Result<Bytes, png::EncodingError> {
    let mut out = Vec::with_capacity(4096);
    let mut encoder = png::Encoder::new(&mut out, look.width, look.width);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::One);
    let [red, green, blue] = look.line;
    encoder.set_palette(vec![255, 255, 255, red, green, blue]);
    if look.is_transparent {
        encoder.set_trns(vec![0, 255]);
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out.into())
}

/// Light modules around a code, as its standard asks.
const QUIET_MODULES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_the_size_the_colours_and_the_modules_asked_for() {
        let look = Look { width: 433, line: [10, 20, 30], is_transparent: true };
        let drawn = draw("pages/a?scene=b", look).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&drawn)).read_info().unwrap();
        let info = reader.info();
        assert_eq!((info.width, info.height), (433, 433));
        assert_eq!(info.palette.as_deref(), Some(&[255, 255, 255, 10, 20, 30][..]));
        assert_eq!(info.trns.as_deref(), Some(&[0, 255][..]));
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        // The corner of the first finder pattern is dark, what lies left and above it is light.
        let code = QrCode::with_error_correction_level("pages/a?scene=b", EcLevel::M).unwrap();
        let scale = 433 / (code.width() + 8);
        let margin = (433 - scale * code.width()) / 2;
        let bit = |x: usize, y: usize| pixels[y * 433_usize.div_ceil(8) + x / 8] >> (7 - x % 8) & 1;
        assert_eq!((bit(margin, margin), bit(margin - 1, margin), bit(0, 0)), (1, 0, 0));
    }

    #[test]
    fn text_that_does_not_fit_is_not_drawn() {
        let look = Look { width: 280, line: [0; 3], is_transparent: false };
        assert!(draw(&"x".repeat(5000), look).is_none());
        assert!(draw(&"x".repeat(2000), look).is_some());
        assert!(draw("x", Look { width: 20, ..look }).is_none());
    }
}
