//! The names that an expression may use, and what is said of one that cannot be understood.

use crate::types::Type;

/// What is wrong with an expression, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Place in characters from the start of the expression.
    pub start: usize,
    /// How many characters it concerns.
    pub len: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub suggestion: Option<String>,
}

impl Problem {
    pub(crate) fn new(start: usize, len: usize, message: impl Into<String>) -> Self {
        Self { start, len, message: message.into(), suggestion: None }
    }

    pub(crate) fn with_suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }
}

/// The names that an expression may use, and their types. The position of a name is its slot at run time.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    names: Vec<(String, Type)>,
}

impl Scope {
    /// A scope of the given names, in slot order.
    #[must_use]
    pub fn new<'a>(names: impl IntoIterator<Item = (&'a str, Type)>) -> Self {
        Self { names: names.into_iter().map(|(name, ty)| (name.to_owned(), ty)).collect() }
    }

    /// Adds a name; it hides an earlier one that is spelled alike. Returns its slot.
    pub fn push(&mut self, name: &str, ty: Type) -> usize {
        self.names.push((name.to_owned(), ty));
        self.names.len() - 1
    }

    /// Gives the name in a slot another type.
    pub fn retype(&mut self, slot: usize, ty: Type) {
        if let Some(name) = self.names.get_mut(slot) {
            name.1 = ty;
        }
    }

    /// Takes the last name away again.
    pub fn pop(&mut self) {
        self.names.pop();
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// True when no name is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The slot and type of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &Type)> {
        self.names.iter().enumerate().rev().find(|(_, (n, _))| n == name).map(|(slot, (_, ty))| (slot, ty))
    }

    /// The names in slot order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().map(|(name, _)| name.as_str())
    }
}
