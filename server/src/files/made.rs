//! What is made of what was sent: a picture anew, a document as it is; anything else is refused.

use domain::file::{FileHash, Media};
use domain::moment::{UtcMillis, UtcOffset};
use domain::place::Point;
use sha2::{Digest, Sha256};

use super::looks::Looks;
use super::picture::Form;
use super::{Files, Incoming, Refusal, office, picture, scanner};

/// A file as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Of the bytes as they are kept.
    pub hash: FileHash,
    pub media: Media,
    pub bytes: Vec<u8>,
    /// The small one of a picture.
    pub small: Option<Vec<u8>>,
    pub taken: Option<UtcMillis>,
    pub place: Option<Point>,
}

/// The end of a PDF document stands in so many of its last bytes.
const PDF_TAIL: usize = 1_024;

/// Makes what is kept. Blocks, and takes a processor for as long as a large picture takes.
pub fn make(bytes: Vec<u8>, offset: UtcOffset) -> Result<Made, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::Empty);
    }
    let looks = Looks::of(&bytes);
    let of_picture = |form: Form| -> Result<Made, Refusal> {
        let made = picture::make(&bytes, form, offset).map_err(|no| Refusal::of_picture(no, looks))?;
        let picture::Picture { jpeg, small, taken, place } = made;
        let hash = hash_of(&jpeg);
        Ok(Made { hash, media: Media::Jpeg, bytes: jpeg, small: Some(small), taken, place })
    };
    let media = match looks {
        Looks::Jpeg => return of_picture(Form::Jpeg),
        Looks::Png => return of_picture(Form::Png),
        Looks::Webp => return of_picture(Form::Webp),
        Looks::Pdf => {
            let tail = &bytes[bytes.len().saturating_sub(PDF_TAIL)..];
            if !tail.windows(5).any(|mark| mark == b"%%EOF") {
                return Err(Refusal::Damaged(looks));
            }
            Media::Pdf
        }
        Looks::Zip => office::document(&bytes).map_err(Refusal::of_document)?,
        Looks::Svg
        | Looks::Html
        | Looks::Xml
        | Looks::Gif
        | Looks::Bmp
        | Looks::Tiff
        | Looks::Heic
        | Looks::Video
        | Looks::OldOffice
        | Looks::Rtf
        | Looks::Archive
        | Looks::Program
        | Looks::Text
        | Looks::Unknown => return Err(Refusal::NotTaken(looks)),
    };
    Ok(Made { hash: hash_of(&bytes), media, bytes, small: None, taken: None, place: None })
}

fn hash_of(bytes: &[u8]) -> FileHash {
    FileHash(Sha256::digest(bytes).into())
}

impl Files {
    /// Has what was sent looked at by the scanner, and makes of it what is kept, each when it is its turn.
    pub async fn make(&self, sent: &Incoming, offset: UtcOffset) -> Result<Made, Refusal> {
        {
            let _turn = self.0.scanning.acquire().await.map_err(|_| Refusal::NotScanned)?;
            scanner::ask(&self.0.settings, sent.path()).await?;
        }
        let turn = self.turn().await.ok_or(Refusal::NoRoom)?;
        let path = sent.path().to_owned();
        let making = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let bytes = std::fs::read(&path).map_err(|error| {
                tracing::error!(%error, "what was sent cannot be read again");
                Refusal::NoRoom
            })?;
            make(bytes, offset)
        });
        making.await.unwrap_or_else(|error| {
            tracing::error!(%error, "a file made the programme that reads it stumble; it was not taken");
            Err(Refusal::Damaged(Looks::Unknown))
        })
    }
}

#[cfg(test)]
mod tests {
    use image::ImageFormat;

    use super::*;
    use crate::files::office::tests::archive;
    use crate::files::picture::tests::{drawn, png_that_says_it_is};

    fn of(bytes: &[u8]) -> Result<Media, Refusal> {
        make(bytes.to_vec(), UtcOffset(480)).map(|made| made.media)
    }

    #[test]
    fn documents_are_kept_as_they_are_and_pictures_are_not() {
        let pdf = b"%PDF-1.7\n1 0 obj\n%%EOF\n";
        assert_eq!(make(pdf.to_vec(), UtcOffset(0)).unwrap().bytes, pdf);
        let sheet =
            archive(&[("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>")], None);
        let made = make(sheet.clone(), UtcOffset(0)).unwrap();
        assert_eq!((made.media, &made.bytes, made.small), (Media::Xlsx, &sheet, None));
        let png = drawn(20, 10, ImageFormat::Png);
        let made = make(png.clone(), UtcOffset(0)).unwrap();
        assert!(made.media == Media::Jpeg && made.bytes != png && made.small.is_some());
    }

    #[test]
    fn everything_else_is_refused_by_what_it_is() {
        assert_eq!(of(b""), Err(Refusal::Empty));
        assert_eq!(of(b"<!doctype html><script>"), Err(Refusal::NotTaken(Looks::Html)));
        assert_eq!(of(b"<svg onload='x'/>"), Err(Refusal::NotTaken(Looks::Svg)));
        assert_eq!(of(b"%PDF-1.7\n1 0 obj"), Err(Refusal::Damaged(Looks::Pdf)));
        assert_eq!(of(b"PK\x03\x04"), Err(Refusal::Damaged(Looks::Zip)));
        assert_eq!(of(&archive(&[("a.exe", b"MZ")], None)), Err(Refusal::NotTaken(Looks::Zip)));
        assert_eq!(of(b"\xFF\xD8\xFF<html>"), Err(Refusal::Damaged(Looks::Jpeg)));
        let (width, height) = (30_000, 30_000);
        assert_eq!(of(&png_that_says_it_is(width, height)), Err(Refusal::Points { width, height }));
    }
}
