//! Competency models: files that HR and the business agree on.

use crate::caps::{self, Caps};
use crate::rules::{Matcher, Rule};
use crate::screen::{self, Screen};
use hub_model::entities::assessment::FeatureClass;
use hub_tree::yaml::{self, Context, Fields, Kind, Node};
use hub_tree::{Decimal, Findings, Source};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A competency model.
#[derive(Debug)]
pub struct Model {
    /// Its id, equal to its file's name.
    pub id: String,
    /// Its revision; a report keeps the one it was scored with.
    pub revision: i64,
    /// What people call it, by language.
    pub name: BTreeMap<String, String>,
    /// Who answers for it.
    pub owner: String,
    /// The share of the weight that must have a score for a composite, 0 to 1.
    pub min_coverage: Decimal,
    /// The match from 0 to 10 that 推荐 needs; `None` when the match does not decide.
    pub match_min: Option<Decimal>,
    /// Its dimensions.
    pub dimensions: Vec<Dimension>,
    /// Rules that lower the label.
    pub caps: Caps,
    /// What it asks of résumés; `None` when it screens none.
    pub screen: Option<Screen>,
    /// The file.
    pub source: Arc<Source>,
}

/// A dimension of a model.
#[derive(Debug)]
pub struct Dimension {
    /// Its id.
    pub id: String,
    /// Its name in English.
    pub english: String,
    /// Its share of the composite, in percent.
    pub weight: Decimal,
    /// From here on it counts for 推荐; `None` when it does not decide.
    pub min: Option<Decimal>,
    /// Below this it is 不推荐.
    pub floor: Option<Decimal>,
    /// Where its score comes from.
    pub origin: Origin,
    /// What a candidate who is weak here can do better, by language.
    pub improve: BTreeMap<String, String>,
}

/// Where a dimension's score comes from.
#[derive(Debug)]
pub enum Origin {
    /// The vendor's dimension of one of these names.
    Vendor(Vec<String>),
    /// Rules over what was said and measured.
    Rules {
        /// Where counting begins.
        start: Decimal,
        /// The rules.
        rules: Vec<Rule>,
    },
}

impl Model {
    /// Reads and checks a model. All problems go to `findings`; `None` when one is an error.
    #[must_use]
    pub fn compile(source: &Arc<Source>, findings: &Findings) -> Option<Self> {
        let before = findings.error_count();
        let root = yaml::read(source, findings)?;
        let cx = Context::new(source, findings);
        let mut fields = root.fields(&cx)?;
        fields.version(1);
        let file = source.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".yaml");
        let id = fields.required("model").and_then(|node| {
            let id = node.text(&cx)?;
            if id != file {
                cx.error(node.span, format!("this file is `{file}.yaml`; `model` says `{id}`"));
            }
            Some(id)
        });
        fields.required("revision");
        let revision = fields.integer("revision", 1, i64::MAX);
        let name = fields.required("name").map(|node| by_language(node, &cx));
        let owner = fields.required_text("owner").unwrap_or_default();
        let min_coverage = decimal(&mut fields, "min_coverage").unwrap_or_else(|| Decimal::new(8, 1));
        if min_coverage < Decimal::ZERO || min_coverage > Decimal::ONE {
            cx.error(fields.span, "`min_coverage` is a share from 0 to 1");
        }
        let match_min = decimal(&mut fields, "match_min");
        if match_min.is_some_and(|min| min < Decimal::ZERO || min > Decimal::TEN) {
            cx.error(fields.span, "`match_min` lies between 0 and 10");
        }
        let mut dimensions: Vec<Dimension> = Vec::new();
        if let Some(node) = fields.required("dimensions") {
            for item in node.items(&cx) {
                if let Some(dimension) = dimension(item, &cx) {
                    if dimensions.iter().any(|known| known.id == dimension.id) {
                        cx.error(item.span, format!("the dimension `{}` stands twice", dimension.id));
                    }
                    dimensions.push(dimension);
                }
            }
            let sum: Decimal = dimensions.iter().map(|dimension| dimension.weight).sum();
            if sum != Decimal::ONE_HUNDRED && findings.error_count() == before {
                cx.error(node.span, format!("the weights sum to {sum}, not to 100"));
            }
            if dimensions.iter().all(|dimension| dimension.min.is_none()) {
                cx.error(node.span, "no dimension has a `min`: nothing would decide");
            }
        }
        let screen = fields.optional("screen").and_then(|node| screen::read(node, &dimensions, &cx));
        let caps = fields.optional("caps").map(|node| caps::read(node, &dimensions, &cx)).unwrap_or_default();
        fields.finish();
        if !caps.rules.is_empty() && findings.error_count() == before {
            caps::tried(&caps, &dimensions, match_min, &cx);
        }
        (findings.error_count() == before).then_some(Self {
            id: id?,
            revision: revision?,
            name: name.unwrap_or_default(),
            owner,
            min_coverage,
            match_min,
            dimensions,
            caps,
            screen,
            source: Arc::clone(source),
        })
    }

    /// `customer-service@3`: what a report says it was scored with.
    #[must_use]
    pub fn version(&self) -> String {
        format!("{}@{}", self.id, self.revision)
    }
}

/// Texts by language.
fn by_language(node: &Node, cx: &Context<'_>) -> BTreeMap<String, String> {
    let entries = node.entries(cx).iter();
    entries.filter_map(|(key, value)| Some((key.name.clone(), value.text(cx)?))).collect()
}

/// What can be done better, by language; nothing where nothing is said.
fn improve(fields: &mut Fields<'_, '_>, cx: &Context<'_>) -> BTreeMap<String, String> {
    fields.optional("improve").map(|node| by_language(node, cx)).unwrap_or_default()
}

fn decimal(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Decimal> {
    let cx = fields.context().clone();
    let node = fields.optional(key)?;
    let number = match &node.kind {
        Kind::Number(text) => hub_tree::value::parse_decimal(text),
        _ => None,
    };
    if number.is_none() {
        node.expected("a number", &cx);
    }
    number
}

fn dimension(node: &Node, cx: &Context<'_>) -> Option<Dimension> {
    let mut fields = node.fields(cx)?;
    let id = fields.required_text("id");
    let english = fields.text("english");
    fields.required("weight");
    let weight = decimal(&mut fields, "weight");
    let min = decimal(&mut fields, "min");
    let floor = decimal(&mut fields, "floor");
    let hundred = Decimal::ONE_HUNDRED;
    for (name, value) in [("weight", weight), ("min", min), ("floor", floor)] {
        if value.is_some_and(|value| value < Decimal::ZERO || value > hundred) {
            cx.error(fields.span, format!("`{name}` lies between 0 and 100"));
        }
    }
    if let (Some(floor), Some(min)) = (floor, min)
        && floor > min
    {
        cx.error(fields.span, "`floor` lies above `min`");
    }
    if floor.is_some() && min.is_none() {
        cx.error(fields.span, "a `floor` needs a `min`");
    }
    let improve = improve(&mut fields, cx);
    let vendor = fields.texts("vendor");
    let start = decimal(&mut fields, "start");
    let rules = fields.optional("rules").map(|node| node.items(cx).iter().filter_map(|item| rule(item, cx)).collect());
    let span = fields.span;
    fields.finish();
    let id = id?;
    let origin = match (rules, start, vendor.is_empty()) {
        (Some(rules), Some(start), true) => Origin::Rules { start, rules },
        (None, None, true) => Origin::Vendor(vec![id.clone()]),
        (None, None, false) => Origin::Vendor(vendor),
        _ => {
            cx.error(span, "a dimension is scored either by a `vendor` dimension, or by `start` and `rules`");
            return None;
        }
    };
    let english = english.unwrap_or_else(|| id.clone());
    Some(Dimension { english, id, weight: weight?, min, floor, origin, improve })
}

fn rule(node: &Node, cx: &Context<'_>) -> Option<Rule> {
    let mut fields = node.fields(cx)?;
    let id = fields.required_text("id");
    fields.required("points");
    let points = decimal(&mut fields, "points");
    let said = fields.texts("said");
    let not_said = fields.texts("not_said");
    let feature = fields.text("feature");
    let classes =
        [("speech", FeatureClass::Speech), ("text", FeatureClass::Text), ("expression", FeatureClass::Expression)];
    let class = fields.word("class", &classes);
    let at_least = decimal(&mut fields, "at_least");
    let at_most = decimal(&mut fields, "at_most");
    let improve = improve(&mut fields, cx);
    let span = fields.span;
    fields.finish();
    let matcher = match (said.is_empty(), not_said.is_empty(), feature) {
        (false, true, None) => Matcher::Phrases(said),
        (true, false, None) => Matcher::NoPhrase(not_said),
        (true, true, Some(name)) => {
            let Some(class) = class else {
                cx.error(span, "a feature needs its `class`: regions can switch classes off");
                return None;
            };
            if at_least.is_none() && at_most.is_none() {
                cx.error(span, "a feature needs a bound: `at_least` or `at_most`");
            }
            Matcher::Feature { name, class, at_least, at_most }
        }
        _ => {
            cx.error(span, "a rule looks at one thing: `said`, `not_said` or a `feature`");
            return None;
        }
    };
    Some(Rule { id: id?, matcher, points: points?, improve })
}
