//! `models/portrait/*.yaml`: what a portrait calls a strength, what is to be worked on, and its tags.

use super::Kind;
use hub_tree::value::parse_decimal;
use hub_tree::yaml::{self, Context, Fields, Node};
use hub_tree::{Decimal, Findings, Source};
use std::sync::Arc;

/// What stands in a tag for the name of what it speaks of.
const NAME: &str = "{name}";
/// Most records that a tag can ask for.
const MOST_TIMES: i64 = 24;

/// What a rule can look at.
const KINDS: [(&str, Kind); 6] = [
    ("skill", Kind::Skill),
    ("competency", Kind::Scorecard),
    ("assessment", Kind::Test),
    ("match", Kind::Match),
    ("appraisal", Kind::Appraisal),
    ("course", Kind::Course),
];

/// A model of portraits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Equal to the file's name: `standard`.
    pub id: String,
    /// Rises when the file changes.
    pub revision: i64,
    /// From here on a competency is a strength, 0 to 10.
    pub strong_from: Decimal,
    /// Below this it is to be worked on, where its record does not say what was asked for, 0 to 10.
    pub weak_below: Decimal,
    /// How many of the last appraisals are shown.
    pub appraisals: usize,
    /// In the order of the file.
    pub tags: Vec<TagRule>,
}

/// When somebody gets a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagRule {
    /// Unique in the file.
    pub id: String,
    /// The tag in Chinese, with `{name}` for what it speaks of.
    pub tag: String,
    /// The same in English.
    pub english: String,
    /// What it looks at; [`Kind::Scorecard`] stands for competencies, whatever record holds them.
    pub from: Kind,
    /// Only what is called so; all when empty.
    pub of: Vec<String>,
    /// The value is at least this, 0 to 10.
    pub min: Option<Decimal>,
    /// The value is at most this, 0 to 10.
    pub max: Option<Decimal>,
    /// So many of the last values must fit.
    pub times: usize,
}

impl Rules {
    /// Reads and checks a file. All problems go to `findings`; `None` when one is an error.
    #[must_use]
    pub fn read(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        let id = fields.required("portrait").and_then(|node| named_as_file(node, &cx));
        fields.required("revision");
        let revision = fields.integer("revision", 1, i64::MAX);
        // For people who choose.
        fields.required("name");
        fields.required("strong_from");
        fields.required("weak_below");
        let strong_from = bound(&mut fields, "strong_from");
        let weak_below = bound(&mut fields, "weak_below");
        if let (Some(strong), Some(weak)) = (strong_from, weak_below)
            && weak > strong
        {
            cx.error(fields.span, "`weak_below` lies above `strong_from`: something would be both");
        }
        let appraisals = fields.integer("appraisals", 1, 100).unwrap_or(4);
        let mut tags: Vec<TagRule> = Vec::new();
        for item in fields.required("tags").map(|node| node.items(&cx)).unwrap_or_default() {
            let Some(tag) = tag(item, &cx) else { continue };
            if tags.iter().any(|known| known.id == tag.id) {
                cx.error(item.span, format!("the tag `{}` stands twice", tag.id));
            }
            tags.push(tag);
        }
        fields.finish();
        (findings.error_count() == before).then_some(Self {
            id: id?,
            revision: revision?,
            strong_from: strong_from?,
            weak_below: weak_below?,
            appraisals: usize::try_from(appraisals).ok()?,
            tags,
        })
    }

    /// `standard@1`: what a portrait says it was drawn with.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}@{}", self.id, self.revision)
    }
}

fn named_as_file(node: &Node, cx: &Context<'_>) -> Option<String> {
    let id = node.text(cx)?;
    let file = cx.source.path.rsplit('/').next().unwrap_or_default();
    let file = file.strip_suffix(".yaml").unwrap_or(file);
    if id != file {
        cx.error(node.span, format!("this file is `{file}.yaml`; `portrait` says `{id}`"));
    }
    Some(id)
}

/// A number on the scale of portraits.
fn bound(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Decimal> {
    let cx = fields.context().clone();
    let node = fields.optional(key)?;
    let number = node.scalar().and_then(parse_decimal);
    let number = number.filter(|number| (Decimal::ZERO..=Decimal::TEN).contains(number));
    if number.is_none() {
        node.expected("a number from 0 to 10", &cx);
    }
    number
}

fn tag(node: &Node, cx: &Context<'_>) -> Option<TagRule> {
    let mut fields = node.fields(cx)?;
    let id = fields.required_text("id");
    let tag = fields.required_text("tag");
    let english = fields.required_text("english");
    fields.required("from");
    let from = fields.word("from", &KINDS);
    let of = fields.texts("of");
    let min = bound(&mut fields, "min");
    let max = bound(&mut fields, "max");
    let times = fields.integer("times", 1, MOST_TIMES).unwrap_or(1);
    let span = fields.span;
    fields.finish();
    for text in [&tag, &english].into_iter().flatten() {
        if text.replace(NAME, "").contains(['{', '}']) {
            cx.error(span, format!("`{text}`: the only placeholder of a tag is `{NAME}`"));
        }
    }
    match from {
        Some(Kind::Course) if min.is_some() || max.is_some() || times > 1 => {
            cx.error(span, "a course is completed or not: leave out `min`, `max` and `times`");
        }
        Some(Kind::Course) | None => {}
        Some(_) if min.is_none() && max.is_none() => cx.error(span, "a tag needs a bound: `min` or `max`"),
        Some(_) => {}
    }
    if from == Some(Kind::Appraisal) && !of.is_empty() {
        cx.error(span, "appraisals are one series: leave out `of`");
    }
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        cx.error(span, "`min` lies above `max`: nobody would get the tag");
    }
    let times = usize::try_from(times).ok()?;
    Some(TagRule { id: id?, tag: tag?, english: english?, from: from?, of, min, max, times })
}

impl TagRule {
    /// Whether a value lies in its bounds; without bounds it need not have one.
    #[must_use]
    pub fn fits(&self, value: Option<Decimal>) -> bool {
        match value {
            Some(value) => self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max),
            None => self.min.is_none() && self.max.is_none(),
        }
    }

    /// Both texts, about something of this name.
    #[must_use]
    pub fn about(&self, name: &str) -> (String, String) {
        (self.tag.replace(NAME, name), self.english.replace(NAME, name))
    }
}
