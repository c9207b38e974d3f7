//! Reports for analysts and auditors.

use super::Topic;
use super::operation::{Each, bytes, get, json, query};
use super::shape::{Shape, may, must};

const TOLD: Shape = Shape::Object("BothLanguages", &[must("zh", Shape::Text, ""), must("en", Shape::Text, "")]);

const ABOUT: Shape = Shape::Object(
    "ReportAbout",
    &[
        must("report", Shape::Text, "Its name in addresses."),
        must("title", TOLD, ""),
        must("about", Shape::Text, "What it answers."),
        must(
            "columns",
            Shape::List(&Shape::Text),
            "The columns of a table that it can be made from at the command line.",
        ),
    ],
);

const REPORTS: Shape = Shape::Object("Reports", &[must("data", Shape::List(&ABOUT), "")]);

const REPORT: Shape = Shape::Object(
    "Report",
    &[
        must("report", Shape::Text, ""),
        may("title", TOLD, ""),
        may("about", Shape::List(&Shape::Any), "The period, the source, how many."),
        may(
            "findings",
            Shape::List(&Shape::Any),
            "What it says: `kind` (fact, warning, proposal, insufficient_sample), `text`, `n`, `effect` with `size` and \
             `interval_95`, `not_shown`, and of a proposal what would change, to be approved by a person.",
        ),
        may("charts", Shape::List(&Shape::Any), "The numbers of its charts."),
        may(
            "tables",
            Shape::List(&Shape::Any),
            "Columns and rows; shares from 0 to 1; `<5` where too few are counted.",
        ),
        may("method", Shape::List(&Shape::Any), "How it is calculated."),
    ],
);

const PLACE: Shape = Shape::Object(
    "PortraitRecord",
    &[
        must("type", Shape::Text, "The entity."),
        must("id", Shape::Text, ""),
        must("field", Shape::Text, "JSON pointer of the field."),
    ],
);

const FACT: Shape = Shape::Object(
    "PortraitFact",
    &[
        must("name", Shape::Text, "The skill, competency, package, job, course or cycle."),
        must(
            "source",
            Shape::Word(&["RESUME", "SCORECARD", "ASSESSMENT", "BASELINE", "REVIEW", "APPRAISAL", "COURSE"]),
            "What kind of record says it.",
        ),
        must(
            "supported",
            Shape::Bool,
            "Whether it rests on evidence or on a person's word; else it counts for nothing.",
        ),
        must("record", PLACE, "Where it stands."),
        may("value", Shape::Decimal, "From 0 to 10."),
        may("required", Shape::Decimal, "What was asked for, from 0 to 10."),
        may("on", Shape::Day, "As of when, if the record says."),
        may("label", Shape::Text, "The grade of an appraisal."),
        may("history", Shape::List(&Shape::Map(&Shape::Any)), "Of a competency: all its scores, oldest first."),
        may(
            "rule",
            Shape::Word(&["strong_from", "weak_below", "required"]),
            "Of strengths and what to work on: whose bound it is.",
        ),
        may("bound", Shape::Decimal, "That bound, from 0 to 10."),
    ],
);

const FACTS: Shape = Shape::List(&FACT);

const PORTRAIT: Shape = Shape::Object(
    "Portrait",
    &[
        must("of", Shape::Map(&Shape::Text), "Whose: `type` and `id`."),
        must("model", Shape::Text, "The model and its revision: a file of models/portrait/."),
        must("scale", Shape::Map(&Shape::Decimal), "That of all values: `min` and `max`."),
        must("competencies", FACTS, "The last score of each, with its history."),
        must("skills", FACTS, "With their levels."),
        must("strengths", FACTS, ""),
        must("improve", FACTS, "What to work on."),
        must(
            "tags",
            Shape::List(&Shape::Object(
                "PortraitTag",
                &[
                    must("tag", Shape::Map(&Shape::Text), "By language."),
                    must("rule", Shape::Text, "Model, revision and id of the rule."),
                    must("evidence", FACTS, "The records that it rests on, oldest first."),
                ],
            )),
            "",
        ),
        must("matches", FACTS, "How well the person fits which job, oldest first."),
        must("assessments", FACTS, "Tests as a whole, oldest first."),
        must("baseline", FACTS, "The ability baseline of an employee."),
        must("courses", FACTS, "Courses completed."),
        must("appraisals", FACTS, "The last final ones, oldest first."),
        must(
            "missing",
            Shape::List(&Shape::Object(
                "PortraitMissing",
                &[
                    must("what", Shape::Text, "The section, such as `skills`."),
                    must(
                        "why",
                        Shape::Word(&["NO_RECORD", "NOT_READABLE", "NO_SCALE"]),
                        "No record says it; the key may not read it; the value has no place on a scale.",
                    ),
                    may("record", PLACE, "Where it is lacking."),
                ],
            )),
            "What is not known.",
        ),
    ],
);

pub(super) static TOPIC: Topic = Topic {
    name: "Reports",
    doc: "What the records say about scores, thresholds, hiring, courses, leaving, talent and pay, as a page with \
          charts or as JSON; bias audits; and portraits of people, with the records behind them. A key gets the report of what it may read; groups of fewer than 5 people \
          are not shown. What a report suggests is a proposal: nothing changes by itself.",
    operations: &[
        get("/v1/reports", "list_reports", "What reports there are.")
            .needs(&["any key"])
            .answers(&[json(200, REPORTS)]),
        get("/v1/reports/{name}", "make_report", "A report over the records that the key may read.")
            .needs(&["read", "audit"])
            .parameters(&[
                query("format", Shape::Word(&["json", "html", "svg"]), "json, or html where `Accept` asks for it."),
                query("language", Shape::Word(&["zh", "en"]), "Of html and svg; else as `Accept-Language` says."),
                query("chart", Shape::Between(1, 100), "Which chart, with `format=svg`; the first if absent."),
                query("since", Shape::Day, "From this day on."),
                query("until", Shape::Day, "Up to this day."),
                query("requisition", Shape::Text, "Only applications for this requisition."),
                query("department", Shape::Text, "Only this department."),
                query(
                    "mark",
                    Shape::Decimal,
                    "A score from 0 to 100: below it is low; of `thresholds`, the one in force.",
                ),
                query("target", Shape::Decimal, "Of `thresholds`: the appraisal that counts as success; 80 if absent."),
                query("pair", Shape::Text, "Of `keyword-gaps`: `word:companion`; it may stand several times."),
                query(
                    "groups",
                    Shape::Word(&["sex", "ethnicity"]),
                    "Of `thresholds`: whom the fairness check compares.",
                ),
                query(
                    "stage",
                    Shape::Text,
                    "Of `bias-audit`: the stage, such as INTERVIEW; else the hub's own decisions.",
                ),
                query("auditor", Shape::Text, "Of `bias-audit`: who audits."),
                query("first_used", Shape::Day, "Of `bias-audit`: when the tool was first used."),
                query(
                    "exclude_small",
                    Shape::Text,
                    "Of `bias-audit`: why categories under 2 % are left out of the ratios.",
                ),
            ])
            .problems(&["bad_parameter", "not_found"])
            .answers(&[json(200, REPORT), bytes(200, "text/html"), bytes(200, "image/svg+xml")]),
        get("/v1/{collection}/{id}/portrait", "draw_{entity}_portrait", "What the records say of a person.")
            .each(Each::Of(&["candidate", "employee"]))
            .needs(&["read"])
            .parameters(&[query("model", Shape::Text, "A file of models/portrait/; `standard` if absent.")])
            .problems(&["bad_parameter", "not_found"])
            .answers(&[json(200, PORTRAIT)]),
    ],
};
