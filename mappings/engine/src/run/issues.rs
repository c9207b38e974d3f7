//! What goes wrong in a run, and what ends it: findings are counted and listed up to a limit, and a result that does
//! not fit is a finding.

use super::{Run, Step};
use crate::convert::Misfit;
use crate::limits::{Excess, MAX_ISSUES};
use crate::mapping::Emit;
use crate::outcome::{Issue, Level};
use hub_tree::{Position, Span, Value};

impl<'a> Run<'a> {
    pub(super) fn issue(&mut self, level: Level, code: &'static str, message: String, at: Position) {
        let count = if level == Level::Error { &mut self.errors } else { &mut self.warnings };
        *count += 1;
        if *count > MAX_ISSUES {
            self.unlisted.get_or_insert(at);
            return;
        }
        self.list_issue(level, code, message, at);
    }

    fn list_issue(&mut self, level: Level, code: &'static str, message: String, at: Position) {
        let mut field = String::new();
        for step in &self.way {
            match step {
                Step::Pointer(pointer) => field.push_str(pointer),
                Step::Item(index) => field.push_str(&format!("/{index}")),
            }
        }
        let (file, Position { line, column }) = self.source.locate(at);
        let file = file.to_owned();
        self.issues.push(Issue {
            level,
            code,
            entity: self.entity,
            item: self.item,
            field,
            message,
            file,
            line,
            column,
        });
    }

    /// A value that does not fit, at the rule that is being followed.
    pub(crate) fn misfit(&mut self, level: Level, misfit: Misfit, span: Span) {
        self.issue(level, misfit.code, misfit.message, span.start);
    }

    /// A warning about the rule that is being followed.
    pub(crate) fn note_here(&mut self, code: &'static str, message: String) {
        self.issue(Level::Warning, code, message, self.span.start);
    }

    /// How many errors there are.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// What went wrong; when not all of it is listed, how much more there was.
    pub(crate) fn into_issues(mut self) -> Vec<Issue> {
        if let Some(at) = self.unlisted {
            let beyond = self.warnings.saturating_sub(MAX_ISSUES) + self.errors.saturating_sub(MAX_ISSUES);
            let message = format!("{beyond} more findings are not listed; the first of them is here");
            self.entity = "";
            self.list_issue(Level::Warning, "findings_left_out", message, at);
        }
        self.issues
    }

    /// Whether nothing more is to be made.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// What the rule that is being followed made does not fit: an error, and unless it is only too deep, the end.
    pub(crate) fn too_large(&mut self, excess: Excess, at: Position) {
        if self.stopped {
            // Said already: everything around what did not fit ends, too.
            return;
        }
        self.stopped = excess != Excess::Depth;
        self.issue(Level::Error, "result_too_large", excess.message(), at);
    }

    /// Keeps a value that a rule made, if there is room for it. What is made of rules was counted with them.
    pub(crate) fn kept(&mut self, value: Value<'a>, is_whole: bool) -> Option<Value<'a>> {
        let taken = if is_whole { self.room.take(value, self.depth) } else { self.room.spend(1, 0) };
        match taken {
            Ok(()) => Some(value),
            Err(excess) => {
                self.too_large(excess, self.span.start);
                None
            }
        }
    }

    /// The leftovers of a record, unless there is no room: then they are left out, the payload itself is still there.
    pub(super) fn leftovers(&mut self, emit: &Emit, ext: Value<'a>) -> Value<'a> {
        // The record keeps them as `ext.<connector>`.
        match self.room.take(ext, 2) {
            Ok(()) => ext,
            Err(excess) => {
                let message = format!("what no rule reads is not kept in `ext`: {}", excess.message());
                self.issue(Level::Warning, "result_too_large", message, emit.span.start);
                Value::Absent
            }
        }
    }
}
