//! Why a file is not taken, in words a person can read, in both languages.

use domain::rejection::Language;

use super::looks::Looks;
use super::office::NoDocument;
use super::picture::NoPicture;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    Empty,
    /// More bytes than one file may have.
    TooLarge {
        most: u64,
    },
    /// It is something else than what is taken, whatever its name says.
    NotTaken(Looks),
    /// It breaks off, or is not what it begins like.
    Damaged(Looks),
    /// A picture of more points than are looked at.
    Points {
        width: u32,
        height: u32,
    },
    /// A document that unpacks into too much.
    Unpacks,
    /// A document with programs in it.
    Macros,
    /// The files of the hall have all the room they may have.
    Quota {
        most: u64,
    },
    /// The disk is full, or nearly.
    NoRoom,
    /// The scanner says that it is not clean.
    NotClean,
    /// The scanner did not answer.
    NotScanned,
}

impl Refusal {
    /// The stable name of the problem, for programs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "file_empty",
            Self::TooLarge { .. } => "file_too_large",
            Self::NotTaken(_) => "file_not_taken",
            Self::Damaged(_) => "file_damaged",
            Self::Points { .. } => "picture_too_large",
            Self::Unpacks => "document_too_large",
            Self::Macros => "document_has_macros",
            Self::Quota { .. } => "files_quota",
            Self::NoRoom => "not_stored",
            Self::NotClean => "file_not_clean",
            Self::NotScanned => "file_not_scanned",
        }
    }

    /// What became of a picture that is none.
    #[must_use]
    pub fn of_picture(no: NoPicture, looks: Looks) -> Self {
        match no {
            NoPicture::Damaged => Self::Damaged(looks),
            NoPicture::TooLarge { width, height } => Self::Points { width, height },
        }
    }

    #[must_use]
    pub fn of_document(no: NoDocument) -> Self {
        match no {
            NoDocument::Other => Self::NotTaken(Looks::Zip),
            NoDocument::Damaged => Self::Damaged(Looks::Zip),
            NoDocument::TooMuch => Self::Unpacks,
            NoDocument::Macros => Self::Macros,
        }
    }

    /// One sentence for the person who sent it.
    #[must_use]
    pub fn words(self, language: Language) -> String {
        match language {
            Language::Zh => self.zh(),
            Language::En => self.en(),
        }
    }

    fn zh(self) -> String {
        match self {
            Self::Empty => "文件为空".to_owned(),
            Self::TooLarge { most } => format!("文件过大，至多 {} MiB", most >> 20),
            Self::NotTaken(looks) => format!(
                "此文件是{}，不予接收；接收 JPEG、PNG、WebP 图片及 PDF、Word（docx）、Excel（xlsx）文档",
                looks.words(Language::Zh)
            ),
            Self::Damaged(looks) => format!("此文件应为{}，但不完整或已损坏", looks.words(Language::Zh)),
            Self::Points { width, height } => format!("图片 {width}×{height} 像素过大，请缩小后再传"),
            Self::Unpacks => "文档解压后过大，不予接收".to_owned(),
            Self::Macros => "文档含宏，不予接收；请另存为不含宏的文档".to_owned(),
            Self::Quota { most } => format!("附件空间已满（{} MiB），请联系管理员", most >> 20),
            Self::NoRoom => "服务器磁盘空间不足，附件未保存".to_owned(),
            Self::NotClean => "病毒扫描未通过，附件未保存".to_owned(),
            Self::NotScanned => "病毒扫描未完成，附件未保存，请稍后再传".to_owned(),
        }
    }

    fn en(self) -> String {
        match self {
            Self::Empty => "the file is empty".to_owned(),
            Self::TooLarge { most } => format!("the file is too large; at most {} MiB are taken", most >> 20),
            Self::NotTaken(looks) => format!(
                "this file is {}, which is not taken; taken are pictures (JPEG, PNG, WebP) and documents (PDF, docx, xlsx)",
                looks.words(Language::En)
            ),
            Self::Damaged(looks) => {
                format!("this file begins like {}, and is damaged or breaks off", looks.words(Language::En))
            }
            Self::Points { width, height } => {
                format!("a picture of {width} by {height} points is too large; make it smaller first")
            }
            Self::Unpacks => "the document unpacks into too much to be taken".to_owned(),
            Self::Macros => "the document has macros in it; save it without them".to_owned(),
            Self::Quota { most } => {
                format!(
                    "the files of this hall have all the room they may have ({} MiB); ask an administrator",
                    most >> 20
                )
            }
            Self::NoRoom => "the server's disk has no room; the file was not kept".to_owned(),
            Self::NotClean => "the virus scanner says that the file is not clean; it was not kept".to_owned(),
            Self::NotScanned => {
                "the virus scanner did not answer; the file was not kept, send it again later".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_refusal_has_a_name_of_its_own_and_words_of_both_languages() {
        let most = 3 << 20;
        let all = [
            Refusal::Empty,
            Refusal::TooLarge { most },
            Refusal::NotTaken(Looks::Svg),
            Refusal::Damaged(Looks::Png),
            Refusal::Points { width: 7, height: 8 },
            Refusal::Unpacks,
            Refusal::Macros,
            Refusal::Quota { most },
            Refusal::NoRoom,
            Refusal::NotClean,
            Refusal::NotScanned,
        ];
        let names: BTreeSet<&str> = all.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(names.len(), all.len());
        for refusal in all {
            let (zh, en) = (refusal.words(Language::Zh), refusal.words(Language::En));
            assert!(en.is_ascii() && !zh.is_ascii(), "{zh} {en}");
        }
        assert!(Refusal::NotTaken(Looks::Html).words(Language::En).contains("a web page"));
    }
}
