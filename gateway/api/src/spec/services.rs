//! Calculations by request.

use super::Topic;
use super::operation::{Body, get, json, post};
use super::shape::{Shape, may, must};

const CALCULATION: Shape = Shape::Object(
    "Calculation",
    &[
        must("type", Shape::Text, "What a request names."),
        must("about", Shape::Text, "What it does."),
        must("fields", Shape::List(&Shape::Text), "The fields that it knows."),
    ],
);

const SERVICE: Shape = Shape::Object(
    "Service",
    &[
        must("service", Shape::Text, "Its name in addresses."),
        must("about", Shape::Text, ""),
        must("calculations", Shape::List(&CALCULATION), ""),
    ],
);

const SERVICES: Shape = Shape::Object("Services", &[must("data", Shape::List(&SERVICE), "")]);

const SHIFT: Shape = Shape::Object(
    "PresetShift",
    &[
        must("id", Shape::Text, ""),
        must("english", Shape::Text, "Its name in English."),
        must("start", Shape::Text, "`08:30`."),
        must("end", Shape::Text, "`17:00`; of the next day when `crosses_midnight`."),
        must("break_minutes", Shape::Integer, ""),
        must("crosses_midnight", Shape::Bool, ""),
        must("work_minutes", Shape::Integer, "From start to end, without breaks."),
    ],
);

const PRESET: Shape = Shape::Object(
    "Preset",
    &[
        must("id", Shape::Text, "Its name in addresses."),
        must("name", Shape::Map(&Shape::Text), "By language."),
        must("shifts", Shape::List(&SHIFT), ""),
        may("flexible", Shape::Any, "`core` and `window`, each from and until, where there are such hours."),
        must("rest", Shape::Any, "`days_per_week`, and which are `fixed`."),
        must(
            "overtime",
            Shape::Any,
            "`hours` (standard, comprehensive, irregular), `period`, `time_off_first`, `approval`.",
        ),
        must("appraisal", Shape::Any, "The `scheme` and its `weights`."),
    ],
);

const PRESETS: Shape = Shape::Object("Presets", &[must("data", Shape::List(&PRESET), "")]);

const RESULT: Shape = Shape::Object(
    "CalculationResult",
    &[
        may("explain", Shape::List(&Shape::Any), "Why: steps with `text`, `path`, `value` and what they rest on."),
        may("warnings", Shape::List(&Shape::Any), "What to beware of: `pointer` and `detail`."),
        may("items", Shape::List(&Shape::Any), "The answers of `items`, in their order, each a result or a problem."),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "Services",
    doc: "Interview scoring, appraisal, payroll and bias audits by request: inputs in, result and explanation out. \
          Nothing is stored. Numbers that matter are decimal text.",
    operations: &[
        get("/v1/services", "list_services", "What can be calculated.")
            .needs(&["any key"])
            .answers(&[json(200, SERVICES)]),
        post(
            "/v1/services/{service}",
            "calculate",
            "One calculation, which `type` names, or many as `items`; what is wrong with one item stops no other.",
        )
        .needs(&["any key"])
        .body(Body::Json(Shape::Map(&Shape::Any)))
        .examples(&[
            r#"{"type": "normalise", "raw": "8.4", "scale": {"kind": "linear", "min": "0", "max": "10"}}"#,
            r#"{"items": [{"type": "match_gate", "scale": "0-10", "threshold": "8", "score": "8.0"}]}"#,
        ])
        .answers(&[json(200, RESULT)]),
        get("/v1/presets", "list_presets", "How people in industries usually work and are appraised.")
            .needs(&["any key"])
            .answers(&[json(200, PRESETS)]),
        get("/v1/presets/{name}", "get_preset", "The preset of one industry.")
            .needs(&["any key"])
            .answers(&[json(200, PRESET)]),
    ],
};
