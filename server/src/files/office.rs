//! Word and Excel documents, which are archives: which of them one is, and whether it unpacks into more than anybody wants to open.
//!
//! Nothing is unpacked to a disk, and of what is unpacked nothing is kept. What should not be here: what a document says.

use std::io::Read as _;

use domain::file::Media;
use flate2::read::DeflateDecoder;

/// Parts of one document. A long report with pictures has hundreds.
const PARTS_MAX: usize = 5_000;
/// What all parts may come to: a sheet of a million rows is less.
const UNPACKED_BYTES_MAX: u64 = 256 << 20;
/// A comment behind the table may be this long.
const COMMENT_BYTES_MAX: usize = 65_535;

/// Why an archive is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoDocument {
    /// Neither a Word nor an Excel document.
    Other,
    /// Its table breaks off or contradicts what it holds.
    Damaged,
    /// It unpacks into too much.
    TooMuch,
    /// It has programs in it.
    Macros,
}

/// One part, as the table tells of it.
struct Part<'a> {
    name: &'a [u8],
    packing: u16,
    packed: u64,
    unpacked: u64,
    at: usize,
}

/// Which document the archive is.
pub fn document(bytes: &[u8]) -> Result<Media, NoDocument> {
    let parts = table(bytes).ok_or(NoDocument::Damaged)??;
    let has = |name: &[u8]| parts.iter().any(|part| part.name == name);
    if !has(b"[Content_Types].xml") {
        return Err(NoDocument::Other);
    }
    let media = match (has(b"word/document.xml"), has(b"xl/workbook.xml")) {
        (true, false) => Media::Docx,
        (false, true) => Media::Xlsx,
        (true, true) | (false, false) => return Err(NoDocument::Other),
    };
    if parts.iter().any(|part| part.name.to_ascii_lowercase().ends_with(b"vbaproject.bin")) {
        return Err(NoDocument::Macros);
    }
    if parts.iter().map(|part| part.unpacked).sum::<u64>() > UNPACKED_BYTES_MAX {
        return Err(NoDocument::TooMuch);
    }
    parts.iter().try_for_each(|part| unpack(bytes, part))?;
    Ok(media)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let mut wide = [0; 8];
    wide[..N].copy_from_slice(bytes.get(at..at.checked_add(N)?)?);
    Some(u64::from_le_bytes(wide))
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    number::<2>(bytes, at).map(|value| value as usize)
}

/// The table at the end of an archive. None where it breaks off.
fn table(bytes: &[u8]) -> Option<Result<Vec<Part<'_>>, NoDocument>> {
    let from = bytes.len().saturating_sub(COMMENT_BYTES_MAX + 22);
    let end = from + bytes[from..].windows(4).rposition(|mark| mark == b"PK\x05\x06")?;
    bytes.get(end..end + 22 + short(bytes, end + 20)?)?;
    let count = short(bytes, end + 10)?;
    if count > PARTS_MAX {
        return Some(Err(NoDocument::TooMuch));
    }
    let mut at = number::<4>(bytes, end + 16)? as usize;
    let mut parts = Vec::new();
    for _ in 0..count {
        if bytes.get(at..at.checked_add(4)?)? != b"PK\x01\x02" {
            return None;
        }
        let (name, extra, comment) = (short(bytes, at + 28)?, short(bytes, at + 30)?, short(bytes, at + 32)?);
        parts.push(Part {
            name: bytes.get(at + 46..at + 46 + name)?,
            packing: short(bytes, at + 10)? as u16,
            packed: number::<4>(bytes, at + 20)?,
            unpacked: number::<4>(bytes, at + 24)?,
            at: number::<4>(bytes, at + 42)? as usize,
        });
        at += 46 + name + extra + comment;
    }
    Some(Ok(parts))
}

/// Unpacks a part into nothing: the table may lie about how much it is.
fn unpack(bytes: &[u8], part: &Part<'_>) -> Result<(), NoDocument> {
    let packed = || -> Option<&[u8]> {
        if bytes.get(part.at..part.at.checked_add(4)?)? != b"PK\x03\x04" {
            return None;
        }
        let from = part.at + 30 + short(bytes, part.at + 26)? + short(bytes, part.at + 28)?;
        bytes.get(from..from.checked_add(usize::try_from(part.packed).ok()?)?)
    };
    let packed = packed().ok_or(NoDocument::Damaged)?;
    let count = match part.packing {
        0 => packed.len() as u64,
        8 => {
            let mut unpacked = DeflateDecoder::new(packed).take(part.unpacked + 1);
            std::io::copy(&mut unpacked, &mut std::io::sink()).map_err(|_| NoDocument::Damaged)?
        }
        _ => return Err(NoDocument::Damaged),
    };
    if count == part.unpacked { Ok(()) } else { Err(NoDocument::Damaged) }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// An archive of parts; `claimed` is what its table says that each unpacks into, where it lies.
    pub(crate) fn archive(parts: &[(&str, &[u8])], claimed: Option<u32>) -> Vec<u8> {
        let (mut bytes, mut table) = (Vec::new(), Vec::new());
        for (name, plain) in parts {
            let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
            packer.write_all(plain).unwrap();
            let packed = packer.finish().unwrap();
            let sizes = [packed.len() as u32, claimed.unwrap_or(plain.len() as u32)];
            let at = bytes.len() as u32;
            let common = |out: &mut Vec<u8>| {
                out.extend([20, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                sizes.iter().for_each(|size| out.extend(size.to_le_bytes()));
                out.extend((name.len() as u16).to_le_bytes());
                out.extend([0, 0]);
            };
            bytes.extend(b"PK\x03\x04");
            common(&mut bytes);
            bytes.extend(name.as_bytes());
            bytes.extend(packed);
            table.extend(b"PK\x01\x02\x14\0");
            common(&mut table);
            table.extend([0; 10]);
            table.extend(at.to_le_bytes());
            table.extend(name.as_bytes());
        }
        let at = bytes.len() as u32;
        let count = (parts.len() as u16).to_le_bytes();
        bytes.extend(&table);
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend(count);
        bytes.extend(count);
        bytes.extend((table.len() as u32).to_le_bytes());
        bytes.extend(at.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }

    const TYPES: (&str, &[u8]) = ("[Content_Types].xml", b"<Types/>");
    const WORD: (&str, &[u8]) = ("word/document.xml", b"<w:document/>");

    #[test]
    fn a_document_is_told_by_its_parts() {
        assert_eq!(document(&archive(&[TYPES, WORD], None)), Ok(Media::Docx));
        assert_eq!(document(&archive(&[TYPES, ("xl/workbook.xml", b"<workbook/>")], None)), Ok(Media::Xlsx));
        assert_eq!(document(&archive(&[("a.exe", b"MZ")], None)), Err(NoDocument::Other));
        assert_eq!(
            document(&archive(&[WORD], None)),
            Err(NoDocument::Other),
            "a name alone makes no document"
        );
        let macros = [TYPES, WORD, ("word/vbaProject.bin", &b"x"[..])];
        assert_eq!(document(&archive(&macros, None)), Err(NoDocument::Macros));
    }

    #[test]
    fn what_unpacks_into_too_much_is_refused_also_where_its_table_lies() {
        let zeros = vec![0; 1 << 26];
        let bomb: Vec<(&str, &[u8])> =
            [TYPES, WORD].into_iter().chain((0..5).map(|_| ("word/media/a.bmp", &zeros[..]))).collect();
        let bytes = archive(&bomb, None);
        assert!(bytes.len() < 4 << 20, "it is small as it is sent");
        assert_eq!(document(&bytes), Err(NoDocument::TooMuch));
        assert_eq!(
            document(&archive(&bomb, Some(9))),
            Err(NoDocument::Damaged),
            "its first part is told wrongly"
        );
        assert_eq!(document(&archive(&[TYPES, WORD], Some(u32::MAX))), Err(NoDocument::TooMuch));
    }

    #[test]
    fn an_archive_that_breaks_off_or_points_elsewhere_is_damaged() {
        let whole = archive(&[TYPES, WORD], None);
        for cut in 0..whole.len() {
            assert!(document(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0xFF;
            // Whatever it says, it says something.
            let _ = document(&changed);
        }
    }
}
