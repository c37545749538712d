//! A picture made anew: right side up, as JPEG, without anything that was written beside its points; and a small one of it.
//!
//! What it says of when and where it was taken is read first, and is all that is kept. What should not be here: which bytes are a
//! picture (`looks`), where it is kept.

use std::io::Cursor;

use domain::moment::{DAY_MS, Date, SECOND_MS, UtcMillis, UtcOffset};
use domain::place::Point;
use exif::{Exif, In, Tag, Value};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, Limits, RgbImage};

use super::jpeg;

/// Points of the largest picture that is looked at: a phone's 50 megapixels. Three bytes each while it is.
const POINTS_MAX: u64 = 52_000_000;
/// Of one that comes in several passes, which a decoder holds as numbers of two bytes besides.
const POINTS_IN_PASSES_MAX: u64 = 26_000_000;
/// Its longer side. Panoramas are wider than they are high.
const SIDE_MAX: u32 = 16_384;
/// The longer side of what is kept: fine print on a shop's sign can be read.
const KEPT_SIDE_MAX: u32 = 4_096;
/// The longer side of the small one.
pub const SMALL_SIDE_MAX: u32 = 320;
/// What a decoder may take besides.
const DECODER_BYTES_MAX: u64 = 256 << 20;
/// What is written beside the points is read up to here.
const NOTES_BYTES_MAX: usize = 256 << 10;
const KEPT_QUALITY: u8 = 88;
const SMALL_QUALITY: u8 = 80;

/// What is left of all points when they are read, of the largest picture that can be seen through.
const READ_BYTES_MAX: u64 = 4 * POINTS_MAX;

/// In which form a picture comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Jpeg,
    Png,
    Webp,
}

/// What became of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub jpeg: Vec<u8>,
    pub small: Vec<u8>,
    pub taken: Option<UtcMillis>,
    pub place: Option<Point>,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPicture {
    /// It breaks off, or is no picture inside.
    Damaged,
    TooLarge {
        width: u32,
        height: u32,
    },
}

impl From<ImageError> for NoPicture {
    fn from(error: ImageError) -> Self {
        tracing::debug!(%error, "a picture cannot be read");
        Self::Damaged
    }
}

/// Makes a picture anew. Its camera's clock is taken to have been set as the hall's where it does not say how.
pub fn make(bytes: &[u8], form: Form, offset: UtcOffset) -> Result<Picture, NoPicture> {
    match form {
        Form::Jpeg => {
            let marks = jpeg::marks(bytes).ok_or(NoPicture::Damaged)?;
            let most = if marks.progressive { POINTS_IN_PASSES_MAX } else { POINTS_MAX };
            of(JpegDecoder::new(Cursor::new(bytes))?, most, offset)
        }
        Form::Png => {
            let mut limits = Limits::no_limits();
            limits.max_alloc = Some(DECODER_BYTES_MAX);
            of(PngDecoder::with_limits(Cursor::new(bytes), limits)?, POINTS_MAX, offset)
        }
        Form::Webp => of(WebPDecoder::new(Cursor::new(bytes))?, POINTS_MAX, offset),
    }
}

fn of(mut decoder: impl ImageDecoder, points_max: u64, offset: UtcOffset) -> Result<Picture, NoPicture> {
    let (width, height) = decoder.dimensions();
    let points = u64::from(width) * u64::from(height);
    if points > points_max || decoder.total_bytes() > READ_BYTES_MAX || width.max(height) > SIDE_MAX {
        return Err(NoPicture::TooLarge { width, height });
    }
    if points == 0 {
        return Err(NoPicture::Damaged);
    }
    // What cannot be read beside the points takes nothing from them.
    let notes = decoder.exif_metadata().ok().flatten().filter(|notes| notes.len() <= NOTES_BYTES_MAX);
    let turned = decoder.orientation()?;
    let mut whole = DynamicImage::from_decoder(decoder)?;
    if width.max(height) > KEPT_SIDE_MAX {
        whole = whole.thumbnail(KEPT_SIDE_MAX, KEPT_SIDE_MAX);
    }
    whole.apply_orientation(turned);
    let whole = on_white(whole);
    let noted = notes.and_then(read);
    Ok(Picture {
        small: small(&whole)?,
        jpeg: encoded(&whole, KEPT_QUALITY)?,
        taken: noted.as_ref().and_then(|noted| taken(noted, offset)),
        place: noted.as_ref().and_then(place),
    })
}

/// The small picture of one that is kept.
pub fn small_of(jpeg: &[u8]) -> Result<Vec<u8>, NoPicture> {
    let whole = DynamicImage::from_decoder(JpegDecoder::new(Cursor::new(jpeg))?)?;
    small(&whole.into_rgb8())
}

fn small(whole: &RgbImage) -> Result<Vec<u8>, NoPicture> {
    let longer = whole.width().max(whole.height());
    if longer <= SMALL_SIDE_MAX {
        return encoded(whole, SMALL_QUALITY);
    }
    let side = |length: u32| {
        let scaled = u64::from(length) * u64::from(SMALL_SIDE_MAX) / u64::from(longer);
        u32::try_from(scaled).unwrap_or(SMALL_SIDE_MAX).max(1)
    };
    let small = image::imageops::thumbnail(whole, side(whole.width()), side(whole.height()));
    encoded(&small, SMALL_QUALITY)
}

/// What is seen through is white: a screenshot's letters are black.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let seen = picture.into_rgba8();
    RgbImage::from_fn(seen.width(), seen.height(), |x, y| {
        let [red, green, blue, alpha] = seen.get_pixel(x, y).0;
        let mix = |shade: u8| {
            let (shade, alpha) = (u32::from(shade), u32::from(alpha));
            u8::try_from((shade * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
        };
        image::Rgb([mix(red), mix(green), mix(blue)])
    })
}

fn encoded(picture: &RgbImage, quality: u8) -> Result<Vec<u8>, NoPicture> {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, quality);
    encoder.encode(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)?;
    Ok(jpeg)
}

/// What can be read of what is written beside the points.
fn read(notes: Vec<u8>) -> Option<Exif> {
    let read = exif::Reader::new().continue_on_error(true).read_raw(notes);
    read.or_else(|error| error.distill_partial_result(|_| {})).ok()
}

fn text(noted: &Exif, tag: Tag) -> Option<&[u8]> {
    let Value::Ascii(lines) = &noted.get_field(tag, In::PRIMARY)?.value else { return None };
    lines.first().map(Vec::as_slice)
}

fn taken(noted: &Exif, offset: UtcOffset) -> Option<UtcMillis> {
    let mut said = exif::DateTime::from_ascii(text(noted, Tag::DateTimeOriginal)?).ok()?;
    if let Some(text) = text(noted, Tag::OffsetTimeOriginal) {
        let _ = said.parse_offset(text);
    }
    let offset = said.offset.map_or(offset, |minutes| UtcOffset(i32::from(minutes)));
    let day = Date::new(i32::from(said.year), said.month, said.day)?.midnight(offset);
    let seconds = i64::from(said.hour) * 3_600 + i64::from(said.minute) * 60 + i64::from(said.second);
    let at = day.plus(seconds * SECOND_MS);
    (at.is_possible() && seconds * SECOND_MS < DAY_MS).then_some(at)
}

fn place(noted: &Exif) -> Option<Point> {
    let degrees = |of: Tag, side: Tag, negative: u8| {
        let Value::Rational(parts) = &noted.get_field(of, In::PRIMARY)?.value else { return None };
        let [degrees, minutes, seconds] = parts.get(..3)? else { return None };
        let all = [degrees, minutes, seconds];
        if all.iter().any(|part| part.denom == 0) || minutes.to_f64() >= 60.0 || seconds.to_f64() >= 60.0 {
            return None;
        }
        let sum = degrees.to_f64() + minutes.to_f64() / 60.0 + seconds.to_f64() / 3_600.0;
        Some(if text(noted, side)?.first() == Some(&negative) { -sum } else { sum })
    };
    let lat = degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef, b'S')?;
    let lon = degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef, b'W')?;
    // Phones that do not know where they are say that they are off the coast of Africa.
    if lat == 0.0 && lon == 0.0 {
        return None;
    }
    Point::from_degrees(lat, lon)
}

#[cfg(test)]
pub(crate) mod tests;
