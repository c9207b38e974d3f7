//! Text to tokens.

use crate::scope::Problem;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Name(String),
    Number(String),
    Text(String),
    /// An operator or bracket, as written.
    Sign(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(crate) struct Spanned {
    pub(crate) token: Token,
    /// In characters from the start of the expression.
    pub(crate) at: usize,
    pub(crate) len: usize,
}

/// Longest signs first.
const SIGNS: &[&str] =
    &["??", "==", "!=", "<=", ">=", "(", ")", "[", "]", ",", ".", "|", "&", "+", "-", "*", "/", "<", ">"];

/// Signs of other languages, and what they are here.
const FOREIGN: &[(&str, &str)] = &[
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("===", "write `==`"),
    ("=", "equality is written `==`"),
    ("!", "write `not`"),
    ("<>", "write `!=`"),
    ("%", "write the rate as a number: 8.5% is 0.085"),
    ("^", "there is no power operator"),
    ("?", "write `if(condition, then, otherwise)` or `a ?? b`"),
    // What a Chinese keyboard writes.
    ("（", "write `(`"),
    ("）", "write `)`"),
    ("，", "write `,`"),
    ("、", "write `,`"),
    ("。", "write `.`"),
    ("“", "write `\"`"),
    ("”", "write `\"`"),
    ("‘", "write `'`"),
    ("’", "write `'`"),
    ("＋", "write `+`"),
    ("－", "write `-`"),
    ("×", "write `*`"),
    ("÷", "write `/`"),
    ("＝", "equality is written `==`"),
    ("＞", "write `>`"),
    ("＜", "write `<`"),
    ("【", "write `[`"),
    ("】", "write `]`"),
];

pub(crate) fn lex(text: &str) -> Result<Vec<Spanned>, Problem> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c.is_whitespace() {
            at += 1;
            continue;
        }
        let start = at;
        let token = if c.is_ascii_digit() {
            number(&chars, &mut at)
        } else if c == '"' || c == '\'' {
            quoted(&chars, &mut at)?
        } else if is_name_start(c) {
            at += 1;
            while at < chars.len() && is_name_part(chars[at]) {
                at += 1;
            }
            Token::Name(chars[start..at].iter().collect())
        } else {
            sign(&chars, &mut at)?
        };
        tokens.push(Spanned { token, at: start, len: at - start });
    }
    tokens.push(Spanned { token: Token::End, at: chars.len(), len: 1 });
    Ok(tokens)
}

/// Whether a key can be written without quotes.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_part)
}

/// Letters of any script, `_`, and `@` and `#` for XML attributes and text.
fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '@' || c == '#'
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '@'
}

fn number(chars: &[char], at: &mut usize) -> Token {
    let start = *at;
    while *at < chars.len() && chars[*at].is_ascii_digit() {
        *at += 1;
    }
    if chars.get(*at) == Some(&'.') && chars.get(*at + 1).is_some_and(char::is_ascii_digit) {
        *at += 1;
        while *at < chars.len() && chars[*at].is_ascii_digit() {
            *at += 1;
        }
    }
    Token::Number(chars[start..*at].iter().collect())
}

fn quoted(chars: &[char], at: &mut usize) -> Result<Token, Problem> {
    let (start, quote) = (*at, chars[*at]);
    let mut out = String::new();
    *at += 1;
    while let Some(&c) = chars.get(*at) {
        *at += 1;
        match c {
            c if c == quote => return Ok(Token::Text(out)),
            '\\' => {
                let escaped = chars.get(*at).copied();
                *at += 1;
                out.push(match escaped {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some(c @ ('\\' | '"' | '\'')) => c,
                    _ => return Err(Problem::new(*at - 2, 2, "only \\n, \\t, \\\\, \\\" and \\' are escapes")),
                });
            }
            c => out.push(c),
        }
    }
    Err(Problem::new(start, chars.len() - start, "text without a closing quote"))
}

fn sign(chars: &[char], at: &mut usize) -> Result<Token, Problem> {
    let here = |sign: &str| sign.chars().enumerate().all(|(i, c)| chars.get(*at + i) == Some(&c));
    let foreign = FOREIGN.iter().filter(|(sign, _)| here(sign)).max_by_key(|(sign, _)| sign.len());
    let ours = SIGNS.iter().find(|sign| here(sign));
    match (ours, foreign) {
        (Some(sign), other) if other.is_none_or(|(f, _)| f.len() <= sign.len()) => {
            *at += sign.len();
            Ok(Token::Sign(sign))
        }
        (_, Some((sign, help))) => {
            Err(Problem::new(*at, sign.chars().count(), format!("`{sign}` is not an operator here"))
                .with_suggestion(*help))
        }
        _ => {
            let c = chars[*at];
            let shown = if c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}') {
                format!("unexpected invisible character U+{:04X}: take it out", u32::from(c))
            } else {
                format!("unexpected character `{c}`")
            };
            Err(Problem::new(*at, 1, shown))
        }
    }
}
