//! Example requests: what is sent to make a record of each entity, and to change it. Tests send every one of them to a
//! hub and look at what it answers; the people in them are invented.

use super::operation::{Body, Operation};
use serde_json::{Map, Value, json};

/// The id of no record in particular: it stands where a request names one.
pub(super) const SOME_ID: &str = "0193a5c2-7d5e-7cc0-9d3b-1f2e3a4b5c6d";

/// A record of each entity as it is made, and the name of the member that a change sends alone. `"@employee"` stands for
/// a reference to an employee.
static RECORDS: &[(&str, &str, &str)] = &[
    ("activity", r#"{"subject": "@application", "kind": "CALL", "body": "Asked for a later date"}"#, "body"),
    ("application", r#"{"candidate": "@candidate", "applied_at": "2026-03-01T09:30:00Z"}"#, "applied_at"),
    ("appraisal", r#"{"employee": "@employee", "bonus_factor": "1.2"}"#, "bonus_factor"),
    (
        "assessment_order",
        r#"{"application": "@application", "package": {"id": "sales-junior", "name": "Sales, junior"}, "status": "OPEN"}"#,
        "status",
    ),
    (
        "attendance_day",
        r#"{"employee": "@employee", "on": "2026-03-02", "status": "OPEN", "absent_minutes": 30}"#,
        "absent_minutes",
    ),
    ("background_check", r#"{"application": "@application", "status": "ORDERED"}"#, "status"),
    ("bank_account", r#"{"bank_name": "Heron Bank", "currency": "CNY"}"#, "bank_name"),
    ("benefit_enrolment", r#"{"employee": "@employee", "plan": "@benefit_plan", "from": "2026-04-01"}"#, "from"),
    ("benefit_plan", r#"{"name": "Dental care", "kind": "DENTAL", "provider": "Heron Mutual"}"#, "provider"),
    (
        "candidate",
        r#"{"name": {"full": "李娜", "latin": "Li Na"}, "emails": [{"address": "na.li@example.com"}], "current_title": "Engineer"}"#,
        "current_title",
    ),
    (
        "compensation",
        r#"{"employee": "@employee", "annualised": {"amount": "240000.00", "currency": "CNY"}, "change_reason": "Yearly review"}"#,
        "change_reason",
    ),
    ("competency", r#"{"name": "Negotiation", "kind": "SKILL"}"#, "kind"),
    (
        "consent",
        r#"{"person": "@person", "purpose": "TALENT_POOL", "given_at": "2026-03-01T09:30:00Z", "jurisdiction": "CN"}"#,
        "jurisdiction",
    ),
    ("cost_center", r#"{"name": "Research", "code": "CC-70", "status": "ACTIVE"}"#, "code"),
    ("course", r#"{"title": "Fire safety", "code": "FS-1", "duration": "PT2H"}"#, "duration"),
    (
        "decision",
        r#"{"application": "@application", "kind": "ADVANCE", "made_by": {"kind": "RULE", "rule_id": "screening 3"}, "at": "2026-03-01T09:30:00Z"}"#,
        "at",
    ),
    ("department", r#"{"name": "研发中心", "code": "RD", "status": "ACTIVE"}"#, "code"),
    ("development_plan", r#"{"employee": "@employee", "status": "agreed"}"#, "status"),
    ("education_verification", r#"{"person": "@person", "status": "PENDING"}"#, "status"),
    ("employee", r#"{"employee_number": "E-1207", "display_name": "Petra Osei", "status": "ACTIVE"}"#, "display_name"),
    ("employment", r#"{"employee": "@employee", "start_on": "2026-03-01", "is_primary": true}"#, "start_on"),
    (
        "enrolment",
        r#"{"employee": "@employee", "course": "@course", "status": "ASSIGNED", "due_on": "2026-06-30"}"#,
        "due_on",
    ),
    ("expense_claim", r#"{"employee": "@employee", "total": {"amount": "312.50", "currency": "EUR"}}"#, "total"),
    ("feedback", r#"{"to": "@employee", "message": "Thank you for the handover", "kind": "PRAISE"}"#, "message"),
    ("goal", r#"{"owner": "@employee", "title": "Answer applicants within a week", "due_on": "2026-12-31"}"#, "due_on"),
    (
        "interview",
        r#"{"application": "@application", "kind": "VIDEO", "status": "SCHEDULED", "ends_at": "2026-03-05T10:00:00Z"}"#,
        "ends_at",
    ),
    ("job", r#"{"title": "Software engineer", "code": "SE", "status": "ACTIVE"}"#, "code"),
    (
        "job_assignment",
        r#"{"employment": "@employment", "change_kind": "HIRE", "change_reason": "First day"}"#,
        "change_reason",
    ),
    ("job_family", r#"{"name": "Engineering", "code": "ENG", "status": "ACTIVE"}"#, "code"),
    ("job_grade", r#"{"name": "G7", "code": "7"}"#, "code"),
    ("job_level", r#"{"name": "Senior", "code": "L5", "order": 5}"#, "order"),
    ("job_posting", r#"{"title": "Software engineer", "status": "DRAFT", "language": "en"}"#, "language"),
    (
        "learning_result",
        r#"{"enrolment": "@enrolment", "attempts": 1, "completed_at": "2026-03-01T09:30:00Z"}"#,
        "attempts",
    ),
    ("learning_session", r#"{"course": "@course", "starts_at": "2026-03-05T09:00:00Z", "capacity": 12}"#, "capacity"),
    ("legal_entity", r#"{"name": "Heron Trading Ltd", "currency": "CNY", "legal_form": "LIMITED"}"#, "currency"),
    ("location", r#"{"name": {"en": "Shanghai", "zh": "上海"}, "code": "SHA", "is_hq": true}"#, "code"),
    (
        "offboarding",
        r#"{"employment": "@employment", "status": "DRAFT", "last_working_on": "2026-06-30"}"#,
        "last_working_on",
    ),
    ("offer", r#"{"application": "@application", "status": "DRAFT", "contract_term": "3 years"}"#, "contract_term"),
    ("organization", r#"{"name": "Heron Group", "country": "CN", "default_currency": "CNY"}"#, "default_currency"),
    ("pay_group", r#"{"name": "Monthly, Shanghai", "currency": "CNY", "cutoff_day": 25}"#, "cutoff_day"),
    ("payroll_input", r#"{"run": "@payroll_run", "employee": "@employee", "given": {"年终奖": "36000.00"}}"#, "given"),
    (
        "payroll_run",
        r#"{"pay_group": "@pay_group", "kind": "REGULAR", "status": "DRAFT", "headcount": 120}"#,
        "headcount",
    ),
    (
        "payslip",
        r#"{"run": "@payroll_run", "employee": "@employee", "currency": "CNY", "days_paid": "21.75"}"#,
        "days_paid",
    ),
    ("person", r#"{"name": {"full": "Petra Osei"}, "emails": [{"address": "petra.osei@example.com"}]}"#, "emails"),
    ("position", r#"{"code": "P-311", "status": "OPEN_LIMITED", "fte": "1"}"#, "fte"),
    (
        "pre_hire",
        r#"{"person": "@person", "status": "PREBOARDING", "expected_start_on": "2026-04-01"}"#,
        "expected_start_on",
    ),
    ("punch", r#"{"employee": "@employee", "at": "2026-03-02T08:58:00Z", "kind": "IN"}"#, "kind"),
    (
        "referral",
        r#"{"candidate": "@candidate", "referrer": "@employee", "status": "SUBMITTED", "relationship": "Worked together"}"#,
        "relationship",
    ),
    ("requisition", r#"{"title": "Two engineers for Shanghai", "code": "R-88", "status": "OPEN"}"#, "code"),
    ("resume", r#"{"candidate": "@candidate", "awards": ["Best paper 2024"]}"#, "awards"),
    (
        "review",
        r#"{"employee": "@employee", "kind": "MANAGER", "status": "DRAFT", "comment": "A good year"}"#,
        "comment",
    ),
    (
        "review_cycle",
        r#"{"name": "Year 2026", "kind": "ANNUAL", "period_start": "2026-01-01", "period_end": "2026-12-31"}"#,
        "name",
    ),
    (
        "scorecard",
        r#"{"application": "@application", "rater": {"kind": "HUMAN"}, "status": "DRAFT", "coverage": "0.8"}"#,
        "coverage",
    ),
    ("signature_envelope", r#"{"status": "DRAFT", "expires_at": "2026-04-01T00:00:00Z"}"#, "expires_at"),
    ("stage", r#"{"name": "Phone screen", "kind": "SCREENING", "order": 2}"#, "order"),
    (
        "time_off_balance",
        r#"{"employee": "@employee", "type": "@time_off_type", "granted": "15", "available": "12.5"}"#,
        "available",
    ),
    ("time_off_request", r#"{"employee": "@employee", "status": "REQUESTED", "amount": "2"}"#, "amount"),
    ("time_off_type", r#"{"name": {"en": "Annual leave", "zh": "年假"}, "kind": "ANNUAL", "code": "AL"}"#, "code"),
    ("training_plan", r#"{"owner": "@employee", "period": "2026"}"#, "period"),
    (
        "trip",
        r#"{"employee": "@employee", "kind": "TRIP", "status": "PENDING", "budget": {"amount": "800", "currency": "EUR"}}"#,
        "budget",
    ),
    ("user", r#"{"username": "petra.osei", "active": true, "roles": ["recruiter"]}"#, "roles"),
];

/// The examples of an operation, for one entity where it has one.
pub(super) fn of(of: &Operation, entity: Option<&'static hub_model::EntityType>) -> Vec<Value> {
    if !of.examples.is_empty() {
        return of.examples.iter().filter_map(|text| example(of, text)).collect();
    }
    let Some((_, text, change)) = entity.and_then(|of| RECORDS.iter().find(|(name, ..)| *name == of.name)) else {
        return Vec::new();
    };
    let Ok(Value::Object(record)) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let record: Map<String, Value> = record.into_iter().map(|(name, value)| (name, reference(value))).collect();
    let changed = || record.get(*change).map(|value| json!({ *change: value }));
    let made = match (of.method, of.path) {
        ("POST", "/v1/{collection}") => Some(Value::Object(record)),
        ("POST", "/v1/{collection}:batch") => Some(json!({ "items": [{ "method": "create", "data": record }] })),
        ("PATCH", "/v1/{collection}/{id}") => changed(),
        _ => None,
    };
    made.into_iter().collect()
}

/// An example as it is sent: what is no JSON is the body itself.
fn example(of: &Operation, text: &str) -> Option<Value> {
    match of.body {
        Body::Bytes(_) => Some(Value::String(text.to_owned())),
        _ => serde_json::from_str(text).ok(),
    }
}

/// A reference in place of its short form.
fn reference(value: Value) -> Value {
    match value.as_str().and_then(|text| text.strip_prefix('@')) {
        Some(entity) => json!({ "type": entity, "id": SOME_ID }),
        None => value,
    }
}
