//! The clock a machine can read: 64 black and white cells in the picture's lower left corner.
//!
//! Geometry. The picture is thought of as a grid of 80 columns; a cell is a square of side
//! `width / 80` pixels (16 at 1280, 8 at 640). The strip is 32 cells wide and 2 high: columns 1–32, in the
//! second and third row of cells from the bottom; one black cell surrounds it on all sides. So cell
//! `i` (0–63) has its centre, in fractions of the picture,
//! `x = (1.5 + i mod 32) / 80` and `y = 1 − (2.5 − i div 32) · (width / 80) / height`.
//!
//! Meaning, in order of `i`: cells 0 and 1 are white, black; cells 2–49 are the capture time, Unix
//! milliseconds, 48 bits, highest first, white = 1; cells 50–61 are the check, 12 bits, highest first;
//! cells 62 and 63 are black, white. The threshold is the mean of the four fixed cells.
//! The check is CRC-12 (polynomial 0x80F, start 0xFFF, no reflection) over the 48 bits.
//!
//! A cell should be judged by the mean of its middle half. At half size (4-pixel cells of a 640-wide
//! picture) this still reads; `docs/sim-cameras.md` has the reader in JavaScript.

use super::canvas::{Canvas, Colour};

const COLUMNS: usize = 80;
const CELLS: usize = 64;
const CELLS_WIDE: usize = 32;
const TIME_BITS: usize = 48;
const CHECK_BITS: usize = 12;

/// The cells for a time, `true` is white.
pub fn cells(unix_ms: u64) -> [bool; CELLS] {
    let mut cells = [false; CELLS];
    cells[0] = true;
    cells[63] = true;
    let time = (0..TIME_BITS).rev().map(|bit| unix_ms >> bit & 1 == 1);
    let check = check(unix_ms);
    let check = (0..CHECK_BITS).rev().map(|bit| check >> bit & 1 == 1);
    for (cell, white) in cells[2..62].iter_mut().zip(time.chain(check)) {
        *cell = white;
    }
    cells
}

/// CRC-12 of the 48 bits.
fn check(unix_ms: u64) -> u16 {
    (0..TIME_BITS).rev().fold(0xfff, |crc: u16, bit| {
        let feed = (crc >> 11 & 1) ^ (unix_ms >> bit & 1) as u16;
        (crc << 1 & 0xfff) ^ if feed == 1 { 0x80f } else { 0 }
    })
}

/// Paints the strip for `unix_ms`.
pub fn paint(canvas: &mut Canvas, unix_ms: u64) {
    let side = (canvas.width / COLUMNS) as i32;
    let top = canvas.height as i32 - 4 * side;
    canvas.rectangle(0, top, side * (CELLS_WIDE as i32 + 2), 4 * side, Colour::BLACK);
    for (index, _) in cells(unix_ms).into_iter().enumerate().filter(|(_, white)| *white) {
        let (column, row) = ((index % CELLS_WIDE) as i32, (index / CELLS_WIDE) as i32);
        canvas.rectangle((1 + column) * side, top + (1 + row) * side, side, side, Colour::WHITE);
    }
}

/// Reads the strip back from a luma plane of any size with the picture's proportions.
/// Nothing when the fixed cells or the check do not agree.
pub fn read(width: usize, height: usize, luma: impl Fn(usize, usize) -> u8) -> Option<u64> {
    let side = width as f64 / COLUMNS as f64;
    let level = |index: usize| {
        let centre_x = (1.5 + (index % CELLS_WIDE) as f64) * side;
        let centre_y = height as f64 - (2.5 - (index / CELLS_WIDE) as f64) * side;
        let reach = side / 4.0;
        let range = |centre: f64, end: usize| {
            let first = ((centre - reach).floor().max(0.0) as usize).min(end - 1);
            first..((centre + reach).ceil() as usize).clamp(first + 1, end)
        };
        let (mut sum, mut count) = (0u32, 0u32);
        for y in range(centre_y, height) {
            for x in range(centre_x, width) {
                sum += u32::from(luma(x, y));
                count += 1;
            }
        }
        f64::from(sum) / f64::from(count)
    };
    let threshold = [0, 1, 62, 63].map(level).iter().sum::<f64>() / 4.0;
    let bits: Vec<bool> = (0..CELLS).map(|index| level(index) > threshold).collect();
    let number = bits[2..2 + TIME_BITS].iter().fold(0u64, |sum, &white| sum << 1 | u64::from(white));
    (cells(number)[..] == bits[..]).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strip_reads_back_at_full_and_half_size() {
        for (width, height) in [(1280, 720), (640, 360), (960, 540)] {
            for unix_ms in [0, 1, 1_795_226_400_123, (1 << 48) - 1] {
                let mut canvas = Canvas::new(width, height);
                canvas.rectangle(0, 0, width as i32, height as i32, Colour::rgb(90, 120, 60));
                paint(&mut canvas, unix_ms);
                let (width, height) = (width as usize, height as usize);
                assert_eq!(read(width, height, |x, y| canvas.luma_at(x, y)), Some(unix_ms));
                let half = |x: usize, y: usize| canvas.luma_at(2 * x, 2 * y);
                assert_eq!(read(width / 2, height / 2, half), Some(unix_ms));
            }
        }
    }

    /// Method: turn over each of the 64 cells in turn; no such picture may be read as a time.
    #[test]
    fn one_wrong_cell_is_never_read_as_a_time() {
        let unix_ms = 1_795_226_400_123;
        for wrong in 0..CELLS {
            let mut canvas = Canvas::new(640, 360);
            paint(&mut canvas, unix_ms);
            let colour = if cells(unix_ms)[wrong] { Colour::BLACK } else { Colour::WHITE };
            let (column, row) = ((wrong % CELLS_WIDE) as i32, (wrong / CELLS_WIDE) as i32);
            canvas.rectangle((1 + column) * 8, 360 - 32 + (1 + row) * 8, 8, 8, colour);
            assert_eq!(read(640, 360, |x, y| canvas.luma_at(x, y)), None, "cell {wrong}");
        }
    }

    #[test]
    fn a_picture_without_a_strip_has_no_time() {
        let canvas = Canvas::new(640, 360);
        assert_eq!(read(640, 360, |x, y| canvas.luma_at(x, y)), None);
    }
}
