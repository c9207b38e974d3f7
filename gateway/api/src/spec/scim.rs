//! SCIM 2.0, for identity providers; RFC 7643 says what the bodies are.

use super::Topic;
use super::operation::{Answer, Body, Parameter, bytes, delete, empty, get, header, patch, post, put, query};
use super::shape::Shape;

const READS: &[&str] = &["read:structure", "read", "read:restricted"];
const WRITES: &[&str] = &["write"];
const JSON: &str = "application/scim+json";
const RESOURCE: Shape = Shape::Map(&Shape::Any);

const fn answer(status: u16) -> Answer {
    Answer { shape: RESOURCE, ..bytes(status, JSON) }
}

const ONE: &[Parameter] = &[
    query("attributes", Shape::Text, "Only these attributes."),
    query("excludedAttributes", Shape::Text, "All but these."),
];
const LIST: &[Parameter] = &[
    query("filter", Shape::Text, "Such as `userName eq \"mei\"`."),
    query("sortBy", Shape::Text, ""),
    query("sortOrder", Shape::Word(&["ascending", "descending"]), ""),
    query("startIndex", Shape::Integer, "From 1."),
    query("count", Shape::Integer, "200 at most."),
    query("attributes", Shape::Text, "Only these attributes."),
    query("excludedAttributes", Shape::Text, "All but these."),
];
const VERSION: Parameter = header("If-Match", "The version that is to be changed.");

pub(super) static TOPIC: Topic = Topic {
    name: "SCIM",
    doc: "Employees and departments as users and groups, for identity providers (RFC 7644). Errors have SCIM's form.",
    operations: &[
        get("/scim/v2/ServiceProviderConfig", "get_scim_config", "What is supported.")
            .needs(READS)
            .answers(&[answer(200)]),
        get("/scim/v2/ResourceTypes", "list_scim_types", "The types of resources.")
            .needs(READS)
            .answers(&[answer(200)]),
        get("/scim/v2/Schemas", "list_scim_schemas", "Their attributes.").needs(READS).answers(&[answer(200)]),
        post("/scim/v2/.search", "search_scim", "Users and groups that a filter means.")
            .needs(READS)
            .body(Body::Json(RESOURCE))
            .answers(&[answer(200)]),
        get("/scim/v2/{*rest}", "get_scim_other", "One type or schema.").needs(READS).answers(&[answer(200)]),
        get("/scim/v2/Users", "list_scim_users", "A page of users.")
            .needs(READS)
            .parameters(LIST)
            .answers(&[answer(200)]),
        post("/scim/v2/Users", "create_scim_user", "Makes a user.")
            .needs(WRITES)
            .body(Body::Json(RESOURCE))
            .answers(&[answer(201)]),
        post("/scim/v2/Users/.search", "search_scim_users", "Users that a filter means.")
            .needs(READS)
            .body(Body::Json(RESOURCE))
            .answers(&[answer(200)]),
        get("/scim/v2/Users/{id}", "get_scim_user", "One user.")
            .needs(READS)
            .parameters(ONE)
            .answers(&[answer(200), empty(304)]),
        put("/scim/v2/Users/{id}", "replace_scim_user", "Replaces what the hub keeps.")
            .needs(WRITES)
            .parameters(&[VERSION])
            .body(Body::Json(RESOURCE))
            .answers(&[answer(200)]),
        patch("/scim/v2/Users/{id}", "change_scim_user", "Changes attributes.")
            .needs(WRITES)
            .parameters(&[VERSION])
            .body(Body::Json(RESOURCE))
            .answers(&[answer(200)]),
        delete("/scim/v2/Users/{id}", "delete_scim_user", "Removes a user that HR does not keep.")
            .needs(WRITES)
            .parameters(&[VERSION])
            .answers(&[empty(204)]),
        get("/scim/v2/Groups", "list_scim_groups", "A page of groups.")
            .needs(READS)
            .parameters(LIST)
            .answers(&[answer(200)]),
        post("/scim/v2/Groups", "create_scim_group", "Makes a group.")
            .needs(WRITES)
            .body(Body::Json(RESOURCE))
            .answers(&[answer(201)]),
        post("/scim/v2/Groups/.search", "search_scim_groups", "Groups that a filter means.")
            .needs(READS)
            .body(Body::Json(RESOURCE))
            .answers(&[answer(200)]),
        get("/scim/v2/Groups/{id}", "get_scim_group", "One group.")
            .needs(READS)
            .parameters(ONE)
            .answers(&[answer(200), empty(304)]),
        put("/scim/v2/Groups/{id}", "replace_scim_group", "Replaces name and members.")
            .needs(WRITES)
            .parameters(&[VERSION])
            .body(Body::Json(RESOURCE))
            .answers(&[answer(200)]),
        patch("/scim/v2/Groups/{id}", "change_scim_group", "Changes name and members.")
            .needs(WRITES)
            .parameters(&[VERSION])
            .body(Body::Json(RESOURCE))
            .answers(&[answer(200)]),
        delete("/scim/v2/Groups/{id}", "delete_scim_group", "Removes a group that HR does not keep.")
            .needs(WRITES)
            .parameters(&[VERSION])
            .answers(&[empty(204)]),
    ],
};
