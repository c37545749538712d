//! Pictures as phones send them, and as others do.

use exif::experimental::Writer;
use exif::{Field, Rational};
use image::ImageFormat;

use super::*;

/// Left half red, right half blue.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        image::Rgb(if x < width / 2 { [230, 20, 20] } else { [20, 20, 230] })
    })
}

pub(crate) fn drawn(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(halves(width, height)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn field(tag: Tag, value: Value) -> Field {
    Field { tag, ifd_num: In::PRIMARY, value }
}

fn ascii(tag: Tag, text: &str) -> Field {
    field(tag, Value::Ascii(vec![text.as_bytes().to_vec()]))
}

fn angle(tag: Tag, parts: [(u32, u32); 3]) -> Field {
    field(
        tag,
        Value::Rational(parts.iter().map(|(num, denom)| Rational { num: *num, denom: *denom }).collect()),
    )
}

/// A JPEG with these notes.
pub(crate) fn noted(fields: &[Field]) -> Vec<u8> {
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut notes = Cursor::new(Vec::new());
    writer.write(&mut notes, false).unwrap();
    let notes = notes.into_inner();
    let plain = drawn(40, 20, ImageFormat::Jpeg);
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xFF, 0xE1]);
    bytes.extend(u16::try_from(notes.len() + 8).unwrap().to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(notes);
    bytes.extend(&plain[2..]);
    bytes
}

/// Where and when, as a phone at Panlong says it.
pub(crate) fn of_panlong() -> Vec<Field> {
    vec![
        ascii(Tag::DateTimeOriginal, "2026:11:21 10:00:05"),
        ascii(Tag::Model, "PHONE-OF-SOMEBODY"),
        ascii(Tag::GPSLatitudeRef, "N"),
        angle(Tag::GPSLatitude, [(25, 1), (2, 1), (2_400, 100)]),
        ascii(Tag::GPSLongitudeRef, "E"),
        angle(Tag::GPSLongitude, [(102, 1), (43, 1), (1_200, 100)]),
    ]
}

fn made(bytes: &[u8]) -> Result<Picture, NoPicture> {
    let form = match bytes.first() {
        Some(0xFF) => Form::Jpeg,
        Some(0x89) => Form::Png,
        _ => Form::Webp,
    };
    make(bytes, form, UtcOffset(480))
}

fn opened(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().into_rgb8()
}

#[test]
fn pictures_of_all_three_forms_become_jpeg_and_a_small_one_comes_with_them() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let picture = made(&drawn(1_000, 500, format)).unwrap();
        let (whole, small) = (opened(&picture.jpeg), opened(&picture.small));
        assert_eq!(
            (whole.dimensions(), small.dimensions()),
            ((1_000, 500), (SMALL_SIDE_MAX, 160)),
            "{format:?}"
        );
        assert!(small.get_pixel(20, 80).0[0] > 200 && small.get_pixel(300, 80).0[2] > 200, "{format:?}");
        assert_eq!(
            opened(&small_of(&picture.jpeg).unwrap()).dimensions(),
            (SMALL_SIDE_MAX, 160),
            "made later"
        );
    }
    let tiny = made(&drawn(3, 2, ImageFormat::Png)).unwrap();
    assert_eq!(opened(&tiny.small).dimensions(), (3, 2), "nothing is blown up");
    assert_eq!(made(&drawn(3, 2, ImageFormat::Png)).unwrap(), tiny, "the same is made of the same");
}

#[test]
fn when_and_where_are_read_and_nothing_else_is_kept() {
    let picture = made(&noted(&of_panlong())).unwrap();
    assert_eq!(picture.taken, Some(UtcMillis(1_795_226_405_000)));
    assert_eq!(picture.place, Point::from_e6(25_040_000, 102_720_000));
    for kept in [&picture.jpeg, &picture.small] {
        let text = String::from_utf8_lossy(kept);
        assert!(!text.contains("PHONE-OF-SOMEBODY") && !text.contains("Exif"), "notes are left in it");
    }
    let east = [of_panlong(), vec![ascii(Tag::OffsetTimeOriginal, "+09:00")]].concat();
    assert_eq!(made(&noted(&east)).unwrap().taken, Some(UtcMillis(1_795_222_805_000)));
}

#[test]
fn a_picture_that_lies_on_its_side_is_put_upright() {
    let turned = noted(&[field(Tag::Orientation, Value::Short(vec![6]))]);
    let whole = opened(&made(&turned).unwrap().jpeg);
    assert_eq!(whole.dimensions(), (20, 40));
    let (top, bottom) = (whole.get_pixel(10, 4).0, whole.get_pixel(10, 36).0);
    assert!(top[0] > 150 && bottom[2] > 150, "left has become top: {top:?} {bottom:?}");
}

#[test]
fn a_place_or_time_that_cannot_be_is_none() {
    let with = |at: usize, other: Field| {
        let mut fields = of_panlong();
        fields[at] = other;
        made(&noted(&fields)).unwrap()
    };
    for parts in [
        [(91, 1), (0, 1), (0, 1)],
        [(25, 0), (2, 1), (24, 1)],
        [(25, 1), (u32::MAX, 1), (0, 1)],
        [(u32::MAX, 1), (0, 1), (0, 1)],
        [(0, 0), (0, 0), (0, 0)],
    ] {
        let picture = with(3, angle(Tag::GPSLatitude, parts));
        assert_eq!((picture.place, picture.taken.is_some()), (None, true), "{parts:?}");
    }
    assert_eq!(with(3, ascii(Tag::GPSLatitude, "north")).place, None);
    let mut nowhere = of_panlong();
    nowhere[3] = angle(Tag::GPSLatitude, [(0, 1), (0, 1), (0, 1)]);
    nowhere[5] = angle(Tag::GPSLongitude, [(0, 1), (0, 1), (0, 1)]);
    assert_eq!(made(&noted(&nowhere)).unwrap().place, None);
    for text in ["0000:00:00 00:00:00", "2026:02:30 10:00:00", "9999:12:31 23:59:59", "yesterday", ""] {
        assert_eq!(with(0, ascii(Tag::DateTimeOriginal, text)).taken, None, "{text}");
    }
}

#[test]
fn what_is_seen_through_is_white() {
    let clear = image::RgbaImage::from_pixel(8, 8, image::Rgba([0, 0, 0, 0]));
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(clear).write_to(&mut bytes, ImageFormat::Png).unwrap();
    let whole = opened(&made(bytes.get_ref()).unwrap().jpeg);
    assert!(whole.get_pixel(4, 4).0.iter().all(|shade| *shade > 250));
}

#[test]
fn a_picture_that_breaks_off_is_damaged_in_every_form() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let whole = drawn(300, 200, format);
        for part in [1, 2, 3] {
            let cut = &whole[..whole.len() * part / 4];
            assert_eq!(made(cut), Err(NoPicture::Damaged), "{format:?} {part}/4");
        }
    }
    assert_eq!(made(b"\xFF\xD8\xFFno picture"), Err(NoPicture::Damaged));
}

/// The head of a PNG of a size that nobody has memory for; nothing of its points is there.
pub(crate) fn png_that_says_it_is(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = drawn(8, 8, ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.finalize().to_be_bytes());
    bytes
}

#[test]
fn a_picture_of_too_many_points_is_refused_before_any_is_read() {
    let (width, height) = (30_000, 30_000);
    assert_eq!(made(&png_that_says_it_is(width, height)), Err(NoPicture::TooLarge { width, height }));
    let long = NoPicture::TooLarge { width: 20_000, height: 100 };
    assert_eq!(made(&png_that_says_it_is(20_000, 100)), Err(long));
    assert_eq!(made(&png_that_says_it_is(0, 5)), Err(NoPicture::Damaged));
}

#[test]
fn whatever_bytes_come_something_is_said() {
    let whole = noted(&of_panlong());
    for at in 0..whole.len().min(400) {
        let mut changed = whole.clone();
        changed[at] ^= 0x5A;
        let _ = made(&changed);
    }
}
