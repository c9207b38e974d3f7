//! Reads a chart; everything wrong with it is told at once.

use super::{Account, Chart, Rule};
use crate::out::bank::named_as_file;
use hub_model::entities::pay::{PayLineKind, PaySide};
use hub_model::enums::EnumOf;
use hub_tree::yaml::{self, Context, Node};
use hub_tree::{Findings, Source};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn chart(source: &Arc<Source>, findings: &Findings) -> Option<Chart> {
    let before = findings.error_count();
    let root = yaml::read(source, findings)?;
    let cx = Context::new(source, findings);
    let mut fields = root.fields(&cx)?;
    fields.version(1);
    let id = fields.required("journal").and_then(|node| named_as_file(node, ".yaml", &cx));
    fields.required("revision");
    let revision = fields.integer("revision", 1, i64::from(u32::MAX)).and_then(|number| u32::try_from(number).ok());
    // For people who choose.
    fields.required("name");
    let accounts = fields.required("accounts").map(|node| node.entries(&cx)).unwrap_or_default();
    let accounts: BTreeMap<String, Account> =
        accounts.iter().filter_map(|(key, node)| Some((key.name.clone(), account(node, &cx)?))).collect();
    let without_cost_center = fields.scalar("without_cost_center");
    let rules = fields.required("rules").map(|node| node.items(&cx)).unwrap_or_default();
    let rules = rules.iter().filter_map(|node| rule(node, &accounts, &cx)).collect();
    fields.finish();
    (findings.error_count() == before).then_some(Chart {
        id: id?,
        revision: revision?,
        accounts,
        without_cost_center,
        rules,
        sha256: crate::out::bank::sha256(&source.text),
    })
}

fn account(node: &Node, cx: &Context<'_>) -> Option<Account> {
    let mut fields = node.fields(cx)?;
    let name = fields.required_text("name");
    let by_cost_center = fields.bool("by_cost_center").unwrap_or(false);
    fields.finish();
    Some(Account { name: name?, by_cost_center })
}

fn rule(node: &Node, accounts: &BTreeMap<String, Account>, cx: &Context<'_>) -> Option<Rule> {
    let mut fields = node.fields(cx)?;
    let codes = fields.texts("codes");
    let kinds = fields.optional("kinds").map(|node| node.items(cx)).unwrap_or_default();
    let kinds = kinds.iter().filter_map(|node| {
        let word = node.text(cx)?;
        let known = PayLineKind::ENUM.values;
        let found = PayLineKind::from_wire(&word).filter(|_| known.contains(&word.as_str()));
        if found.is_none() {
            cx.unknown(node.span, "kind of line", &word, known.iter().copied());
        }
        found
    });
    let kinds = kinds.collect();
    fields.required("side");
    let side = fields.word("side", &[("EMPLOYEE", PaySide::Employee), ("EMPLOYER", PaySide::Employer)]);
    let mut of = |key: &'static str| {
        let node = fields.required(key)?;
        let number = node.text(cx)?;
        if !accounts.contains_key(&number) {
            cx.unknown(node.span, "account", &number, accounts.keys().map(String::as_str));
        }
        Some(number)
    };
    let (debit, credit) = (of("debit"), of("credit"));
    fields.finish();
    Some(Rule { codes, kinds, side: side?, debit: debit?, credit: credit? })
}
