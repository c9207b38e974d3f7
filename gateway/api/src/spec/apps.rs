//! Apps and their keys, who calls, and tokens.

use super::Topic;
use super::operation::{Body, CURSOR, LIMIT, delete, empty, get, json, patch, post};
use super::shape::{Member, Shape, may, must};

const ADMIN: &[&str] = &["admin"];
const NAME: Shape = Shape::Long(1, 100);
const WORDS: Shape = Shape::List(&Shape::Text);
const UNITS: Shape = Shape::Some(0, 50, &Shape::Text);

const ID: Member = must("id", Shape::Text, "");
const GRANTS: Member = must("grants", WORDS, "Scopes, such as `read` and `write:candidates`.");
const CREATED_AT: Member = must("created_at", Shape::Time, "");

const KEY: Shape = Shape::Object(
    "AppKey",
    &[
        ID,
        CREATED_AT,
        must("expires_at", Shape::Null(&Shape::Time), ""),
        must("last_used_at", Shape::Null(&Shape::Time), "To about a minute."),
        must("revoked_at", Shape::Null(&Shape::Time), ""),
        must("valid", Shape::Bool, "Whether it opens anything now."),
        may("key", Shape::Text, "The key itself; shown once, when it is made."),
    ],
);
const APP: Shape = Shape::Object(
    "App",
    &[
        ID,
        must("name", Shape::Text, ""),
        must("tenant", Shape::Text, ""),
        GRANTS,
        must("units", WORDS, "The departments that it is limited to, by id; none where it sees its whole tenant."),
        must("below", Shape::Bool, "Departments below those, too."),
        CREATED_AT,
        may("key", KEY, "Its first key, in the answer to its making."),
    ],
);
const NEW: Shape = Shape::Object(
    "NewApp",
    &[
        must("name", NAME, "What people call it."),
        must("grants", WORDS, "Scopes and roles."),
        may("units", UNITS, "Departments: ids, or `CONNECTION/REMOTE_ID`."),
        may("below", Shape::Bool, "Departments below those, too; true if absent."),
        may("expires_at", Shape::Time, "When its first key ends."),
        may("tenant", NAME, "Whose; only whoever runs the hub names another than the own."),
    ],
);
const CHANGE: Shape = Shape::Object(
    "AppChange",
    &[may("name", NAME, ""), may("grants", WORDS, ""), may("units", UNITS, ""), may("below", Shape::Bool, "")],
);
const ROTATION: Shape = Shape::Object(
    "KeyRotation",
    &[
        may("overlap_secs", Shape::Between(0, 2_592_000), "How long the old keys stay good; a day if absent."),
        may("expires_at", Shape::Time, "When the new key ends."),
    ],
);
const ME: Shape = Shape::Object(
    "Caller",
    &[
        must("app", Shape::Text, "The app, or whoever calls."),
        must("name", Shape::Text, ""),
        must("tenant", Shape::Text, ""),
        GRANTS,
        must("roles", WORDS, "Roles of which all scopes are held."),
        must("units", Shape::Null(&WORDS), "The departments that the caller is limited to."),
        must("below", Shape::Null(&Shape::Bool), "Departments below those, too."),
        must("valid_until", Shape::Null(&Shape::Time), "When what was shown ends."),
    ],
);
const TOKEN: Shape = Shape::Object(
    "Token",
    &[
        must("access_token", Shape::Text, "Sent as `Authorization: Bearer …`."),
        must("token_type", Shape::Word(&["Bearer"]), ""),
        must("expires_in", Shape::Integer, "Seconds."),
        must("scope", Shape::Text, "What it opens."),
    ],
);

/// Why there is no token, as RFC 6749 has it.
const REFUSED: Shape = Shape::Object(
    "OauthError",
    &[
        must("error", Shape::Text, "Such as `invalid_client`."),
        may("error_description", Shape::Text, "What is wrong, for people."),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "Apps",
    doc: "The named callers of a tenant, what they may do, and their keys.",
    operations: &[
        get("/v1/me", "get_me", "Who calls, what they may do, and until when.")
            .needs(&["any key"])
            .answers(&[json(200, ME)]),
        get("/v1/apps", "list_apps", "The apps of the tenant, by id.")
            .needs(ADMIN)
            .parameters(&[LIMIT, CURSOR])
            .answers(&[json(200, Shape::Page(&APP))]),
        post("/v1/apps", "create_app", "Makes an app; the answer shows its first key, once.")
            .needs(ADMIN)
            .body(Body::Json(NEW))
            .examples(&[r#"{"name": "Payroll export", "grants": ["read:employees", "read:payslips"]}"#])
            .answers(&[json(201, APP).headers(&[("Location", "Its address.")])]),
        get("/v1/apps/{id}", "get_app", "One app.").needs(ADMIN).answers(&[json(200, APP)]),
        patch("/v1/apps/{id}", "update_app", "Changes what an app is called and may do; its tokens end.")
            .needs(ADMIN)
            .body(Body::Json(CHANGE))
            .examples(&[r#"{"grants": ["read:structure"]}"#])
            .problems(&["conflict"])
            .answers(&[json(200, APP)]),
        delete("/v1/apps/{id}", "delete_app", "Makes an app void with all its keys.")
            .needs(ADMIN)
            .answers(&[empty(204)]),
        post("/v1/apps/{id}:rotate", "rotate_app_key", "Makes a new key; those before it end a while later.")
            .needs(ADMIN)
            .body(Body::Optional(ROTATION))
            .examples(&[r#"{"overlap_secs": 3600}"#])
            .problems(&["conflict"])
            .answers(&[json(201, KEY)]),
        get("/v1/apps/{id}/keys", "list_app_keys", "The keys of an app, oldest first, also void ones.")
            .needs(ADMIN)
            .answers(&[json(200, Shape::Page(&KEY))]),
        post("/v1/apps/{id}/keys/{key}:revoke", "revoke_app_key", "Makes one key void.")
            .needs(ADMIN)
            .answers(&[empty(204)]),
        post("/oauth/token", "issue_token", "An app's key for a token (OAuth 2.0 client credentials).")
            .body(Body::Bytes(&["application/x-www-form-urlencoded"]))
            .examples(&["grant_type=client_credentials&client_id=kestrel9wd&client_secret=hrk_kestrel9wd_x&scope=read%3Aemployees"])
            .answers(&[json(200, TOKEN), json(400, REFUSED), json(401, REFUSED), json(429, REFUSED)]),
        get("/.well-known/jwks.json", "get_jwks", "The keys by which tokens are believed (RFC 7517).")
            .answers(&[json(200, Shape::Map(&Shape::Any))]),
        get(
            "/.well-known/oauth-authorization-server",
            "get_oauth_metadata",
            "What OAuth clients must know (RFC 8414).",
        )
        .answers(&[json(200, Shape::Map(&Shape::Any))]),
    ],
};
