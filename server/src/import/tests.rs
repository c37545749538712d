//! Records without a file.

use super::records::{Broken, Records, looks_like_gbk};

fn read(text: &[u8]) -> Vec<(u64, Result<Vec<String>, Broken>)> {
    let mut records = Records::new(text, b',');
    std::iter::from_fn(|| records.read().unwrap()).map(|record| (record.line, record.fields)).collect()
}

fn fields(texts: &[&str]) -> Result<Vec<String>, Broken> {
    Ok(texts.iter().map(|text| (*text).to_owned()).collect())
}

#[test]
fn quotes_lines_and_empty_fields() {
    let text = b"a,\"b,\"\"c\"\"\",\r\n\n\"x\ny\",,z\nlast";
    assert_eq!(
        read(text),
        [(1, fields(&["a", "b,\"c\"", ""])), (3, fields(&["x\ny", "", "z"])), (5, fields(&["last"]))]
    );
}

/// Method: the same table with every kind of line end, read in pieces of every size, so that a CR and its LF also come
/// apart.
#[test]
fn lines_end_with_cr_lf_or_both() {
    for end in ["\r", "\n", "\r\n"] {
        let text = ["id,text", "1,eins", "", "2,\"zwei\rzwo\"", "3,drei"].join(end);
        for size in 1..=text.len() {
            let mut records = Records::new(std::io::BufReader::with_capacity(size, text.as_bytes()), b',');
            let found: Vec<_> =
                std::iter::from_fn(|| records.read().unwrap()).map(|record| record.fields).collect();
            let rows = [["id", "text"], ["1", "eins"], ["2", "zwei\rzwo"], ["3", "drei"]];
            assert_eq!(found, rows.map(|row| fields(&row)), "{end:?} in pieces of {size}");
        }
    }
}

/// Method: a quote is put at every position of a sound table. Whatever it breaks, the last line is read as it stands.
#[test]
fn stray_quote_anywhere_leaves_the_last_line_alone() {
    let table = "1,one,eins\n2,two,\"zwei, zwo\"\n3,three,drei\n";
    let last = "4,four,vier\n";
    for at in 0..table.len() {
        let mut text = table.to_owned();
        text.insert(at, '"');
        text.push_str(last);
        let found = read(text.as_bytes());
        let (line, end) = found.last().unwrap();
        assert_eq!((*line, end), (4, &fields(&["4", "four", "vier"])), "quote at byte {at}: {found:?}");
    }
}

#[test]
fn endless_line_is_refused_and_bounded() {
    let mut text = vec![b'x'; 5_000_000];
    text.extend_from_slice(b"\n1,2\n");
    assert_eq!(read(&text), [(1, Err(Broken::TooLong)), (2, fields(&["1", "2"]))]);
}

#[test]
fn a_file_in_gbk_is_read_from_its_header_on_and_one_in_another_code_page_is_not() {
    let gbk = b"\xB1\xE0\xBA\xC5,x\n1,\xC0\xA5\xC3\xF7\n";
    assert_eq!(read(gbk), [(1, fields(&["编号", "x"])), (2, fields(&["1", "昆明"]))]);
    let latin = read(b"caf\xE9 x,y\n");
    assert_eq!(latin, [(1, Err(Broken::Encoding { field: 1, gbk: false }))]);
}

#[test]
fn gbk_is_told_from_other_bytes() {
    assert!(looks_like_gbk(&[b'a', 0xC0, 0xA5, 0xC3, 0xF7]));
    assert!(!looks_like_gbk(b"plain"));
    assert!(!looks_like_gbk(&[0xE9, b' ', b'x']), "latin-1: a letter before a space");
}
