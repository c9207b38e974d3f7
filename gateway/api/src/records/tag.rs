//! The `ETag` of a record: its version, and how much of it is shown. One version is shown in several ways, whole to who
//! may read restricted fields for a purpose and masked to others, and who knows one of them does not know the other.

use hub_model::{Class, EntityType, Field, Type};
use std::collections::BTreeSet;

const CLASSES: [(Class, &str); 4] = [(Class::S0, "s0"), (Class::S1, "s1"), (Class::S2, "s2"), (Class::S3, "s3")];

/// The tag of a version as somebody is shown it who may read fields up to `allowed`: `"3"` as most keys see it, without
/// restricted fields; else with the class of what is shown, `"3-s3"`.
pub(crate) fn tag_of(entity: &EntityType, version: i64, allowed: Class) -> String {
    // What no rule has classified, in `ext` and `custom`, counts as S2.
    let shown = allowed.min(highest(entity.fields, &mut BTreeSet::new()).max(Class::S2));
    match CLASSES.iter().find(|(class, _)| *class == shown && shown != Class::S2) {
        Some((_, word)) => format!("\"{version}-{word}\""),
        None => format!("\"{version}\""),
    }
}

/// The version that a strong tag of [`tag_of`] is about, however much was shown under it.
pub(crate) fn version_in(tag: &str) -> Option<i64> {
    let bare = tag.strip_prefix('"')?.strip_suffix('"')?;
    let version = match bare.split_once('-') {
        None => bare,
        Some((version, word)) => CLASSES.iter().any(|(_, known)| *known == word).then_some(version)?,
    };
    version.parse().ok()
}

/// The highest class of these fields and of all that lies in them.
fn highest(fields: &'static [Field], seen: &mut BTreeSet<&'static str>) -> Class {
    let mut class = Class::S0;
    for field in fields {
        let mut ty = field.ty;
        while let Type::List(item) = ty {
            ty = item;
        }
        class = class.max(field.class);
        if let Type::Struct(of) = ty
            && seen.insert(of.name)
        {
            class = class.max(highest(of.fields, seen));
        }
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_how_much_is_shown_where_something_can_be_masked() {
        let entity = |name: &str| hub_model::entity(name).unwrap();
        let tag = |name: &str, class| tag_of(entity(name), 3, class);
        assert_eq!(tag("employee", Class::S3), "\"3-s3\"");
        assert_eq!(tag("employee", Class::S2), "\"3\"");
        assert_eq!(tag("employee", Class::S1), "\"3-s1\"");
        assert_eq!(tag("department", Class::S2), tag("department", Class::S3), "nothing in it is restricted");
        assert_ne!(tag("department", Class::S1), tag("department", Class::S2), "`custom` is");
        for name in ["employee", "department"] {
            for class in [Class::S0, Class::S1, Class::S2, Class::S3] {
                assert_eq!(version_in(&tag(name, class)), Some(3), "any of them names the version that is changed");
            }
        }
        for bad in ["3", "W/\"3\"", "\"x\"", "\"3-s4\"", "\"3-\"", "\"1\", \"2\"", "\""] {
            assert_eq!(version_in(bad), None, "{bad}");
        }
    }
}
