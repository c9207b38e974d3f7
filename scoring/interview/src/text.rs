//! Text as matchers compare it. All of it takes time in proportion to the text.

use unicode_normalization::UnicodeNormalization;

/// How far apart the two ends of a phrase such as `带领…团队` may stand when a comma lies between, in characters.
const WIDEST_GAP: usize = 20;
/// What ends a sentence, and with it a phrase.
const ENDS: [char; 9] = ['。', '！', '？', '；', '.', '!', '?', ';', '\n'];
/// What ends a clause of a sentence.
const COMMAS: [char; 2] = [',', '，'];
/// Opening and closing quotation marks.
const QUOTES: [(char, char); 5] = [('“', '”'), ('「', '」'), ('『', '』'), ('"', '"'), ('‘', '’')];
/// What makes a question of the sentence that ends with it.
const ASKING: [&str; 4] = ["?", "？", "吗", "呢"];
/// What makes a question of the quotation that follows it.
const ASKED: [&str; 14] = [
    "问",
    "问我",
    "问我们",
    "问了",
    "问了我",
    "问到",
    "问道",
    "问的",
    "问的是",
    "问题",
    "问题是",
    "asked",
    "asked me",
    "question",
];

/// Compatibility composed (full width as half width), lower case.
pub fn plain(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// The pieces of a text that end with one of these marks. A mark between digits (`1.2`, `1,200`) and dots in a row end
/// nothing.
fn pieces<'t>(text: &'t str, marks: &'static [char]) -> impl Iterator<Item = &'t str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let whole = rest?;
        let is_end = |(at, mark): &(usize, &str)| {
            let (before, after) = (whole[..*at].chars().next_back(), whole[at + mark.len()..].chars().next());
            let all = |like: fn(char) -> bool| before.is_some_and(like) && after.is_some_and(like);
            let dots = *mark == "." && (before == Some('.') || after == Some('.'));
            !(dots || [".", ",", "，"].contains(mark) && all(|c| c.is_ascii_digit()))
        };
        let end = whole.match_indices(marks).find(is_end).map(|(at, mark)| at + mark.len());
        let (piece, others) = end.map_or((whole, None), |end| (&whole[..end], Some(&whole[end..])));
        rest = others;
        Some(piece)
    })
}

/// What somebody says themselves: without the questions that they quote. A quoted sentence is a question when it ends as
/// one, and a whole quotation when the words before it say that somebody asked.
pub(crate) fn without_quoted_questions(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    // Marks of which none is closed any more: to look again for each would take the square of the text's length.
    let mut open_for_good: Vec<char> = Vec::new();
    let opens = |c: char, never: &[char]| QUOTES.iter().find(|(open, _)| *open == c && !never.contains(&c)).copied();
    while let Some((at, (mark, closing))) =
        rest.char_indices().find_map(|(at, c)| Some((at, opens(c, &open_for_good)?)))
    {
        let (before, quoted) = rest.split_at(at);
        kept.push_str(before);
        let inside = &quoted[mark.len_utf8()..];
        let Some(close) = inside.find(closing) else {
            open_for_good.push(mark);
            rest = quoted;
            continue;
        };
        let said = if is_asking(before) { String::new() } else { without_questions(&inside[..close]) };
        if said.trim().is_empty() {
            kept.push(' ');
        } else {
            kept.extend([mark]);
            kept.push_str(&said);
            kept.extend([closing]);
        }
        rest = &inside[close + closing.len_utf8()..];
    }
    kept.push_str(rest);
    kept
}

fn without_questions(said: &str) -> String {
    let is_question = |sentence: &&str| {
        let sentence = sentence.trim_end().trim_end_matches(['。', '.', '!', '！', '"', '’', '”']);
        ASKING.iter().any(|asking| sentence.ends_with(asking))
    };
    pieces(said, &ENDS).filter(|sentence| !is_question(sentence)).collect()
}

/// Whether words that lead to a quotation say that it is a question.
fn is_asking(before: &str) -> bool {
    let before = before.trim_end_matches([' ', ':', '：', ',', '，']).to_lowercase();
    ASKED.iter().any(|asked| before.ends_with(asked))
}

/// The two ends of a phrase with a gap: `a…b`. NFKC makes three dots of the ellipsis.
fn gap(phrase: &str) -> Option<(&str, &str)> {
    phrase.split_once("...").or_else(|| phrase.split_once('…'))
}

/// Whether a phrase occurs in a text, both plain. `a…b` is `a` and then, in the same clause, or in the same sentence and
/// not far on, `b`.
pub(crate) fn occurs(phrase: &str, text: &str) -> bool {
    let Some((first, then)) = gap(phrase) else { return text.contains(phrase) };
    let in_order = |clause: &str| clause.split_once(first).is_some_and(|(_, after)| after.contains(then));
    let farthest = WIDEST_GAP + then.chars().count();
    let is_near = |(at, found): (usize, &str), sentence: &str| {
        let after = &sentence[at + found.len()..];
        let end = after.char_indices().nth(farthest).map_or(after.len(), |(end, _)| end);
        after[..end].contains(then)
    };
    pieces(text, &ENDS).any(|sentence| {
        pieces(sentence, &COMMAS).any(in_order) || sentence.match_indices(first).any(|found| is_near(found, sentence))
    })
}

/// Whether a keyword that somebody else found is this phrase, both plain: it is not looked for within the keyword, or
/// 大数据 would be 数据.
pub fn is_keyword(phrase: &str, keyword: &str) -> bool {
    phrase == keyword || gap(phrase).is_some() && occurs(phrase, keyword)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(phrase: &str, text: &str) -> bool {
        occurs(&plain(phrase), &plain(text))
    }

    #[test]
    fn phrases_with_a_gap_stay_within_a_sentence() {
        assert!(said("带领…团队", "我带领了一个八人的销售团队。"));
        assert!(said("完成…目标", "完成１２０％的销售目标"));
        assert!(said("完成…目标", "完成了1.2亿、超过1,200单的销售目标"), "a decimal point ends no sentence");
        assert!(said("带领…团队", "我带领……嗯……团队"), "nor does a pause");
        assert!(!said("带领…团队", "由别人带领。后来团队解散了。"));
        assert!(!said("带领…团队", "团队带领我"));
        assert!(said("ＫＰＩ", "our kpi"));
    }

    #[test]
    fn a_clause_may_be_long_and_commas_keep_ends_near() {
        let long = "很".repeat(30);
        assert!(said("带领…团队", &format!("带领{long}团队")));
        assert!(said("带领…团队", "我带领大家，也就是团队"));
        assert!(!said("带领…团队", &format!("带领大家，{long}团队")));
        assert!(said("带领…团队", &format!("带领大家，{long}再带领大家，嗯，团队")), "the second is near");
    }

    #[test]
    fn a_quoted_question_is_not_what_somebody_says() {
        for (text, own) in [
            ("面试官问“您有同理心吗？”我说有", "面试官问 我说有"),
            ("客户说“谢谢你的同理心”", "客户说“谢谢你的同理心”"),
            ("您刚才问：“如何管理团队”，我没有", "您刚才问： ，我没有"),
            ("I was asked \"how you managed the team\" once", "I was asked   once"),
            ("她说「您带领过团队吗？请说说。」", "她说「请说说。」"),
            ("他说“你管理过团队吗”", "他说 "),
            ("我访问客户时说“我们完成目标”", "我访问客户时说“我们完成目标”"),
            ("没有闭合的“引号", "没有闭合的“引号"),
            ("没有「闭合的，他说“有同理心吗？”", "没有「闭合的，他说 "),
        ] {
            assert_eq!(without_quoted_questions(text), own);
        }
    }

    #[test]
    fn keywords_are_whole() {
        assert!(is_keyword("数据", "数据") && !is_keyword("数据", "大数据"));
        assert!(is_keyword(&plain("带领…团队"), "带领销售团队"));
    }

    /// A megabyte that would take minutes if each place were compared with each other one.
    #[test]
    fn long_texts_are_read_once() {
        assert!(!occurs(&plain("带领…团队"), &"带领".repeat(170_000)));
        assert!(!occurs(&plain("带领…团队"), &"带领，".repeat(110_000)));
        let open = "“「『‘".repeat(85_000);
        assert_eq!(without_quoted_questions(&open), open);
        assert_eq!(without_quoted_questions(&"“？”".repeat(110_000)).trim(), "");
        assert_eq!(without_quoted_questions(&"1.".repeat(500_000)).len(), 1_000_000);
        assert!(!occurs(&plain("1…团队"), &"1.".repeat(300_000)));
    }
}
