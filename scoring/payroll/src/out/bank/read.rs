//! Reads a profile; everything wrong with it is told at once.

use super::{Cell, Each, Format, Names, Need, Of, Payer, Profile, ResultForm, ResultTable, Table, report, sha256};
use crate::out::cells::{Charset, Form};
use hub_model::entities::pay::BankAccount;
use hub_standards::codes;
use hub_tree::yaml::{self, Context, Fields, Node};
use hub_tree::{Encoding, Findings, Source, csv};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(super) fn profile(source: &Arc<Source>, findings: &Findings) -> Option<Profile> {
    let before = findings.error_count();
    let root = yaml::read(source, findings)?;
    let cx = Context::new(source, findings);
    let mut fields = root.fields(&cx)?;
    fields.version(1);
    let id = fields.required("bank_file").and_then(|node| named_as_file(node, ".yaml", &cx));
    fields.required("revision");
    let revision = fields.integer("revision", 1, i64::from(u32::MAX)).and_then(|number| u32::try_from(number).ok());
    // For people who choose; a run names the id.
    fields.required("name");
    let currency = fields.optional("currency").and_then(|node| currency(node, &cx));
    let purpose = fields.required_text("purpose");
    let payer = fields.optional("payer").and_then(|node| payer(node, &cx));
    fields.required("format");
    let is_table = fields.word("format", &[("csv", true), ("pain.001", false)]);
    let form = form(&mut fields, is_table == Some(true));
    let header = fields.optional("header").map(|node| rows(node, &cx)).unwrap_or_default();
    let names = fields.bool("column_names").unwrap_or(true);
    let columns = fields.optional("columns").map(|node| (columns(node, &cx), node.span));
    let needs = fields.optional("needs").map(|node| words(node, "need", &Need::WORDS, &cx)).unwrap_or_default();
    let result = fields.optional("result").and_then(|node| {
        let found = result(node, &cx);
        if is_table == Some(true) && matches!(found, Some(ResultForm::Report(_))) {
            cx.error(node.span, "a `pain.002` answers a file of `format: pain.001`");
        }
        found
    });
    let span = fields.span;
    fields.finish();
    let needs_payer = header.iter().flatten().any(|cell| matches!(cell, Cell::Value(Of::Payer | Of::PayerAccount)));
    if needs_payer && payer.is_none() {
        cx.error(span, "the header names the payer: add `payer`");
    }
    let format = match (is_table?, columns) {
        (true, Some((columns, at))) => {
            if !columns.iter().any(|(_, cell)| matches!(cell, Cell::Value(Each::Amount | Each::AmountCents))) {
                cx.error(at, "no column has the amount: `value: amount`");
            }
            if !columns.iter().any(|(_, cell)| matches!(cell, Cell::Value(Each::Account))) {
                cx.error(at, "no column has the account: `value: account`");
            }
            Format::Table(Table { form: form?, header, names, columns, needs })
        }
        (true, None) => {
            cx.error(span, "a file of `format: csv` has `columns`");
            return None;
        }
        (false, Some((_, at))) => {
            cx.error(at, "`pain.001` has the elements of the standard: leave out `columns`");
            return None;
        }
        (false, None) => Format::Pain001,
    };
    (findings.error_count() == before).then_some(Profile {
        id: id?,
        revision: revision?,
        currency,
        purpose: purpose?,
        payer,
        format,
        result,
        sha256: sha256(&source.text),
    })
}

/// An id that is the name of the file.
pub(in crate::out) fn named_as_file(node: &Node, ending: &str, cx: &Context<'_>) -> Option<String> {
    let id = node.text(cx)?;
    let name = cx.source.path.rsplit('/').next().unwrap_or_default();
    let name = name.strip_suffix(ending).unwrap_or(name);
    if id != name {
        cx.error(node.span, format!("this file is `{name}{ending}`, and the id in it `{id}`: they are the same"));
    }
    Some(id)
}

pub(in crate::out) fn currency(node: &Node, cx: &Context<'_>) -> Option<String> {
    let currency = node.text(cx)?;
    if !codes::is_currency(&currency) {
        cx.error(node.span, format!("`{currency}` is no ISO 4217 currency such as CNY"));
    }
    Some(currency)
}

fn payer(node: &Node, cx: &Context<'_>) -> Option<Payer> {
    let mut fields = node.fields(cx)?;
    let name = fields.required_text("name");
    let account = BankAccount {
        account_no: fields.scalar("account"),
        iban: fields.text("iban"),
        bic: fields.text("bic"),
        cnaps: fields.scalar("cnaps"),
        ..BankAccount::default()
    };
    if account.account_no.is_none() && account.iban.is_none() {
        cx.error(node.span, "a payer has an `account` or an `iban`");
    }
    fields.finish();
    Some(Payer { name: name?, account })
}

const DELIMITERS: [(&str, char); 4] = [("comma", ','), ("semicolon", ';'), ("tab", '\t'), ("pipe", '|')];

/// What only tables have.
fn form(fields: &mut Fields<'_, '_>, is_table: bool) -> Option<Form> {
    if is_table {
        fields.required("encoding");
    }
    let encoding = fields.word("encoding", &Charset::WORDS);
    let delimiter = fields.word("delimiter", &DELIMITERS).unwrap_or(',');
    let mark = fields.bool("byte_order_mark").unwrap_or(false);
    let crlf = fields.word("line_end", &[("crlf", true), ("lf", false)]).unwrap_or(true);
    Some(Form { delimiter, encoding: encoding?, mark, crlf })
}

fn rows(node: &Node, cx: &Context<'_>) -> Vec<Vec<Cell<Of>>> {
    let cells = |row: &Node| row.items(cx).iter().filter_map(|node| cell(node, &Of::WORDS, cx)).collect();
    node.items(cx).iter().map(cells).collect()
}

fn columns(node: &Node, cx: &Context<'_>) -> Vec<(String, Cell<Each>)> {
    let mut seen = BTreeSet::new();
    let mut column = |node: &Node| {
        let mut fields = node.fields(cx)?;
        let name = fields.required_text("name")?;
        if !seen.insert(name.clone()) {
            cx.error(node.span, format!("there are two columns `{name}`"));
        }
        Some((name, of_fields(fields, &Each::WORDS, cx)?))
    };
    node.items(cx).iter().filter_map(&mut column).collect()
}

fn cell<V: Copy>(node: &Node, words: &[(&'static str, V)], cx: &Context<'_>) -> Option<Cell<V>> {
    of_fields(node.fields(cx)?, words, cx)
}

/// `text: …` or `value: <word>`.
fn of_fields<V: Copy>(mut fields: Fields<'_, '_>, words: &[(&'static str, V)], cx: &Context<'_>) -> Option<Cell<V>> {
    let (text, span) = (fields.scalar("text"), fields.span);
    let has_value = fields.optional("value").is_some();
    let value = fields.word("value", words);
    fields.finish();
    match (text, value) {
        (Some(text), None) if !has_value => Some(Cell::Text(text)),
        (None, Some(value)) => Some(Cell::Value(value)),
        (None, None) if has_value => None,
        _ => {
            cx.error(span, "a cell has either `text` or `value`");
            None
        }
    }
}

fn words<T: Copy>(node: &Node, what: &str, known: &[(&'static str, T)], cx: &Context<'_>) -> Vec<T> {
    let one = |node: &Node| {
        let word = node.text(cx)?;
        let found = known.iter().find(|(known, _)| *known == word).map(|(_, one)| *one);
        if found.is_none() {
            cx.unknown(node.span, what, &word, known.iter().map(|(known, _)| *known));
        }
        found
    };
    node.items(cx).iter().filter_map(one).collect()
}

fn result(node: &Node, cx: &Context<'_>) -> Option<ResultForm> {
    let mut fields = node.fields(cx)?;
    if fields.word("format", &[("csv", false), ("pain.002", true)]) == Some(true) {
        let mut paid = fields.texts("paid");
        fields.finish();
        if paid.is_empty() {
            paid = report::PAID.map(str::to_owned).to_vec();
        }
        return Some(ResultForm::Report(paid));
    }
    let encoding = fields.required("encoding").and_then(|node| {
        let label = node.text(cx)?;
        let found = Encoding::of_label(&label);
        if found.is_none() {
            cx.error(node.span, format!("`{label}` is no encoding such as utf-8 or gb18030"));
        }
        found
    });
    let delimiters = [
        ("comma", csv::Delimiter::Comma),
        ("semicolon", csv::Delimiter::Semicolon),
        ("tab", csv::Delimiter::Tab),
        ("detect", csv::Delimiter::Detect),
    ];
    let delimiter = fields.word("delimiter", &delimiters).unwrap_or_default();
    let skip = fields.integer("skip_lines", 0, 100).and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
    let payment = fields.required("payment").and_then(|node| {
        let mut fields = node.fields(cx)?;
        let column = fields.required_text("column");
        fields.required("is");
        let names = fields.word("is", &Names::WORDS);
        fields.finish();
        Some((column?, names?))
    });
    let amount = fields.required_text("amount");
    let cents = fields.bool("amount_in_cents").unwrap_or(false);
    let status = fields.required_text("status");
    let (paid, failed) = (fields.texts("paid"), fields.texts("failed"));
    for (list, key) in [(&paid, "paid"), (&failed, "failed")] {
        if list.is_empty() {
            cx.error(node.span, format!("`{key}` lists the bank's words"));
        }
    }
    if let Some(both) = paid.iter().find(|word| failed.contains(word)) {
        cx.error(node.span, format!("`{both}` is in `paid` and in `failed`"));
    }
    let (reason, reference) = (fields.text("reason"), fields.text("reference"));
    fields.finish();
    Some(ResultForm::Table(ResultTable {
        encoding: encoding?,
        delimiter,
        skip,
        payment: payment?,
        amount: amount?,
        cents,
        status: status?,
        paid,
        failed,
        reason,
        reference,
    }))
}
