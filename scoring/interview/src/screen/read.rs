//! The `screen` section of a model's file.

use super::Screen;
use crate::model::Dimension;
use hub_tree::yaml::{Context, Node};

/// Reads and checks it. Problems go to the context.
pub(crate) fn screen(node: &Node, dimensions: &[Dimension], cx: &Context<'_>) -> Option<Screen> {
    let mut fields = node.fields(cx)?;
    fields.required("titles");
    let titles = fields.texts("titles");
    let needed = fields.integer("needed", 1, i64::from(u16::MAX));
    let compounds = fields.texts("compounds");
    let mut words: Vec<(String, Vec<String>)> = Vec::new();
    if let Some(node) = fields.required("words") {
        for (key, list) in node.entries(cx) {
            if dimensions.iter().all(|dimension| dimension.id != key.name) {
                cx.unknown(key.span, "dimension", &key.name, dimensions.iter().map(|dimension| dimension.id.as_str()));
            }
            let list: Vec<String> = list.items(cx).iter().filter_map(|item| item.text(cx)).collect();
            if list.is_empty() {
                cx.error(key.span, "a dimension that is screened needs at least one word");
            }
            words.push((key.name.clone(), list));
        }
    }
    let span = fields.span;
    fields.finish();
    let all = words.len();
    let needed = needed.map_or(all, |needed| usize::try_from(needed).unwrap_or(usize::MAX));
    if needed > all {
        cx.error(span, format!("`needed` is {needed}, and words are listed for {all} dimensions"));
    }
    Some(Screen { titles, needed, compounds, words })
}
