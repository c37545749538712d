//! Short names, for columns and boards with little room: the catalogue's, never made from the whole ones.

use domain::catalogue::{AreaLevel, Name};
use domain::code::{AreaCode, ClassCode, DepartmentCode};

use super::Names;
use crate::language::pick;
use crate::words::Language;

/// A short name; in a language that it lacks, the name itself.
pub(super) fn whole(name: &Name, short: &Name) -> Name {
    let or = |short: &String, name: &String| if short.is_empty() { name } else { short }.clone();
    Name { zh: or(&short.zh, &name.zh), en: or(&short.en, &name.en) }
}

fn brief(language: Language, name: &Name, short: Option<&Name>) -> String {
    short.map_or_else(|| pick(language, name), |short| pick(language, &whole(name, short)))
}

impl Names {
    /// District and street of a path for narrow columns: English names are the catalogue's short ones, as `Xishan Fuhai`; Chinese ones are short.
    pub fn area_brief(&self, language: Language, path: &[AreaCode]) -> String {
        if language == Language::Zh {
            return self.area_words(language, path);
        }
        let known = path.iter().rev().filter_map(|code| self.look_up(&self.areas, code));
        let shown = known.filter(|area| matches!(area.level, AreaLevel::District | AreaLevel::Street));
        let names: Vec<String> = shown.map(|area| brief(language, &area.name, area.short.as_ref())).collect();
        match names.is_empty() {
            true => path.first().map_or_else(String::new, |code| self.area_short(language, code)),
            false => names.join(" "),
        }
    }

    /// The short name of an area, as the catalogue has it; the whole one where it has none.
    pub fn area_short(&self, language: Language, code: &AreaCode) -> String {
        let area = self.look_up(&self.areas, code);
        area.map_or_else(|| code.to_string(), |area| brief(language, &area.name, area.short.as_ref()))
    }

    /// The same of a department.
    pub fn department_short(&self, language: Language, code: &DepartmentCode) -> String {
        let short = self.short_departments.get(code);
        short.map_or_else(|| self.department(language, code), |name| pick(language, name))
    }

    /// The same of a class.
    pub fn class_short(&self, language: Language, code: &ClassCode) -> String {
        let short = self.short_classes.get(code);
        short.map_or_else(|| self.class(language, code), |name| pick(language, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_the_catalogues_and_the_whole_one_stands_where_it_has_none() {
        let name = |zh: &str, en: &str| Name { zh: zh.to_owned(), en: en.to_owned() };
        let whole = name("石景山区", "Shijingshan District");
        let said = |language, short: Option<&Name>| brief(language, &whole, short);
        let (both, zh_only) = (name("石景山", "Shijingshan"), name("石景山", ""));
        assert_eq!(said(Language::Zh, Some(&both)), "石景山");
        assert_eq!(said(Language::En, Some(&both)), "Shijingshan");
        assert_eq!(said(Language::En, Some(&zh_only)), "Shijingshan District");
        assert_eq!(said(Language::Zh, None), "石景山区");
    }
}
