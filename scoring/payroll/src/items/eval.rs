//! Expressions of a payslip: their values, or problems that say where and why there is none.

use super::how;
use super::pay::Run;
use super::rules::Step;
use hub_expr::{EvalError, Located};
use hub_tree::Value;

impl<'r> Run<'r> {
    /// What an expression gives; a problem where it fails or gives nothing.
    pub(super) fn eval(&mut self, step: &Step, located: &'r Located) -> Option<Value<'r>> {
        let value = match located.expr.eval(&mut self.cx) {
            Ok(value) => value,
            Err(error) => {
                self.failed(step, located, &error);
                return None;
            }
        };
        if value.is_absent() {
            let (why, at) = self.why_absent(located);
            let message = format!("`{}` has no result: {why}", located.expr.text());
            let place = self.rules.source.place(located.place(at));
            self.problem(Some(&step.name), String::new(), message, Some(place));
            return None;
        }
        Some(value)
    }

    fn failed(&mut self, step: &Step, located: &Located, error: &EvalError) {
        let message = format!("`{}`: {}", located.expr.text(), error.message);
        let place = self.rules.source.place(located.place(error.start));
        self.problem(Some(&step.name), String::new(), message, Some(place));
    }

    /// What an expression lacks, and where in it.
    fn why_absent(&mut self, located: &'r Located) -> (String, usize) {
        let explained = located.expr.explain(&mut self.cx).ok();
        let Some(step) = explained.as_ref().and_then(|(_, explain)| how::absent(explain)) else {
            return ("a value that it reads is absent".to_owned(), 0);
        };
        let text = located.expr.text();
        let at = text.find(&step.text).map_or(0, |at| text.get(..at).unwrap_or_default().chars().count());
        let help = "give it, write a default with `??`, or ask with `when: exists(…)`";
        let keyed = ["lookup(", "bracket("].iter().any(|function| step.text.starts_with(function));
        let message = match step.because.as_slice() {
            [table, .., key] if keyed && table.value.is_some() => {
                let keys = self.cx.slots.iter().zip(0..).find_map(|(value, slot)| {
                    let named = self.rules.tables.iter().any(|known| known.slot == slot && known.name == table.text);
                    named.then(|| value.entries().iter().map(|(key, _)| *key).collect::<Vec<_>>().join(", "))
                });
                let known =
                    keys.filter(|keys| !keys.is_empty()).map_or_else(String::new, |keys| format!("; it has {keys}"));
                format!(
                    "the table `{}` has nothing for {} ({}){known}",
                    table.text,
                    key.value.as_deref().unwrap_or("nothing"),
                    key.text
                )
            }
            _ if self.rules.tables.iter().any(|table| table.name == step.text) => {
                format!("the table `{}` has no version that holds on {}", step.text, self.period.end)
            }
            _ => format!("`{}` is absent: {help}", step.text),
        };
        (message, at)
    }
}
