//! The steps of a run of payroll.

use super::Topic;
use super::operation::{Answer, Body, Each, Operation, bytes, get, json, post, query, required};
use super::shape::{Shape, may, must};
use super::writing::{ASKED, LOOK, TAG};

const RUN: &[&str] = &["payroll_run"];
const NOTE: Shape = Shape::Object("StepNote", &[may("note", Shape::Null(&Shape::Long(0, 1000)), "Why.")]);

const RUN_ANSWER: &[Answer] = &[json(200, Shape::Record)];
const EXAMPLE: &[&str] = &[r#"{"note": "after the correction of March"}"#];
const LINK: Shape = Shape::Object(
    "PayslipLink",
    &[
        must("url", Shape::Text, "For the employee; it is told once and opens once."),
        must("expires_at", Shape::Time, "Until when it opens."),
    ],
);
const VARIANCE: Shape = Shape::Object(
    "PayrollVariance",
    &[
        must("run", Shape::Text, ""),
        must("against", Shape::Null(&Shape::Text), "The run before; null: there is none."),
        must("summary", Shape::Map(&Shape::Any), "Sums, and how many people are new, gone, changed, flagged."),
        must("people", Shape::List(&Shape::Map(&Shape::Any)), "Who differs, the largest first: net, lines and flags."),
    ],
);
const FILE_HEADERS: &[(&str, &str)] = &[
    ("hub-sha256", "SHA-256 of the file, hex; the run keeps it in `files`."),
    ("hub-left-out", "Numbers of employees whose net is 0, percent-encoded, with commas between."),
];
const IMPORTED: Shape = Shape::Object(
    "PaymentResult",
    &[
        must("paid", Shape::Integer, "Payments that arrived, by this file."),
        must(
            "failed",
            Shape::List(&Shape::Object(
                "FailedPayment",
                &[
                    must("employee_number", Shape::Text, ""),
                    must("reason", Shape::Null(&Shape::Text), "In the bank's words."),
                ],
            )),
            "Payments that did not.",
        ),
        must("changed", Shape::Integer, "Payslips that say something new."),
        must("open", Shape::List(&Shape::Text), "Numbers of employees of the run who are not paid."),
    ],
);
const RESULT: &str =
    "业务参考号,金额,处理结果,失败原因,银行流水号\n0193a5c27d5e7cc09d3b1f2e3a4b5c6d,8123.40,成功,,B2026013101\n";
const JOURNAL: Shape = Shape::Object(
    "PayrollJournal",
    &[
        must("run", Shape::Text, ""),
        must("chart", Shape::Text, "Its id and version."),
        must(
            "entries",
            Shape::List(&Shape::Object(
                "PayrollJournalEntry",
                &[
                    must("account", Shape::Text, ""),
                    must("name", Shape::Text, "Of the account."),
                    must("cost_center", Shape::Null(&Shape::Text), "Its code, where the account is told by it."),
                    must("debit", Shape::Decimal, ""),
                    must("credit", Shape::Decimal, ""),
                ],
            )),
            "By account and cost centre.",
        ),
        must("total", Shape::Decimal, "Of either side."),
    ],
);
const POSTING: Shape = Shape::Object(
    "JournalPosting",
    &[
        must("connection", Shape::Text, "Whose operation `post_journal` is called."),
        must("chart", Shape::Text, "The accounts: a file of models/journal/."),
        may("again", Shape::Bool, "It was sent before, and is sent again."),
    ],
);
const HOURS: Shape =
    Shape::Object("PayslipLinkWish", &[may("hours", Shape::Between(1, 720), "How long it opens; 72 unless said.")]);

const DELIVERY_WISH: Shape = Shape::Object(
    "PayslipDeliveryWish",
    &[
        may(
            "chats",
            Shape::List(&Shape::Object(
                "PayslipChat",
                &[
                    must("connection", Shape::Text, "Whose operation `send_message` is called."),
                    must("channel", Shape::Text, "Whose accounts it reaches: a value of `channel` of messages."),
                ],
            )),
            "Chat platforms; the first that somebody has an account at is used.",
        ),
        may("mail", Shape::Text, "The connection that sends mails to those without an account: to `work_email`."),
        may("language", Shape::Word(&["zh-CN", "en"]), "Of the message; zh-CN unless said."),
        may("hours", Shape::Between(1, 720), "How long the links open; 72 unless said."),
        may("again", Shape::Bool, "Who was told is told again."),
        may("after", Shape::Text, "`next` of the answer before."),
        may("limit", Shape::Between(1, 500), "Payslips that are looked at; 100 unless said."),
    ],
);
const UNREACHABLE: Shape = Shape::Object(
    "PayslipUnreachable",
    &[
        must("payslip", Shape::Text, ""),
        must("employee_number", Shape::Text, ""),
        must("reason", Shape::Text, "Why not."),
    ],
);
const DELIVERED: Shape = Shape::Object(
    "PayslipsDelivered",
    &[
        must("told", Shape::Integer, "Messages sent now."),
        must("already", Shape::Integer, "Who was told before."),
        must("unreachable", Shape::List(&UNREACHABLE), "Who could not be told."),
        must("next", Shape::Null(&Shape::Text), "`after` of the next request; null: everybody was looked at."),
    ],
);
const NOT_TOLD: Shape = Shape::Object(
    "PayslipNotTold",
    &[
        must("payslip", Shape::Text, ""),
        must("employee_number", Shape::Text, ""),
        must("message", Shape::Null(&Shape::Text), "The message that failed; null: there was none."),
        must("status", Shape::Null(&Shape::Text), "What became of it."),
    ],
);
const QUESTION: Shape = Shape::Object(
    "PayslipQuestion",
    &[
        must("payslip", Shape::Text, "Answer it with `PATCH /v1/payslips/{id}`."),
        must("employee_number", Shape::Text, ""),
        must("line", Shape::Null(&Shape::Text), "Code of the line; null: the payslip as a whole."),
        must("question", Shape::Null(&Shape::Text), ""),
        must("asked_at", Shape::Null(&Shape::Time), ""),
    ],
);
const DELIVERY: Shape = Shape::Object(
    "PayslipDelivery",
    &[
        must("run", Shape::Text, ""),
        must("payslips", Shape::Integer, "How many there are."),
        must("told", Shape::Integer, "Whose message did not fail."),
        must("seen", Shape::Integer, "Who has opened it."),
        must("not_told", Shape::List(&NOT_TOLD), "Who was not told."),
        must("questions", Shape::List(&QUESTION), "Open questions of employees."),
    ],
);

const fn step(path: &'static str, id: &'static str, about: &'static str) -> Operation {
    post(path, id, about)
        .each(Each::Of(RUN))
        .needs(&["write"])
        .body(Body::Optional(NOTE))
        .examples(EXAMPLE)
        .problems(&["conflict"])
        .answers(RUN_ANSWER)
}

pub(super) static TOPIC: Topic = Topic {
    name: "Payroll",
    doc: "A run that names pay rules (`rule_set.id`) is calculated by the hub, step by step; two people are needed. \
          Once it is locked it never changes.",
    operations: &[
        step(
            "/v1/{collection}/{id}:calculate",
            "calculate_{entity}",
            "Collects the inputs, checks them and makes payslips.",
        )
        .answers(&[json(202, Shape::Record)]),
        step("/v1/{collection}/{id}:review", "review_{entity}", "Somebody has looked at it."),
        step("/v1/{collection}/{id}:approve", "approve_{entity}", "Somebody else agrees.")
            .needs(&["pay:approve"])
            .problems(&["conflict", "second_person"]),
        step("/v1/{collection}/{id}:lock", "lock_{entity}", "From now on it never changes."),
        step("/v1/{collection}/{id}:reopen", "reopen_{entity}", "Back to the draft; `note` says why."),
        step(
            "/v1/{collection}/{id}:reverse",
            "reverse_{entity}",
            "Withdraws a locked run before anybody is paid; `note` says why.",
        )
        .needs(&["pay:approve"]),
        step("/v1/{collection}/{id}:pay", "pay_{entity}", "The bank is asked to pay."),
        step("/v1/{collection}/{id}:settle", "settle_{entity}", "The money has arrived."),
        step("/v1/{collection}/{id}:close", "close_{entity}", "Nothing is left to do."),
        get(
            "/v1/{collection}/{id}/variance",
            "compare_{entity}",
            "The run beside the one before: who and what changed.",
        )
        .each(Each::Of(RUN))
        .needs(&["read"])
        .parameters(&[
            query("against", Shape::Text, "Another run; else the settled one of the group before it."),
            query("percent", Shape::Text, "Flags a net that moved by more per cent; 30 unless said."),
            query("amount", Shape::Text, "… and by more than this; 500 unless said."),
            query("bonus", Shape::Text, "Flags a bonus of more per cent of the gross; 50 unless said."),
        ])
        .answers(&[json(200, VARIANCE)]),
        get("/v1/{collection}/{id}/bank-file", "bank_file_{entity}", "The file for the bank, once the run is locked.")
            .each(Each::Of(RUN))
            .needs(&["pay:approve"])
            .parameters(&[
                required("profile", Shape::Text, "What the bank wants: a file of models/bank/."),
                query(
                    "confirmed",
                    Shape::Text,
                    "The number of an employee whose account changed since the last payment, and was confirmed. Several \
                     times for several.",
                ),
            ])
            .problems(&["conflict", "payout_refused", "second_person"])
            .answers(&[
                bytes(200, "text/csv").headers(FILE_HEADERS),
                bytes(200, "application/xml").headers(FILE_HEADERS),
            ]),
        post(
            "/v1/{collection}/{id}:import-result",
            "import_result_{entity}",
            "What the bank says of each payment of the run.",
        )
        .each(Each::Of(RUN))
        .needs(&["write"])
        .parameters(&[required("profile", Shape::Text, "That of the file which the bank was sent.")])
        .body(Body::Bytes(&["text/csv", "application/xml"]))
        .examples(&[RESULT])
        .problems(&["conflict", "payout_refused"])
        .answers(&[json(200, IMPORTED)]),
        get("/v1/{collection}/{id}/journal", "journal_{entity}", "The run in double entry, as JSON or CSV.")
            .each(Each::Of(RUN))
            .needs(&["read"])
            .parameters(&[required("chart", Shape::Text, "The accounts: a file of models/journal/.")])
            .problems(&["conflict", "payout_refused"])
            .answers(&[json(200, JOURNAL), bytes(200, "text/csv")]),
        post(
            "/v1/{collection}/{id}:post-journal",
            "post_{entity}_journal",
            "The journal goes to the books of a system, once; its id there is the run's.",
        )
        .each(Each::Of(RUN))
        .needs(&["write"])
        .body(Body::Json(POSTING))
        .examples(&[r#"{"connection": "k3", "chart": "cn-enterprise"}"#])
        .problems(&["conflict", "payout_refused", "version_differs", "vendor_refused"])
        .answers(&[json(200, Shape::Record).headers(TAG), json(202, ASKED).headers(LOOK)]),
        post(
            "/v1/{collection}/{id}:deliver",
            "deliver_{entity}",
            "Tells people of their payslips, each with a link that opens it once; nobody twice unless asked.",
        )
        .each(Each::Of(RUN))
        .needs(&["write"])
        .body(Body::Json(DELIVERY_WISH))
        .examples(&[r#"{"mail": "mail-main", "hours": 72, "language": "en"}"#])
        .problems(&["conflict"])
        .answers(&[json(200, DELIVERED)]),
        get("/v1/{collection}/{id}/delivery", "delivery_{entity}", "Who was told of the payslip, who has seen it, who asks.")
            .each(Each::Of(RUN))
            .needs(&["read"])
            .answers(&[json(200, DELIVERY)]),
        get("/v1/{collection}/{id}/tax-file", "tax_file_{entity}", "One row for each person, for the tax office (CN).")
            .each(Each::Of(RUN))
            .needs(&["read:restricted"])
            .problems(&["conflict", "payout_refused"])
            .answers(&[bytes(200, "text/csv").headers(&[("hub-sha256", "SHA-256 of the file, hex.")])]),
        get("/v1/{collection}/{id}/pdf", "print_{entity}", "The payslip as PDF, as its employee gets it.")
            .each(Each::Of(&["payslip"]))
            .needs(&["read:restricted"])
            .parameters(&[query("language", Shape::Text, "Of the words around it: zh-CN, which is usual, or en.")])
            .problems(&["conflict"])
            .answers(&[
                bytes(200, "application/pdf").headers(&[("hub-sha256", "SHA-256 of the file, hex.")]),
            ]),
        post("/v1/{collection}/{id}:link", "link_{entity}", "Makes a link that opens the payslip once, without a key.")
            .each(Each::Of(&["payslip"]))
            .needs(&["write"])
            .body(Body::Optional(HOURS))
            .examples(&[r#"{"hours": 48}"#])
            .problems(&["conflict"])
            .answers(&[json(201, LINK)]),
    ],
};
