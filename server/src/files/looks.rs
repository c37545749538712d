//! What bytes are, by the bytes alone: neither a name nor a header is believed.

use domain::rejection::Language;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    Jpeg,
    Png,
    Webp,
    Pdf,
    /// Word and Excel documents of today are archives; which one, or none, its table says (`office`).
    Zip,
    Svg,
    Html,
    Xml,
    Gif,
    Bmp,
    Tiff,
    Heic,
    Video,
    /// Word, Excel and PowerPoint until 2003, and encrypted documents of today.
    OldOffice,
    Rtf,
    Archive,
    Program,
    Text,
    Unknown,
}

/// How much of a file is looked at.
const HEAD: usize = 1_024;

impl Looks {
    /// What begins like this.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let head = &bytes[..bytes.len().min(HEAD)];
        let begins = |mark: &[u8]| head.starts_with(mark);
        let at = |from: usize, mark: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(mark));
        match () {
            () if begins(b"\xFF\xD8\xFF") => Self::Jpeg,
            () if begins(b"\x89PNG\r\n\x1A\n") => Self::Png,
            () if begins(b"RIFF") && at(8, b"WEBP") => Self::Webp,
            () if begins(b"%PDF-") => Self::Pdf,
            () if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") => Self::Zip,
            () if begins(b"GIF8") => Self::Gif,
            () if begins(b"BM") && at(6, &[0, 0, 0, 0]) => Self::Bmp,
            () if begins(b"II*\0") || begins(b"MM\0*") => Self::Tiff,
            () if at(4, b"ftyp") && is_heic(head) => Self::Heic,
            () if at(4, b"ftyp") || begins(b"\x1A\x45\xDF\xA3") || begins(b"RIFF") && at(8, b"AVI ") => {
                Self::Video
            }
            () if begins(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") => Self::OldOffice,
            () if begins(b"{\\rtf") => Self::Rtf,
            () if begins(b"Rar!") || begins(b"7z\xBC\xAF\x27\x1C") || begins(b"\x1F\x8B") => Self::Archive,
            () if begins(b"MZ") || begins(b"\x7FELF") || begins(b"#!") => Self::Program,
            () => written(head),
        }
    }

    #[must_use]
    pub fn words(self, language: Language) -> &'static str {
        let [zh, en] = match self {
            Self::Jpeg => ["JPEG 图片", "a JPEG picture"],
            Self::Png => ["PNG 图片", "a PNG picture"],
            Self::Webp => ["WebP 图片", "a WebP picture"],
            Self::Pdf => ["PDF 文档", "a PDF document"],
            Self::Zip => ["ZIP 压缩包", "a ZIP archive"],
            Self::Svg => ["SVG 图形", "an SVG drawing"],
            Self::Html => ["网页", "a web page"],
            Self::Xml => ["XML 文件", "an XML file"],
            Self::Gif => ["GIF 图片", "a GIF picture"],
            Self::Bmp => ["BMP 图片", "a BMP picture"],
            Self::Tiff => ["TIFF 图片", "a TIFF picture"],
            Self::Heic => [
                "HEIC 图片（请将手机相机格式设为“兼容性最佳”）",
                "a HEIC picture (set the phone's camera to “most compatible”)",
            ],
            Self::Video => ["视频", "a video"],
            Self::OldOffice => {
                ["旧版或加密的 Office 文档", "an Office document of an old form, or an encrypted one"]
            }
            Self::Rtf => ["RTF 文档", "an RTF document"],
            Self::Archive => ["压缩包", "an archive"],
            Self::Program => ["程序", "a program"],
            Self::Text => ["纯文本", "plain text"],
            Self::Unknown => ["无法识别的文件", "nothing that is known here"],
        };
        match language {
            Language::Zh => zh,
            Language::En => en,
        }
    }
}

fn is_heic(head: &[u8]) -> bool {
    let brand = head.get(8..12).unwrap_or_default();
    [&b"heic"[..], b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif"].contains(&brand)
}

/// Something that is written in characters.
fn written(head: &[u8]) -> Looks {
    // The last character may be cut.
    let text = String::from_utf8_lossy(head).to_lowercase();
    let inside = text.trim_start_matches('\u{FEFF}').trim_start();
    if inside.contains("<svg") {
        Looks::Svg
    } else if inside.contains("<html") || inside.contains("<!doctype html") || inside.contains("<script") {
        Looks::Html
    } else if inside.starts_with("<?xml") {
        Looks::Xml
    } else if !head.is_empty() && !head.iter().any(|byte| *byte < 9) {
        Looks::Text
    } else {
        Looks::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_they_are() {
        for (bytes, is) in [
            (&b"\xFF\xD8\xFF\xE0\0\x10JFIF"[..], Looks::Jpeg),
            (b"\x89PNG\r\n\x1A\n\0\0", Looks::Png),
            (b"RIFF\0\0\0\0WEBPVP8 ", Looks::Webp),
            (b"%PDF-1.7\n", Looks::Pdf),
            (b"PK\x03\x04", Looks::Zip),
            (b"\xEF\xBB\xBF <?xml version=\"1.0\"?><svg xmlns", Looks::Svg),
            (b"<!-- --><svg onload=", Looks::Svg),
            (b"\n\n<!DOCTYPE HTML><body>", Looks::Html),
            (b"GIF89a;<script>alert(1)</script>", Looks::Gif),
            (b"hello <ScRiPt src=x>", Looks::Html),
            (b"<?xml version='1.0'?><a/>", Looks::Xml),
            (b"\0\0\0\x18ftypheic", Looks::Heic),
            (b"\0\0\0\x18ftypisom", Looks::Video),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", Looks::OldOffice),
            (b"MZ\x90\0", Looks::Program),
            ("案件说明".as_bytes(), Looks::Text),
            (b"\x01\x02\x03", Looks::Unknown),
            (b"", Looks::Unknown),
        ] {
            assert_eq!(Looks::of(bytes), is, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
