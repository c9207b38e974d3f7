//! Words as words. Chinese writes none apart: a dictionary cuts the text, and a word is found where cuts lie at both its ends,
//! so that 服务 is not found in 服务器. A long word of the dictionary that is made of others has cuts between them: 售后服务 holds
//! 售后 and 服务. Other scripts end words with what is no letter.

use crate::text::plain;
use jieba_rs::Jieba;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// The dictionary takes 33 MiB and a sixth of a second: it is read when somebody first screens.
static DICTIONARY: LazyLock<Jieba> = LazyLock::new(Jieba::new);

/// Shorter words within a word, at most.
const MOST_PIECES: usize = 64;

/// Where words begin and end, in bytes.
fn cuts(text: &str) -> BTreeSet<usize> {
    let pieces = DICTIONARY.cut_for_search(text, false);
    let pieces: Vec<(usize, usize)> = pieces.iter().map(|piece| (piece.byte_start, piece.byte_end)).collect();
    let mut cuts = BTreeSet::from([text.len()]);
    for word in DICTIONARY.cut(text, false) {
        let (start, end) = (word.byte_start, word.byte_end);
        cuts.insert(start);
        let first = pieces.partition_point(|(from, _)| *from < start);
        let own = pieces.iter().skip(first).take_while(|(from, _)| *from < end);
        let shorter: Vec<(usize, usize)> = own.copied().filter(|piece| *piece != (start, end)).collect();
        // No word of the dictionary has more; a chain of hyphens may have as many as there is text.
        if shorter.len() <= MOST_PIECES {
            cuts.extend(seams(start, end, &shorter));
        }
    }
    cuts
}

/// Where a word is made of shorter ones, without a rest: places that shorter words lead to from its beginning, and from which
/// they lead to its end.
fn seams(start: usize, end: usize, shorter: &[(usize, usize)]) -> Vec<usize> {
    let (mut from_start, mut to_end) = (BTreeSet::from([start]), BTreeSet::from([end]));
    // Each round reaches at least one place more, or nothing is left to reach.
    for _ in shorter {
        for (from, to) in shorter {
            if from_start.contains(from) {
                from_start.insert(*to);
            }
            if to_end.contains(to) {
                to_end.insert(*from);
            }
        }
    }
    from_start.intersection(&to_end).copied().collect()
}

/// Which of the words a text, already plain, holds as words. A place that a longer listed word takes is no place of a shorter
/// one.
pub(super) fn found<'w>(text: &str, listed: impl Iterator<Item = &'w str>) -> BTreeSet<&'w str> {
    let cuts = cuts(text);
    let is_latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    // Beside a Latin letter or a digit no word ends where the next one is such, too; the dictionary keeps `a-b` in one piece.
    let ends = |at: usize, own: Option<char>, next: Option<char>| {
        if is_latin(own) { !is_latin(next) } else { cuts.contains(&at) }
    };
    let mut places: Vec<(usize, usize, &'w str)> = Vec::new();
    for word in listed {
        let wanted = plain(word);
        if wanted.is_empty() {
            continue;
        }
        for (start, same) in text.match_indices(&wanted) {
            let end = start + same.len();
            let (before, after) = (text[..start].chars().next_back(), text[end..].chars().next());
            if ends(start, same.chars().next(), before) && ends(end, same.chars().next_back(), after) {
                places.push((start, end, word));
            }
        }
    }
    // What begins first comes first, and of that the longest: whatever holds a place stands before it.
    places.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
    let mut found = BTreeSet::new();
    let (mut farthest, mut last) = (0, (0, 0));
    for (start, end, word) in places {
        if end > farthest || (start, end) == last {
            found.insert(word);
            (farthest, last) = (end.max(farthest), (start, end));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, words: &[&str]) -> Vec<String> {
        found(&plain(text), words.iter().copied()).into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn words_end_where_the_dictionary_cuts() {
        assert_eq!(holds("维护服务器", &["服务"]), Vec::<String>::new());
        assert_eq!(holds("五年客户服务经验", &["服务", "客户服务"]), ["客户服务"], "the longer takes the place");
        assert_eq!(
            holds("客户服务，也做售后服务", &["服务", "客户服务"]),
            ["客户服务", "服务"],
            "here it stands for itself"
        );
        assert_eq!(holds("情绪管理能力", &["情绪管理"]), ["情绪管理"]);
    }

    #[test]
    fn a_listed_compound_hides_what_it_holds() {
        assert_eq!(holds("负责大数据平台", &["数据"]), ["数据"], "no dictionary has every compound");
        assert_eq!(holds("负责大数据平台", &["数据", "大数据"]), ["大数据"]);
    }

    #[test]
    fn latin_words_are_whole() {
        assert_eq!(holds("javascript", &["java"]), Vec::<String>::new());
        assert_eq!(holds("java与SQL", &["java", "sql"]), ["java", "sql"]);
        assert_eq!(holds("java/python，python-3", &["java", "python"]), ["java", "python"]);
        assert_eq!(holds("good customer service.", &["customer service"]), ["customer service"]);
    }

    /// Texts that would take minutes if each place were compared with each other one.
    #[test]
    fn long_texts_are_read_once() {
        assert_eq!(holds(&"ab-".repeat(100_000), &["客服"]), Vec::<String>::new());
        assert_eq!(holds(&"客户服务".repeat(20_000), &["客户服务", "服务"]), ["客户服务"]);
    }
}
