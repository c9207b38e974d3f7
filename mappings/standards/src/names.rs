//! Names of people: put together as their language writes them, and taken apart only where that is certain.

use crate::surnames::{DOUBLE, SINGLE};

/// A full name made of its parts: 李娜 where both are Chinese, Korean or Japanese, else given, space, family.
#[must_use]
pub fn compose(given: Option<&str>, family: Option<&str>) -> Option<String> {
    let present =
        |part: Option<&str>| part.map(|p| p.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|p| !p.is_empty());
    match (present(given), present(family)) {
        (Some(given), Some(family)) if is_cjk(&given) && is_cjk(&family) => Some(format!("{family}{given}")),
        (Some(given), Some(family)) => Some(format!("{given} {family}")),
        (one, other) => one.or(other),
    }
}

/// Whether all characters are Chinese, Japanese or Korean letters.
#[must_use]
pub fn is_cjk(text: &str) -> bool {
    text.chars().all(|c| is_han(c) || matches!(c, '\u{3040}'..='\u{30FF}' | '\u{AC00}'..='\u{D7AF}'))
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// The family and the given name of a Chinese name, for a caller who knows that it is one. `None` when the surname is
/// not listed, or when the name has no usual length: two or three characters, up to four after a surname of two.
#[must_use]
pub fn split_chinese(full: &str) -> Option<(&str, &str)> {
    let full = full.trim();
    if !full.chars().all(is_han) {
        return None;
    }
    let at = |count: usize| full.char_indices().nth(count).map(|(at, _)| full.split_at(at));
    let listed = |list: &str, name: &str| list.split_ascii_whitespace().any(|known| known == name);
    let length = full.chars().count();
    if matches!(length, 3 | 4)
        && let Some((family, given)) = at(2)
        && listed(DOUBLE, family)
    {
        return Some((family, given));
    }
    let (family, given) = at(1).filter(|_| matches!(length, 2 | 3))?;
    (listed(SINGLE, family) && !listed(DOUBLE, full)).then_some((family, given))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_composed_as_their_language_writes_them() {
        assert_eq!(compose(Some("娜"), Some("李")).as_deref(), Some("李娜"));
        assert_eq!(compose(Some("Marisol "), Some(" Quintana-Reyes")).as_deref(), Some("Marisol Quintana-Reyes"));
        assert_eq!(compose(Some("娜"), Some("Li")).as_deref(), Some("娜 Li"));
        assert_eq!(compose(Some(" "), Some("Li")).as_deref(), Some("Li"));
        assert_eq!(compose(None, None), None);
    }

    #[test]
    fn chinese_names_are_split_only_when_that_is_certain() {
        for (full, parts) in [
            ("李娜", Some(("李", "娜"))),
            (" 王小明 ", Some(("王", "小明"))),
            ("欧阳明月", Some(("欧阳", "明月"))),
            ("司馬光", Some(("司馬", "光"))),
            ("诸葛亮", Some(("诸葛", "亮"))),
            ("欧阳", None),
            ("李", None),
            ("", None),
            ("李王小明", None),
            ("們小明", None),
            ("Li Na", None),
            ("买买提·艾力", None),
            ("李 娜", None),
        ] {
            assert_eq!(split_chinese(full), parts, "{full}");
        }
    }

    #[test]
    fn letters_of_east_asia_are_known() {
        assert!(is_cjk("李娜") && is_cjk("さくら") && is_cjk("김") && !is_cjk("Li") && !is_cjk("李 娜"));
    }
}
