//! Groups: departments as HR keeps them, whose members are those who work there today; and groups that identity
//! providers make, whose members they say.

use crate::scim::load::{Known, in_words};
use crate::scim::schema::GROUP;
use hub_tree::clock::rfc3339_micros;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Whether a system of HR keeps a department, so that its members follow from people's jobs.
pub(crate) fn is_hrs(department: &Value) -> bool {
    department["sources"].as_array().is_some_and(|sources| !sources.is_empty())
}

/// A group as SCIM tells it; without its members where nobody asks for them.
pub(crate) fn told(
    department: &Known,
    external: Option<&String>,
    members: Option<&BTreeSet<String>>,
    base: &str,
) -> Value {
    let (id, of) = (&department.row.id, &department.document);
    let name = in_words(&of["name"]).or_else(|| of["code"].as_str().map(str::to_owned));
    let mut group = json!({
        "schemas": [GROUP], "id": id, "displayName": name.unwrap_or_else(|| id.clone()),
        "meta": {
            "resourceType": "Group", "location": format!("{base}/Groups/{id}"),
            "created": rfc3339_micros(department.row.created_at),
            "lastModified": rfc3339_micros(department.row.updated_at),
        },
    });
    if let Some(external) = external {
        group["externalId"] = external.clone().into();
    }
    let member = |id: &String| json!({ "value": id, "type": "User", "$ref": format!("{base}/Users/{id}") });
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        group["members"] = members.iter().map(member).collect();
    }
    group
}

/// The ids of the members that a group names.
pub(crate) fn member_ids(group: &Value) -> Vec<String> {
    let members = group["members"].as_array().into_iter().flatten();
    members.filter_map(|member| member["value"].as_str().map(str::to_owned)).collect()
}
