//! Changes in the shapes that identity providers send, with invented people.

use super::*;
use crate::scim::schema::{ENTERPRISE, GROUPS, USERS};

fn user() -> Value {
    json!({
        "id": "u1", "userName": "mei.lin@corp.example", "active": true, "title": "Engineer",
        "name": { "familyName": "Lin", "givenName": "Mei" },
        "emails": [{ "value": "mei@corp.example", "type": "work", "primary": true },
                   { "value": "mei@home.example", "type": "home" }],
    })
}

fn changed(operations: &Value) -> Patched {
    apply(
        &USERS,
        &user(),
        &json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations }),
    )
    .unwrap()
}

/// Each shape, the place to look at, and what stands there afterwards.
#[test]
fn the_shapes_of_entra_okta_onelogin_and_jumpcloud_are_understood() {
    for (operations, pointer, wanted) in [
        // Entra: capital letters, flags as text, paths with filters.
        (json!([{ "op": "Replace", "path": "active", "value": "False" }]), "/active", json!(false)),
        (
            json!([{ "op": "Replace", "path": "active", "value": ["True"] }, { "op": "Add", "path": "displayName", "value": "Mei" }]),
            "/displayName",
            json!("Mei"),
        ),
        (
            json!([{ "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "new@corp.example" }]),
            "/emails/0/value",
            json!("new@corp.example"),
        ),
        (
            json!([{ "op": "Add", "path": "emails[type eq \"other\"].value", "value": "x@y.example" }]),
            "/emails/2",
            json!({ "type": "other", "value": "x@y.example" }),
        ),
        (
            json!([{ "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+12025550143" }]),
            "/phoneNumbers",
            json!([{ "type": "mobile", "value": "+12025550143" }]),
        ),
        (
            json!([{ "op": "Replace", "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "value": "E9" }]),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/employeeNumber",
            json!("E9"),
        ),
        (
            json!([{ "op": "Replace", "value": { "name.familyName": "Chen", "active": "True" } }]),
            "/name",
            json!({ "familyName": "Chen", "givenName": "Mei" }),
        ),
        (json!([{ "op": "Remove", "path": "emails[type eq \"home\"]" }]), "/emails/1", Value::Null),
        // Okta: an object without a path, and what it was given sent back.
        (json!([{ "op": "replace", "value": { "active": false } }]), "/active", json!(false)),
        (
            json!([{ "op": "replace", "value": { "id": "u1", "schemas": [], "meta": {}, "nickName": "M" } }]),
            "/nickName",
            json!("M"),
        ),
        // OneLogin: whole values.
        (
            json!([{ "op": "replace", "path": "name", "value": { "givenName": "Meimei" } }]),
            "/name/givenName",
            json!("Meimei"),
        ),
        (
            json!([{ "op": "replace", "path": "emails", "value": { "value": "one@corp.example", "type": "work", "primary": true } }]),
            "/emails",
            json!([{ "value": "one@corp.example", "type": "work", "primary": true }]),
        ),
        // JumpCloud: adding over what is there, and the extension as an object.
        (json!([{ "op": "add", "path": "userName", "value": "m.lin" }]), "/userName", json!("m.lin")),
        (
            json!([{ "op": "add", "value": { ENTERPRISE: { "employeeNumber": "E1" } } }]),
            "/urn:ietf:params:scim:schemas:extension:enterprise:2.0:User/employeeNumber",
            json!("E1"),
        ),
        // A new primary address takes the place of the old one.
        (
            json!([{ "op": "add", "path": "emails", "value": [{ "value": "p@corp.example", "type": "other", "primary": true }] }]),
            "/emails/0/primary",
            json!(false),
        ),
        // Removed parts, and the last part of an object with it.
        (
            json!([{ "op": "remove", "path": "name.givenName" }, { "op": "remove", "path": "name.familyName" }]),
            "/name",
            Value::Null,
        ),
    ] {
        let request = json!({ "operations": operations });
        let patched = apply(&USERS, &user(), &request).unwrap();
        let found = patched.resource.pointer(pointer).cloned().unwrap_or(Value::Null);
        assert_eq!(found, wanted, "{request}: {}", patched.resource);
    }
}

#[test]
fn members_come_and_go_in_every_shape() {
    let group = json!({ "displayName": "Ops", "members": [{ "value": "u1" }, { "value": "u2" }] });
    let ids = |operation: Value| {
        let patched = apply(&GROUPS, &group, &json!({ "Operations": [operation] })).unwrap();
        let members = patched.resource["members"].as_array().cloned().unwrap_or_default();
        members.iter().map(|member| member["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(json!({ "op": "Add", "path": "members", "value": [{ "value": "u3" }, { "value": "u1" }] })),
        ["u1", "u2", "u3"]
    );
    assert_eq!(ids(json!({ "op": "Remove", "path": "members", "value": [{ "value": "u1" }] })), ["u2"]);
    assert_eq!(ids(json!({ "op": "remove", "path": "members[value eq \"u2\"]" })), ["u1"]);
    assert_eq!(ids(json!({ "op": "replace", "path": "members", "value": [{ "value": "u9" }] })), ["u9"]);
    assert_eq!(ids(json!({ "op": "remove", "path": "members" })), [""; 0]);
}

#[test]
fn what_hr_owns_is_left_and_named_and_alone_it_is_refused() {
    let patched = changed(&json!([
        { "op": "replace", "path": "title", "value": "Boss" },
        { "op": "replace", "path": "active", "value": false },
        { "op": "add", "path": "shoeSize", "value": 43 },
    ]));
    assert_eq!((&patched.resource["title"], &patched.resource["active"]), (&json!("Engineer"), &json!(false)));
    assert_eq!(patched.left, ["title", "shoeSize"]);
    let refused = |operation: Value| {
        let request = json!({ "Operations": [operation] });
        apply(&USERS, &user(), &request).unwrap_err().kind().unwrap().to_owned()
    };
    assert_eq!(refused(json!({ "op": "replace", "path": "title", "value": "Boss" })), "mutability");
    assert_eq!(refused(json!({ "op": "add", "path": "shoeSize", "value": 43 })), "invalidPath");
    assert_eq!(refused(json!({ "op": "remove" })), "noTarget");
    assert_eq!(refused(json!({ "op": "remove", "path": "userName" })), "mutability");
    assert_eq!(refused(json!({ "op": "move", "path": "userName" })), "invalidSyntax");
    assert_eq!(refused(json!({ "op": "add", "path": "emails[type eq", "value": "x" })), "invalidPath");
    assert_eq!(refused(json!({ "op": "add", "path": "emails[kind eq \"x\"]", "value": "x" })), "invalidFilter");
    assert_eq!(refused(json!({ "op": "replace", "path": "active", "value": "perhaps" })), "invalidValue");
}
