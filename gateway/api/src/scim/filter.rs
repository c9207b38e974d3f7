//! Filters (RFC 7644, section 3.4.2.2): `userName eq "x" and (emails[type eq "work"] or not (active eq true))`.

use crate::scim::error::ScimError;
use crate::scim::schema::{Attribute, Kind, Place, ResourceType};
use hub_tree::jiff::Timestamp;
use serde_json::Value;
use std::cmp::Ordering;

/// Longest filter, bytes.
const LONGEST: usize = 4096;
/// Deepest nesting.
const DEEPEST: usize = 20;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Co,
    Sw,
    Ew,
    Gt,
    Ge,
    Lt,
    Le,
}

const OPS: [(&str, Op); 9] = [
    ("eq", Op::Eq),
    ("ne", Op::Ne),
    ("co", Op::Co),
    ("sw", Op::Sw),
    ("ew", Op::Ew),
    ("gt", Op::Gt),
    ("ge", Op::Ge),
    ("lt", Op::Lt),
    ("le", Op::Le),
];

/// Where a comparison looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// In a resource.
    Resource(Place),
    /// In one value of a list, between brackets.
    Part(&'static Attribute),
}

/// A filter that was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(Spot, Op, Value),
    Present(Spot),
    /// One value of a list has all that.
    Within(Place, Box<Self>),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    OpenList,
    CloseList,
    Word(String),
    Literal(Value),
}

fn wrong(detail: impl Into<String>) -> ScimError {
    ScimError::bad("invalidFilter", detail)
}

fn tokens(text: &str) -> Result<Vec<Token>, ScimError> {
    if text.len() > LONGEST {
        return Err(wrong(format!("a filter has at most {LONGEST} bytes")));
    }
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '[' => (Token::OpenList, 1),
            ']' => (Token::CloseList, 1),
            '"' => {
                let mut read = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
                let value = read.next().and_then(Result::ok).ok_or_else(|| wrong("a text in the filter has no end"))?;
                (Token::Literal(value), read.byte_offset())
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "()[]\"".contains(c)).unwrap_or(rest.len());
                (word(&rest[..end]), end)
            }
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn word(text: &str) -> Token {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Token::Literal(true.into()),
        _ if text.eq_ignore_ascii_case("false") => Token::Literal(false.into()),
        _ if text.eq_ignore_ascii_case("null") => Token::Literal(Value::Null),
        _ if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            text.parse::<i64>().map_or_else(|_| Token::Word(text.to_owned()), |number| Token::Literal(number.into()))
        }
        _ => Token::Word(text.to_owned()),
    }
}

struct Parser<'p> {
    of: &'p ResourceType,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    /// What stands between brackets is about this list.
    list: Option<&'static Attribute>,
    depth: usize,
}

/// Reads a filter of resources of a type.
pub(crate) fn read(of: &ResourceType, text: &str) -> Result<Filter, ScimError> {
    whole(Parser { of, tokens: tokens(text)?.into_iter().peekable(), list: None, depth: 0 })
}

/// Reads what stands between the brackets behind a list's name.
pub(crate) fn read_within(of: &ResourceType, list: &'static Attribute, text: &str) -> Result<Filter, ScimError> {
    whole(Parser { of, tokens: tokens(text)?.into_iter().peekable(), list: Some(list), depth: 0 })
}

fn whole(mut parser: Parser<'_>) -> Result<Filter, ScimError> {
    let read = parser.any()?;
    match parser.tokens.next() {
        None => Ok(read),
        Some(_) => Err(wrong("the filter goes on where it should have ended")),
    }
}

impl Parser<'_> {
    fn takes(&mut self, wanted: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))).is_some()
    }

    fn any(&mut self) -> Result<Filter, ScimError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(wrong(format!("a filter is nested {DEEPEST} deep at most")));
        }
        let mut read = self.all()?;
        while self.takes("or") {
            read = Filter::Or(Box::new(read), Box::new(self.all()?));
        }
        self.depth -= 1;
        Ok(read)
    }

    fn all(&mut self) -> Result<Filter, ScimError> {
        let mut read = self.one()?;
        while self.takes("and") {
            read = Filter::And(Box::new(read), Box::new(self.one()?));
        }
        Ok(read)
    }

    fn one(&mut self) -> Result<Filter, ScimError> {
        let negated = self.takes("not");
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            let read = self.any()?;
            self.expect(&Token::Close, ")")?;
            return Ok(if negated { Filter::Not(Box::new(read)) } else { read });
        }
        if negated {
            return Err(wrong("`not` is followed by a filter in parentheses"));
        }
        let Some(Token::Word(path)) = self.tokens.next() else { return Err(wrong("an attribute is missing")) };
        if let Some(list) = self.list {
            let part = list.parts().iter().find(|part| part.name.eq_ignore_ascii_case(&path));
            let part = part.ok_or_else(|| wrong(format!("`{}` has no `{path}`", list.name)))?;
            return self.comparison(Spot::Part(part));
        }
        let place = self.of.place(&path).ok_or_else(|| wrong(format!("there is no attribute `{path}`")))?;
        if self.tokens.next_if_eq(&Token::OpenList).is_some() {
            self.list = Some(place.attribute);
            let inner = self.any()?;
            self.list = None;
            self.expect(&Token::CloseList, "]")?;
            return Ok(Filter::Within(place, Box::new(inner)));
        }
        self.comparison(Spot::Resource(place))
    }

    fn comparison(&mut self, spot: Spot) -> Result<Filter, ScimError> {
        let Some(Token::Word(op)) = self.tokens.next() else { return Err(wrong("a comparison is missing")) };
        if op.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(spot));
        }
        let known = OPS.iter().find(|(word, _)| word.eq_ignore_ascii_case(&op)).map(|(_, op)| *op);
        let known = known.ok_or_else(|| wrong(format!("`{op}` is no comparison")))?;
        let Some(Token::Literal(value)) = self.tokens.next() else {
            return Err(wrong(format!("a value is missing behind `{op}`; texts stand in double quotes")));
        };
        let ordered = matches!(known, Op::Gt | Op::Ge | Op::Lt | Op::Le);
        if ordered && value.is_boolean() {
            return Err(wrong(format!("`{op}` compares no flags")));
        }
        Ok(Filter::Compare(spot, known, value))
    }

    fn expect(&mut self, wanted: &Token, sign: &str) -> Result<(), ScimError> {
        match self.tokens.next_if_eq(wanted) {
            Some(_) => Ok(()),
            None => Err(wrong(format!("`{sign}` is missing"))),
        }
    }
}

impl Spot {
    fn leaf(&self) -> &'static Attribute {
        match self {
            Self::Part(part) => part,
            Self::Resource(Place { part: Some(part), .. }) => part,
            Self::Resource(Place { attribute, .. }) => {
                // Of a list of objects the `value` is meant.
                attribute.parts().iter().find(|part| part.name == "value").unwrap_or(attribute)
            }
        }
    }

    fn values<'v>(&self, of: &'v Value) -> Vec<&'v Value> {
        match self {
            Self::Part(part) => of.get(part.name).into_iter().collect(),
            Self::Resource(place) => place.values(of),
        }
    }
}

impl Place {
    /// Where the attribute stands.
    pub(crate) fn slot<'v>(&self, resource: &'v Value) -> Option<&'v Value> {
        let holder = self.within.map_or(Some(resource), |uri| resource.get(uri))?;
        holder.get(self.attribute.name)
    }

    /// The values at this place.
    pub(crate) fn values<'v>(&self, resource: &'v Value) -> Vec<&'v Value> {
        let Some(value) = self.slot(resource) else { return Vec::new() };
        let single = std::slice::from_ref(value);
        let items = value.as_array().map_or(single, Vec::as_slice);
        let leaf = self.part.map(|part| part.name);
        let leaf =
            leaf.or_else(|| self.attribute.parts().iter().find(|part| part.name == "value").map(|part| part.name));
        match leaf {
            Some(name) => items.iter().filter_map(|item| item.get(name)).collect(),
            None => items.iter().collect(),
        }
    }
}

impl Filter {
    /// Whether a resource (or between brackets, a value of a list) is meant.
    pub(crate) fn holds(&self, of: &Value) -> bool {
        match self {
            Self::And(one, other) => one.holds(of) && other.holds(of),
            Self::Or(one, other) => one.holds(of) || other.holds(of),
            Self::Not(inner) => !inner.holds(of),
            Self::Present(Spot::Resource(place)) if place.part.is_none() => place.slot(of).is_some(),
            Self::Present(spot) => !spot.values(of).is_empty(),
            Self::Within(place, inner) => match place.slot(of) {
                Some(Value::Array(items)) => items.iter().any(|item| inner.holds(item)),
                Some(value) => inner.holds(value),
                None => false,
            },
            Self::Compare(spot, op, wanted) => {
                let (values, leaf) = (spot.values(of), spot.leaf());
                match (op, wanted) {
                    (Op::Eq, Value::Null) => values.is_empty(),
                    (Op::Ne, Value::Null) => !values.is_empty(),
                    (Op::Ne, _) => !values.iter().any(|value| compares(leaf, Op::Eq, value, wanted)),
                    _ => values.iter().any(|value| compares(leaf, *op, value, wanted)),
                }
            }
        }
    }

    /// What an attribute has to be equal to in every resource that is meant, if the filter says so.
    pub(crate) fn equal_to(&self, name: &str) -> Option<&str> {
        match self {
            Self::And(one, other) => one.equal_to(name).or_else(|| other.equal_to(name)),
            Self::Compare(Spot::Resource(place), Op::Eq, Value::String(text))
                if place.attribute.name == name && place.part.is_none_or(|part| part.name == "value") =>
            {
                Some(text)
            }
            _ => None,
        }
    }
}

fn compares(leaf: &Attribute, op: Op, value: &Value, wanted: &Value) -> bool {
    if let (Value::Bool(value), Some(wanted)) = (value, flag(wanted)) {
        return op == Op::Eq && *value == wanted;
    }
    let (Value::String(value), Some(wanted)) = (value, words(wanted)) else { return false };
    if leaf.kind == Kind::Time
        && let (Ok(value), Ok(wanted)) = (value.parse::<Timestamp>(), wanted.parse::<Timestamp>())
    {
        return ordered(op, value.cmp(&wanted));
    }
    let fold = |text: &str| if leaf.exact { text.to_owned() } else { text.to_lowercase() };
    let (value, wanted) = (fold(value), fold(&wanted));
    match op {
        Op::Co => value.contains(&wanted),
        Op::Sw => value.starts_with(&wanted),
        Op::Ew => value.ends_with(&wanted),
        _ => ordered(op, value.cmp(&wanted)),
    }
}

/// A flag; some providers put it in quotes.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn ordered(op: Op, order: Ordering) -> bool {
    match op {
        Op::Eq => order.is_eq(),
        Op::Gt => order.is_gt(),
        Op::Ge => order.is_ge(),
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Ne | Op::Co | Op::Sw | Op::Ew => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::schema::USERS;
    use serde_json::json;

    fn user() -> Value {
        json!({
            "id": "u1", "userName": "Mei.Lin", "active": true, "name": { "familyName": "林" },
            "emails": [{ "value": "mei@corp.example", "type": "work", "primary": true },
                       { "value": "mei@home.example", "type": "home" }],
            "meta": { "lastModified": "2026-03-01T09:30:00.000Z" },
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "employeeNumber": "E7" },
        })
    }

    #[test]
    fn filters_as_providers_write_them_mean_what_they_say() {
        for yes in [
            r#"userName eq "mei.lin""#,
            r#"USERNAME Eq "Mei.Lin""#,
            r#"active eq true"#,
            r#"active eq "True""#,
            r#"emails[type eq "work" and value co "@corp"]"#,
            r#"emails.value eq "mei@home.example""#,
            r#"emails co "home""#,
            r#"name.familyName pr and not (title pr)"#,
            r#"externalId eq null"#,
            r#"userName sw "mei" and (userName ew "x" or userName ew "lin")"#,
            r#"meta.lastModified gt "2026-03-01T17:29:00+08:00""#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName ne "x""#,
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "E7""#,
        ] {
            assert!(read(&USERS, yes).unwrap().holds(&user()), "{yes}");
        }
        for no in [
            r#"id eq "U1""#,
            r#"emails[type eq "home" and value co "@corp"]"#,
            r#"active eq false"#,
            r#"meta.lastModified gt "2026-03-01T17:30:00+08:00""#,
            r#"title eq "x""#,
        ] {
            assert!(!read(&USERS, no).unwrap().holds(&user()), "{no}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_with_a_reason() {
        let deep = format!("{}userName pr{}", "(".repeat(40), ")".repeat(40));
        let long = format!("userName eq \"{}\"", "x".repeat(5000));
        for bad in [
            "",
            "userName",
            "userName eq",
            "userName eq x",
            "userName like \"x\"",
            "(userName pr",
            "userName pr)",
            "not userName pr",
            "shoeSize eq 43",
            "emails[kind eq \"x\"]",
            "emails[type pr",
            "userName eq \"x",
            "active gt true",
            "[",
            "\"x\" eq userName",
            &deep,
            &long,
        ] {
            assert_eq!(read(&USERS, bad).unwrap_err().kind(), Some("invalidFilter"), "{bad}");
        }
    }

    #[test]
    fn what_must_be_equal_is_seen_through_and_never_through_or() {
        let equal = |text: &str| read(&USERS, text).unwrap().equal_to("userName").map(str::to_owned);
        assert_eq!(equal(r#"active eq true and userName eq "x""#).as_deref(), Some("x"));
        assert_eq!(equal(r#"active eq true or userName eq "x""#), None);
        assert_eq!(equal(r#"not (userName eq "x")"#), None);
    }
}
