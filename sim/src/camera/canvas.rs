//! A picture in memory (planar YUV 4:2:0) and the few shapes a scene is made of.
//!
//! All shapes are filled span by span, so that drawing costs little even in an unoptimised build.

use ffmpeg_next::util::frame::video::Video as Frame;

use super::font;

/// A colour as the encoder takes it: luma and the two differences, limited range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    pub y: u8,
    pub u: u8,
    pub v: u8,
}

impl Colour {
    pub const BLACK: Self = Self { y: 16, u: 128, v: 128 };
    pub const WHITE: Self = Self { y: 235, u: 128, v: 128 };

    /// From red, green and blue of 0–255, BT.601.
    pub fn rgb(red: u8, green: u8, blue: u8) -> Self {
        let (r, g, b) = (f32::from(red), f32::from(green), f32::from(blue));
        Self {
            y: (16.0 + 0.257 * r + 0.504 * g + 0.098 * b) as u8,
            u: (128.0 - 0.148 * r - 0.291 * g + 0.439 * b) as u8,
            v: (128.0 + 0.439 * r - 0.368 * g - 0.071 * b) as u8,
        }
    }

    /// The colour under a light of 0 (dark) to 1 (full day): darker and bluer.
    pub fn lit(self, light: f32) -> Self {
        let light = light.clamp(0.0, 1.0);
        let fade = |c: u8| (128.0 + (f32::from(c) - 128.0) * (0.4 + 0.6 * light)) as u8;
        Self {
            y: (16.0 + (f32::from(self.y) - 16.0) * light) as u8,
            u: fade(self.u).saturating_add((6.0 * (1.0 - light)) as u8),
            v: fade(self.v),
        }
    }

    /// A mixture: 0 is `self`, 1 is `other`.
    pub fn towards(self, other: Self, share: f32) -> Self {
        let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * share) as u8;
        Self { y: mix(self.y, other.y), u: mix(self.u, other.u), v: mix(self.v, other.v) }
    }
}

/// A picture being drawn. Coordinates outside it are clipped.
#[derive(Clone)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    luma: Vec<u8>,
    blue: Vec<u8>,
    red: Vec<u8>,
}

impl Canvas {
    /// A black picture; both sides are even numbers.
    pub fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        Self {
            width,
            height,
            luma: vec![16; width * height],
            blue: vec![128; chroma],
            red: vec![128; chroma],
        }
    }

    /// Takes over another picture of the same size.
    pub fn copy_from(&mut self, other: &Self) {
        self.luma.copy_from_slice(&other.luma);
        self.blue.copy_from_slice(&other.blue);
        self.red.copy_from_slice(&other.red);
    }

    /// Writes the picture into the encoder's frame, line by line as that one is padded.
    pub fn copy_to(&self, frame: &mut Frame) {
        let half = self.width / 2;
        for (index, (plane, width)) in
            [(&self.luma, self.width), (&self.blue, half), (&self.red, half)].into_iter().enumerate()
        {
            let stride = frame.stride(index);
            let lines = frame.data_mut(index).chunks_mut(stride);
            for (to, from) in lines.zip(plane.chunks(width)) {
                to[..width].copy_from_slice(from);
            }
        }
    }

    /// Luma at a place, for reading a picture back in tests.
    pub fn luma_at(&self, x: usize, y: usize) -> u8 {
        self.luma[y * self.width + x]
    }

    /// One horizontal run of pixels, `left` included, `right` not.
    fn span(&mut self, y: i32, left: i32, right: i32, colour: Colour) {
        if y < 0 || y >= self.height as i32 {
            return;
        }
        let left = left.clamp(0, self.width as i32) as usize;
        let right = right.clamp(0, self.width as i32) as usize;
        if left >= right {
            return;
        }
        let y = y as usize;
        self.luma[y * self.width + left..y * self.width + right].fill(colour.y);
        if y.is_multiple_of(2) {
            let row = y / 2 * (self.width / 2);
            let run = row + left / 2..row + right.div_ceil(2).min(self.width / 2);
            self.blue[run.clone()].fill(colour.u);
            self.red[run].fill(colour.v);
        }
    }

    pub fn rectangle(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Colour) {
        for line in y.max(0)..(y + height).min(self.height as i32) {
            self.span(line, x, x + width, colour);
        }
    }

    /// A vertical gradient over the whole width.
    pub fn gradient(&mut self, top: i32, bottom: i32, from: Colour, to: Colour) {
        for line in top..bottom {
            let share = (line - top) as f32 / (bottom - top).max(1) as f32;
            self.span(line, 0, self.width as i32, from.towards(to, share));
        }
    }

    /// A convex polygon.
    pub fn polygon(&mut self, corners: &[(f32, f32)], colour: Colour) {
        let top = corners.iter().map(|c| c.1).fold(f32::MAX, f32::min).max(0.0).floor() as i32;
        let bottom =
            corners.iter().map(|c| c.1).fold(f32::MIN, f32::max).min(self.height as f32).ceil() as i32;
        for line in top..bottom {
            let middle = line as f32 + 0.5;
            let (mut left, mut right) = (f32::MAX, f32::MIN);
            for (index, &(x1, y1)) in corners.iter().enumerate() {
                let (x2, y2) = corners[(index + 1) % corners.len()];
                if (y1 <= middle) != (y2 <= middle) {
                    let x = x1 + (middle - y1) / (y2 - y1) * (x2 - x1);
                    left = left.min(x);
                    right = right.max(x);
                }
            }
            if left < right {
                self.span(line, left.round() as i32, right.round() as i32, colour);
            }
        }
    }

    /// A filled circle.
    pub fn disc(&mut self, x: f32, y: f32, radius: f32, colour: Colour) {
        for line in (y - radius).floor() as i32..=(y + radius).ceil() as i32 {
            let across = radius * radius - (line as f32 - y).powi(2);
            if across > 0.0 {
                let half = across.sqrt();
                self.span(line, (x - half).round() as i32, (x + half).round() as i32, colour);
            }
        }
    }

    /// A line of text in the bitmap font, each dot `dot` pixels wide; unknown characters are blanks.
    pub fn text(&mut self, x: i32, y: i32, dot: i32, text: &str, colour: Colour) {
        for (place, character) in text.chars().enumerate() {
            let left = x + place as i32 * font::ADVANCE * dot;
            for (row, bits) in font::glyph(character).into_iter().enumerate() {
                for column in (0..font::WIDTH).filter(|column| bits >> (font::WIDTH - 1 - column) & 1 == 1) {
                    self.rectangle(left + column * dot, y + row as i32 * dot, dot, dot, colour);
                }
            }
        }
    }

    /// Grain as of a sensor in poor light: luma of each pixel moves by up to ±`amount`. Makes bits.
    pub fn grain(&mut self, amount: u8, seed: u32) {
        let mut state = seed | 1;
        let span = u32::from(amount) * 2 + 1;
        for pixel in &mut self.luma {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let moved = i32::from(*pixel) + (state % span) as i32 - i32::from(amount);
            *pixel = moved.clamp(16, 235) as u8;
        }
    }
}
