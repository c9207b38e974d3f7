//! The `imports` section of `hub.yaml`.

use hub_flow::imports::Rules;
use hub_tree::yaml::Fields;

/// What a reader of files takes at most.
const LARGEST: i64 = 50 << 20;

/// Reads the section; what it leaves out has its default.
pub(super) fn rules(own: &mut Fields<'_, '_>) -> Rules {
    let default = Rules::default();
    let bytes = own.integer("max_bytes", 1, LARGEST).and_then(|bytes| usize::try_from(bytes).ok());
    Rules { review: own.bool("review").unwrap_or(default.review), max_bytes: bytes.unwrap_or(default.max_bytes) }
}
