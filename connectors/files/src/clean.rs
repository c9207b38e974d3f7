//! How the text of cells is tidied before it is looked at.

use hub_standards::chinese::to_half_width;

/// Whether a person sees nothing: white space of all widths, and characters of no width.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}'
        | '\u{AD}')
}

/// Without white space at both ends and without characters that nobody sees; an apostrophe that made a number text is
/// gone.
pub(crate) fn trimmed(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let visible = visible.trim();
    let rest = visible.strip_prefix(['\'', '‘', '’']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    rest.unwrap_or(visible).to_owned()
}

/// [`trimmed`], on one line: every run of white space inside is one space.
pub(crate) fn on_one_line(text: &str) -> String {
    trimmed(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// [`on_one_line`] with wide letters, digits and signs made plain ones.
pub(crate) fn plain(text: &str) -> String {
    on_one_line(&to_half_width(text))
}

/// How numbers of people are compared: trimmed, plain, without white space, in capitals.
#[must_use]
pub fn folded(text: &str) -> String {
    plain(text).split_whitespace().collect::<String>().to_uppercase()
}

/// Whether the text is somebody's way to write that there is nothing.
pub(crate) fn means_nothing(text: &str) -> bool {
    let plain = plain(text).to_lowercase();
    plain.is_empty()
        || plain.chars().all(|c| matches!(c, '-' | '—' | '–' | '/' | '\\'))
        || ["无", "暂无", "至今", "空", "未填", "没有", "n/a", "na", "null", "none", "nil"].contains(&plain.as_str())
}

fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}' | '〇')
}

/// A name: without the spelling or mark in brackets behind it, without blanks between Han letters, other blanks one.
pub(crate) fn name(text: &str) -> String {
    let text = on_one_line(&text.replace('\u{3000}', " "));
    let cut = text.find(['(', '（']).filter(|at| *at > 0 && text.ends_with([')', '）']));
    let text = cut.map_or(text.as_str(), |at| text.get(..at).unwrap_or_default()).trim();
    let letters: Vec<char> = text.chars().collect();
    let between_han = |at: usize| {
        let around = (at.checked_sub(1).and_then(|before| letters.get(before)), letters.get(at + 1));
        matches!(around, (Some(before), Some(after)) if is_han(*before) && is_han(*after))
    };
    let kept = letters.iter().enumerate().filter(|(at, c)| **c != ' ' || !between_han(*at));
    kept.map(|(_, c)| *c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_blanks_between_han_letters_and_marks_in_brackets() {
        for (written, name_) in [
            ("张 三", "张三"),
            ("吴　敏", "吴敏"),
            (" 李娜\u{200B}（Li Na）", "李娜"),
            ("John  Smith", "John Smith"),
            ("Mira Lindqvist (Terminated)", "Mira Lindqvist"),
            ("买买提 · 艾力", "买买提 · 艾力"),
            ("𠮷 田", "𠮷田"),
            ("(Li)", "(Li)"),
        ] {
            assert_eq!(name(written), name_, "{written}");
        }
    }

    #[test]
    fn numbers_of_people_are_compared_without_width_and_case() {
        assert_eq!(folded(" Ａ０１０２\u{A0}"), "A0102");
        assert_eq!(folded("a 0102"), "A0102");
        assert_eq!(trimmed("'00123"), "00123");
        assert_eq!(trimmed("'quoted'"), "'quoted'");
    }

    #[test]
    fn what_means_nothing_is_nothing() {
        for text in ["", " \u{3000}", "-", "——", "/", "无", "暂无", "至今", "Ｎ／Ａ"] {
            assert!(means_nothing(text), "{text}");
        }
        assert!(!means_nothing("无锡") && !means_nothing("0"));
    }
}
