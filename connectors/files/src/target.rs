//! What rows can be imported as: fields with the headings that they are found under and the checks of their values.
//!
//! A target is data, `targets/<name>.yaml`; the built-in ones ship inside the crate.

use crate::problem::Said;
use hub_model::Class;
use hub_tree::yaml::{self, Context, Fields, Node};
use hub_tree::{Findings, Source};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// How the values of a field are checked and cleaned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Free text; line breaks stay.
    Text,
    /// Text on one line.
    Line,
    /// A number or code of something: compared without regard to width and case, never taken for a number.
    Code,
    /// The name of a person.
    Name,
    /// The number of an identity document; the rules of resident numbers hold where the document is one.
    Identity,
    /// A bank account or another long number that a number cell would have cut.
    Account,
    /// A day.
    Date,
    /// A last day; a day that stands for the end of time is none.
    EndDate,
    /// A day with a time.
    Moment,
    /// An amount of money of two digits.
    Amount,
    /// One of a closed list of values.
    Enum,
    /// A mobile number of mainland China, or another number with its country's prefix.
    Phone,
    /// An e-mail address.
    Email,
    /// A department by code, name or path.
    Department,
    /// One of the columns that make the path of a department together.
    Level,
    /// A position by code or name.
    Position,
    /// Another row or a stored record of the same target, such as a manager; circles are refused.
    Manager,
    /// As [`Self::Manager`], by code or name of what is imported.
    Parent,
    /// Somebody stored, by number.
    Person,
    /// A length in whole months.
    Months,
    /// A whole number from zero.
    Count,
    /// Recognised so that it is not asked about, and not imported.
    Ignored,
}

const KINDS: &[(&str, FieldKind)] = &[
    ("text", FieldKind::Text),
    ("line", FieldKind::Line),
    ("code", FieldKind::Code),
    ("name", FieldKind::Name),
    ("identity", FieldKind::Identity),
    ("account", FieldKind::Account),
    ("date", FieldKind::Date),
    ("end_date", FieldKind::EndDate),
    ("moment", FieldKind::Moment),
    ("amount", FieldKind::Amount),
    ("enum", FieldKind::Enum),
    ("phone", FieldKind::Phone),
    ("email", FieldKind::Email),
    ("department", FieldKind::Department),
    ("level", FieldKind::Level),
    ("position", FieldKind::Position),
    ("manager", FieldKind::Manager),
    ("parent", FieldKind::Parent),
    ("person", FieldKind::Person),
    ("months", FieldKind::Months),
    ("count", FieldKind::Count),
    ("ignored", FieldKind::Ignored),
];

/// A field of a target.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in the trees of rows.
    pub id: String,
    /// Its name for people.
    pub name: Said,
    /// How its values are checked.
    pub kind: FieldKind,
    /// Whether each row needs it.
    pub required: bool,
    /// Most characters.
    pub max: usize,
    /// How far its values may be shown.
    pub class: Class,
    /// Headings, as people write them; the first is the one to recommend.
    pub headings: Vec<String>,
    /// Of an enum, what is written → the value.
    values: BTreeMap<String, String>,
    /// Of an enum, the values in the order of the file.
    pub codes: Vec<String>,
}

impl Field {
    /// The value of an enum that a text stands for.
    #[must_use]
    pub fn value_of(&self, text: &str) -> Option<&str> {
        self.values.get(&normal(text)).map(String::as_str)
    }
}

/// What rows can be imported as.
#[derive(Clone, Debug)]
pub struct Target {
    /// `employee`, `department`, …
    pub id: String,
    /// Its name for people.
    pub name: Said,
    /// Its fields in order.
    pub fields: Vec<Field>,
    /// The fields that together tell rows apart, by place.
    pub key: Vec<usize>,
    /// Fields whose value may stand under one key only.
    pub unique: Vec<usize>,
    /// Pairs of days or amounts of which the second is never below the first.
    pub order: Vec<(usize, usize)>,
    /// Normal form of a heading → field.
    headings: BTreeMap<String, usize>,
}

impl Target {
    /// Reads a target. Problems go to `findings`; `None` when one is an error.
    #[must_use]
    pub fn compile(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let mut keys = root.fields(&cx)?;
        keys.version(1);
        let id = keys.required_text("target");
        let name = keys.required("name").and_then(|node| said(node, &cx));
        let key_names = keys.texts("key");
        let unique_names = keys.texts("unique");
        let order = keys.optional("order");
        let mut fields = Vec::new();
        if let Some(node) = keys.required("fields") {
            for (key, node) in node.entries(&cx) {
                fields.extend(node.fields(&cx).and_then(|own| field(&key.name, own, &cx)));
            }
        }
        keys.finish();
        let place = |name: &str| {
            let found = fields.iter().position(|field: &Field| field.id == name);
            if found.is_none() {
                cx.error(root.span, format!("there is no field `{name}`"));
            }
            found
        };
        let key = key_names.iter().filter_map(|name| place(name)).collect();
        let unique = unique_names.iter().filter_map(|name| place(name)).collect();
        let pairs = order.map(|node| node.items(&cx)).unwrap_or_default();
        let order = pairs.iter().filter_map(|pair| {
            let names: Vec<String> = pair.items(&cx).iter().filter_map(|name| name.text(&cx)).collect();
            let [first, second] = names.as_slice() else {
                pair.expected("two fields", &cx);
                return None;
            };
            Some((place(first)?, place(second)?))
        });
        let order = order.collect();
        let mut headings = BTreeMap::new();
        for (at, field) in fields.iter().enumerate() {
            for heading in &field.headings {
                if let Some(other) = headings.insert(normal(heading), at)
                    && other != at
                {
                    cx.error(root.span, format!("`{heading}` is a heading of two fields"));
                }
            }
        }
        (findings.error_count() == before).then_some(Self {
            id: id?,
            name: name?,
            fields,
            key,
            unique,
            order,
            headings,
        })
    }

    /// The built-in target of a name.
    #[must_use]
    pub fn built_in(name: &str) -> Option<&'static Self> {
        Self::all_built_in().iter().find(|target| target.id == name)
    }

    /// All built-in targets, in the order in which they are best imported.
    #[must_use]
    pub fn all_built_in() -> &'static [Self] {
        static TARGETS: OnceLock<Vec<Target>> = OnceLock::new();
        TARGETS.get_or_init(|| {
            let compile = |(name, text): &(&str, &str)| {
                Self::compile(&Source::new(format!("hrhub:files/targets/{name}.yaml"), *text), &Findings::new())
            };
            BUILT_IN.iter().filter_map(compile).collect()
        })
    }

    /// The place of a field.
    #[must_use]
    pub fn place(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|one| one.id == field)
    }

    /// The field that a heading means: as it stands, or without what is in brackets.
    #[must_use]
    pub fn field_of_heading(&self, heading: &str) -> Option<usize> {
        let found = self.headings.get(&normal(heading)).or_else(|| self.headings.get(&normal(&outside(heading))));
        found.copied()
    }
}

const BUILT_IN: &[(&str, &str)] = &[
    ("cost_center", include_str!("targets/cost_center.yaml")),
    ("department", include_str!("targets/department.yaml")),
    ("position", include_str!("targets/position.yaml")),
    ("salary_band", include_str!("targets/salary_band.yaml")),
    ("employee", include_str!("targets/employee.yaml")),
    ("compensation", include_str!("targets/compensation.yaml")),
    ("attendance", include_str!("targets/attendance.yaml")),
    ("benefit_plan", include_str!("targets/benefit_plan.yaml")),
    ("benefit_enrollment", include_str!("targets/benefit_enrollment.yaml")),
];

fn said(node: &Node, cx: &Context<'_>) -> Option<Said> {
    let mut both = node.fields(cx)?;
    let (zh, en) = (both.required_text("zh"), both.required_text("en"));
    both.finish();
    Some(Said::new(en?, zh?))
}

fn field(id: &str, mut keys: Fields<'_, '_>, cx: &Context<'_>) -> Option<Field> {
    let name = keys.required("name").and_then(|node| said(node, cx));
    let headings = keys.texts("headings");
    keys.required("kind");
    let kind = keys.word("kind", KINDS);
    let required = keys.bool("required").unwrap_or(false);
    let max = keys.integer("max", 1, 32_767).and_then(|max| usize::try_from(max).ok()).unwrap_or(500);
    keys.required("class");
    let class = keys.word("class", &[("S0", Class::S0), ("S1", Class::S1), ("S2", Class::S2), ("S3", Class::S3)]);
    let (mut values, mut codes) = (BTreeMap::new(), Vec::new());
    if let Some(node) = keys.optional("values") {
        for (code, words) in node.entries(cx) {
            values.insert(normal(&code.name), code.name.clone());
            codes.push(code.name.clone());
            for word in words.items(cx).iter().filter_map(Node::scalar) {
                if values.insert(normal(word), code.name.clone()).is_some_and(|other| other != code.name) {
                    cx.error(words.span, format!("`{word}` stands for two values"));
                }
            }
        }
    }
    keys.finish();
    Some(Field { id: id.to_owned(), name: name?, kind: kind?, required, max, class: class?, headings, values, codes })
}

/// How headings and words are compared: plain, in small letters, without blanks, marks and stars.
fn normal(text: &str) -> String {
    let plain = crate::clean::plain(text).to_lowercase();
    let mark = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '*' | '★' | '☆' | ':' | '.' | '_' | '-' | '(' | ')' | '[' | ']' | '【' | '】' | '"' | '\'' | '#'
            )
    };
    plain.chars().filter(|c| !mark(*c)).collect()
}

/// A heading without what stands in brackets: a unit, a form of dates, `(必填)`.
fn outside(heading: &str) -> String {
    let mut depth = 0_usize;
    heading
        .chars()
        .filter(|c| match c {
            '(' | '（' | '[' | '【' => {
                depth += 1;
                false
            }
            ')' | '）' | ']' | '】' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_targets_are_sound() {
        for (name, text) in BUILT_IN {
            let findings = Findings::new();
            let target = Target::compile(&Source::new(format!("targets/{name}.yaml"), *text), &findings);
            let problems: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
            assert!(problems.is_empty(), "{}", problems.join("\n"));
            assert_eq!(target.unwrap().id, *name);
        }
        assert_eq!(Target::all_built_in().len(), BUILT_IN.len());
    }

    #[test]
    fn headings_are_recognised_as_people_write_them() {
        let target = Target::built_in("employee").unwrap();
        let field = |heading: &str| target.field_of_heading(heading).map(|at| target.fields[at].id.as_str());
        for (heading, id) in [
            ("*工号", "employee_number"),
            ("姓 名*", "legal_name"),
            ("★身份证号码（必填）", "id_number"),
            ("入职日期(yyyy-MM-dd)", "hire_date"),
            ("试用期（月）", "probation_months"),
            ("基本工资（元）", "base_salary"),
            ("Employee No.", "employee_number"),
            ("E-Mail", "work_email"),
            ("ＨＩＲＥ　ＤＡＴＥ", "hire_date"),
            ("直接上级\n工号", "manager"),
        ] {
            assert_eq!(field(heading), Some(id), "{heading}");
        }
        assert_eq!(field("内部备注"), None);
        assert_eq!(field(""), None);
    }

    #[test]
    fn words_of_enums_are_recognised() {
        let target = Target::built_in("employee").unwrap();
        let field = &target.fields[target.place("employment_type").unwrap()];
        for (word, value) in [
            ("全职", "FULL_TIME"),
            ("Part-Time", "PART_TIME"),
            ("FULL_TIME", "FULL_TIME"),
            (" 劳务派遣 ", "DISPATCHED"),
        ] {
            assert_eq!(field.value_of(word), Some(value), "{word}");
        }
        assert_eq!(field.value_of("长期"), None);
    }
}
