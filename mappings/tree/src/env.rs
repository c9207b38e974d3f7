//! The one place that reads environment variables.

use std::collections::BTreeMap;

/// Variables that configuration may name as `${NAME}`: the process environment first, then a file of defaults.
#[derive(Clone, Default)]
pub struct Environment {
    fallback: BTreeMap<String, String>,
    process: bool,
}

impl Environment {
    /// The process environment.
    #[must_use]
    pub fn process() -> Self {
        Self { fallback: BTreeMap::new(), process: true }
    }

    /// Only the given variables, for tests.
    #[must_use]
    pub fn of<const N: usize>(variables: [(&str, &str); N]) -> Self {
        Self { fallback: variables.map(|(k, v)| (k.to_owned(), v.to_owned())).into(), process: false }
    }

    /// Adds the `NAME=value` lines of a `.env` file; the process environment wins over them.
    /// Blank lines and lines that begin with `#` are passed over; quotes around a value are taken off.
    ///
    /// # Errors
    /// The number and text of the first line that is neither.
    pub fn with_file(mut self, text: &str) -> Result<Self, (usize, String)> {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let Some((name, value)) = line.split_once('=') else {
                return Err((index + 1, "expected NAME=value".to_owned()));
            };
            let name = name.trim().trim_start_matches("export ").trim();
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err((index + 1, format!("`{name}` is no variable name")));
            }
            let value = value.trim();
            let unquoted = value
                .strip_prefix('"')
                .and_then(|v| v.strip_suffix('"'))
                .or_else(|| value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')));
            self.fallback.insert(name.to_owned(), unquoted.unwrap_or(value).to_owned());
        }
        Ok(self)
    }

    /// The value of a variable; set to nothing counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let own = if self.process { read(name) } else { None };
        own.or_else(|| self.fallback.get(name).cloned()).filter(|v| !v.is_empty())
    }
}

/// Reads one variable of the process environment; not set, empty or not UTF-8 is `None`.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_variables_is_read_and_a_bad_line_is_named() {
        let env = Environment::of([]).with_file("# secrets\nA=1\nexport B=\"two words\"\nEMPTY=\n").unwrap();
        assert_eq!(env.get("A").as_deref(), Some("1"));
        assert_eq!(env.get("B").as_deref(), Some("two words"));
        assert_eq!(env.get("EMPTY"), None);
        assert_eq!(Environment::of([]).with_file("A=1\nnonsense").err().map(|e| e.0), Some(2));
    }
}
