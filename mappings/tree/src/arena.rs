//! Memory for one document: everything read or computed for it lives here and is freed at once.

use crate::value::{Map, Value};
use bumpalo::Bump;

/// A bump allocator for the values of one document.
///
/// Values are `Copy` and point into the arena or into the input bytes, so a mapping neither clones nor
/// counts references. Reuse an arena with [`Arena::reset`].
#[derive(Default)]
pub struct Arena(Bump);

impl Arena {
    /// An empty arena; it allocates on first use.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything but keeps the memory for the next document.
    pub fn reset(&mut self) {
        self.0.reset();
    }

    /// Bytes taken from the system so far.
    #[must_use]
    pub fn allocated_bytes(&self) -> usize {
        self.0.allocated_bytes()
    }

    /// Copies text into the arena.
    pub fn text<'a>(&'a self, text: &str) -> &'a str {
        self.0.alloc_str(text)
    }

    /// Formats straight into the arena.
    pub fn format<'a>(&'a self, arguments: std::fmt::Arguments<'_>) -> &'a str {
        bumpalo::format!(in &self.0, "{}", arguments).into_bump_str()
    }

    /// Copies items into a list value.
    pub fn list<'a>(&'a self, items: &[Value<'a>]) -> Value<'a> {
        Value::List(self.0.alloc_slice_copy(items))
    }

    /// Copies entries into a map value. The caller sees to it that keys are unique.
    pub fn map<'a>(&'a self, entries: &[(&'a str, Value<'a>)]) -> Value<'a> {
        Value::Map(Map::new(self.0.alloc_slice_copy(entries)))
    }

    /// Copies bytes into the arena.
    pub fn bytes<'a>(&'a self, bytes: &[u8]) -> &'a [u8] {
        self.0.alloc_slice_copy(bytes)
    }
}
