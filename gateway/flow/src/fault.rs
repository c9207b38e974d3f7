//! Points where a test can have the process die. Builds without debug assertions have none.
//!
//! `HRHUB_CRASH=map=Kim;intake=Lee` ends the process at the point `map` when what is handled there holds `Kim`, and at
//! the point `intake` when it holds `Lee`. Tests that use it need a program with debug assertions.

/// The process has come to `point` with `body`.
#[cfg(not(debug_assertions))]
pub(crate) fn reach(_point: &str, _body: &[u8]) {}

/// The process has come to `point` with `body`.
#[cfg(debug_assertions)]
pub(crate) fn reach(point: &str, body: &[u8]) {
    static WANTED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let wanted = WANTED.get_or_init(|| hub_tree::env::read("HRHUB_CRASH").unwrap_or_default());
    if dies(wanted, point, body) {
        std::process::abort();
    }
}

#[cfg(debug_assertions)]
fn dies(wanted: &str, point: &str, body: &[u8]) -> bool {
    let mut pairs = wanted.split(';').filter_map(|pair| pair.split_once('='));
    pairs.any(|(at, text)| at == point && !text.is_empty() && body.windows(text.len()).any(|w| w == text.as_bytes()))
}

#[cfg(all(test, debug_assertions))]
mod tests {
    #[test]
    fn only_the_named_point_and_text_end_the_process() {
        for (wanted, point, body, ends) in [
            ("map=Kim", "map", "Kim Lee", true),
            ("map=Kim;intake=Lee", "intake", "Kim Lee", true),
            ("map=Kim", "intake", "Kim", false),
            ("map=Kim", "map", "Ki", false),
            ("map=", "map", "Kim", false),
            ("", "map", "Kim", false),
        ] {
            assert_eq!(super::dies(wanted, point, body.as_bytes()), ends, "{wanted} {point} {body}");
        }
    }
}
