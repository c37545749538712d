//! What another list of cameras changes and what goes on, in sentences of both languages, the weightiest first.

use domain::adoption::words::{counted, in_one_line, named};
use domain::catalogue::Name;
use domain::code::CameraCode;
use domain::rejection::Language;

use super::{Change, Named};
use crate::video::origin::list::Refusal;

impl Change {
    /// One sentence for each kind of change, and one for the cameras that stay; one that says so where nothing changes.
    #[must_use]
    pub fn words(&self, language: Language) -> Vec<String> {
        let Self { new, gone, readdressed, moved, renamed, as_before } = self;
        let changed = [
            (
                gone,
                [
                    " 路摄像机移出名录，画面关闭",
                    "camera is gone, and its picture closes",
                    "cameras are gone, and their pictures close",
                ],
            ),
            (
                readdressed,
                [
                    " 路摄像机更换地址、账号或取流规则，画面重新接入",
                    "camera has another address, account or rule, and is dialled anew",
                    "cameras have another address, account or rule, and are dialled anew",
                ],
            ),
            (new, [" 路摄像机新增", "camera is new", "cameras are new"]),
            (
                moved,
                [
                    " 路摄像机改变位置、区域或视角，画面不断",
                    "camera has another place, area or view, and its picture goes on",
                    "cameras have another place, area or view, and their pictures go on",
                ],
            ),
            (
                renamed,
                [
                    " 路摄像机更换名称或权属，画面不断",
                    "camera has another name or owner, and its picture goes on",
                    "cameras have another name or owner, and their pictures go on",
                ],
            ),
        ];
        let mut said: Vec<String> = changed
            .into_iter()
            .filter_map(|(Named { count, codes }, words)| {
                let count = *count as u64;
                Some(
                    counted(language, count, words)?
                        + &named(language, count, codes.iter().map(CameraCode::as_str)),
                )
            })
            .collect();
        if said.is_empty() {
            return vec![match language {
                Language::Zh => "与现行名录一致，没有变更".to_owned(),
                Language::En => "nothing changes: it is the list in force".to_owned(),
            }];
        }
        let stay = [
            " 路摄像机不变，画面不断",
            "camera stays as it is, and its picture goes on",
            "cameras stay as they are, and their pictures go on",
        ];
        said.extend(counted(language, *as_before as u64, stay));
        said
    }
}

/// How many rows were not taken; none where all were.
#[must_use]
pub fn refused(language: Language, count: usize) -> Option<String> {
    counted(language, count as u64, [" 行未被采用", "row is refused", "rows are refused"])
}

/// All of it in one line, with the first row that was not taken, of so many.
#[must_use]
pub fn said(change: &Change, count: usize, first: Option<&Refusal>) -> Name {
    let [zh, en] = [(Language::Zh, "："), (Language::En, ": ")].map(|(language, colon)| {
        let mut sentences = change.words(language);
        sentences.extend(
            refused(language, count)
                .map(|rows| first.map_or_else(|| rows.clone(), |first| format!("{rows}{colon}{first}"))),
        );
        in_one_line(language, &sentences)
    });
    Name { zh, en }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: usize) -> Named {
        let codes = (1..=count.min(100)).map(|number| format!("K{number}").parse().unwrap()).collect();
        Named { count, codes }
    }

    #[test]
    fn every_kind_of_change_and_what_stays_has_a_sentence_in_both_languages() {
        let change = Change {
            new: of(12),
            gone: of(1),
            readdressed: of(2),
            moved: of(1),
            renamed: of(5),
            as_before: 3_585,
        };
        assert_eq!(
            change.words(Language::En),
            [
                "1 camera is gone, and its picture closes (K1)",
                "2 cameras have another address, account or rule, and are dialled anew (K1, K2)",
                "12 cameras are new (K1, K2, K3, K4, K5, …)",
                "1 camera has another place, area or view, and its picture goes on (K1)",
                "5 cameras have another name or owner, and their pictures go on (K1, K2, K3, K4, K5)",
                "3585 cameras stay as they are, and their pictures go on",
            ]
        );
        assert_eq!(
            change.words(Language::Zh),
            [
                "1 路摄像机移出名录，画面关闭（K1）",
                "2 路摄像机更换地址、账号或取流规则，画面重新接入（K1、K2）",
                "12 路摄像机新增（K1、K2、K3、K4、K5…）",
                "1 路摄像机改变位置、区域或视角，画面不断（K1）",
                "5 路摄像机更换名称或权属，画面不断（K1、K2、K3、K4、K5）",
                "3585 路摄像机不变，画面不断",
            ]
        );
    }

    #[test]
    fn a_list_that_changes_nothing_says_so_and_refused_rows_are_counted_with_the_first() {
        let change = Change { as_before: 2, ..Change::default() };
        let row = Refusal { line: 7, field: "lat".into(), expected: "a number".into(), found: None };
        let Name { zh, en } = said(&change, 3, Some(&row));
        assert_eq!(
            en,
            "nothing changes: it is the list in force; 3 rows are refused: line 7: lat: expected a number"
        );
        assert_eq!(zh, "与现行名录一致，没有变更；3 行未被采用：line 7: lat: expected a number");
        assert_eq!(said(&change, 0, None).zh, "与现行名录一致，没有变更");
    }
}
