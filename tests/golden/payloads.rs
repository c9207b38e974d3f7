//! What a mapping must recover from a vendor's payload, in the words of the canonical model.

use crate::cases::compile;
use hub_engine::Input;
use hub_kit::hook::read_opened;
use hub_support::project_root;
use hub_tree::jiff::{Span, SpanRelativeTo, Unit};
use hub_tree::{Arena, Decimal, Limits, Value, json};
use std::fs;

/// Messages of vendors: the vendor, the mapping that reads them, and the file in the vendor's folder of payloads.
const MESSAGES: &[(&str, &str, &str)] = &[
    ("greenhouse", "application", "candidate_stage_change"),
    ("ashby", "application", "candidateHire"),
    ("ashby", "application", "application.info.response"),
    ("lever", "opportunity", "opportunity.response"),
    ("smartrecruiters", "candidate", "candidate.response"),
    ("workable", "candidate_event", "candidate_moved"),
    ("workable", "candidate", "candidate.response"),
    ("moka", "application", "ehrApplications.response"),
    ("moka", "application", "pushCandidate"),
    ("beisen", "application", "GetApplyListByModifiedTime.response"),
    ("beisen", "profile", "GetPersonProfileList.response"),
    ("checkr", "report", "report.completed"),
    ("checkr", "invitation", "invitation.completed"),
    ("certn", "applicant", "applicant.response"),
    ("certn", "update", "application.updated"),
    ("degree-verify-cn", "verify_degree", "verify.response"),
    ("docusign", "envelope", "envelope-completed"),
    ("docusign", "envelope_xml", "envelope-completed-legacy"),
    ("dropbox-sign", "envelope", "signature_request_all_signed"),
    ("esign-cn", "envelope", "SIGN_FLOW_COMPLETE"),
    ("esign-cn", "envelope", "SIGN_MISSON_COMPLETE"),
    ("fadada", "envelope", "sign-task-finished"),
    ("fadada", "envelope", "sign-task-signed"),
    ("tencent-ess", "envelope", "FlowStatusChange_finish"),
    ("micro1", "report", "interview_report.created"),
    ("hireflix", "interview", "interview.response"),
    ("hackerrank", "candidate", "test_candidate.response"),
    ("hropen", "report", "assessment_report"),
    ("xapi", "statement", "completed"),
    ("xapi", "statement", "passed"),
    ("moodle", "activities", "core_completion_get_activities_completion_status.response"),
];

/// What comes from the change, from the manifest or from the pages that follow, and not from the mapping.
const BESIDE_THE_MAPPING: [&str; 8] =
    ["event", "updated_utc", "triggered_utc", "fired_utc", "event_utc", "next_cursor", "dedupe_id", "callback_scope"];

/// What the hub itself adds to a message that only says what is to be read: the arguments of the call that reads it.
fn request(message: &str) -> &'static str {
    match message {
        // Whose invitation it is, the person says, whom the invitation names.
        "invitation.completed" => r#"{"check":"0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c0001"}"#,
        "core_completion_get_activities_completion_status.response" => r#"{"course_id":12,"user_id":77}"#,
        "verify.response" => r#"{"verification":"0197c1d0-5f0e-7d7a-9f5e-6a2f4d1c0002"}"#,
        _ => "{}",
    }
}

/// A score as a share of its scale, in hundredths.
fn share(fields: Value<'_>, score: &str) -> Option<String> {
    let part = |part: &str| fields.path(&format!("{score}.{part}")).as_decimal();
    let (value, min, max) = (part("value")?, part("min")?, part("max")?);
    Some(((value - min) * Decimal::from(100) / (max - min)).round_dp(2).normalize().to_string())
}

/// The facts of a message, flattened as the expectation files have them.
fn facts<'a>(records: &[(&str, Option<&'a str>, Value<'a>)], wanted: &str) -> Option<String> {
    let of = |entity: &str| records.iter().find(|(name, ..)| *name == entity);
    let text = |entity: &str, path: &str| {
        let (_, _, fields) = of(entity)?;
        fields.path(path).as_text().map(str::to_owned)
    };
    let number = |entity: &str, path: &str| {
        let (_, _, fields) = of(entity)?;
        fields.path(path).as_decimal().map(|number| number.to_string())
    };
    let within = |entity: &str, list: &str, fits: &dyn Fn(Value<'a>) -> bool, path: &str| {
        let (_, _, fields) = of(entity)?;
        let item = *fields.get(list).items().iter().find(|item| fits(**item))?;
        item.path(path).as_text().map(str::to_owned)
    };
    // Of those who sign, the first that is a person.
    let signer = |path: &str| {
        let person = |item: Value<'_>| item.path("party.value").as_text() == Some("PERSON");
        within("signature_envelope", "signers", &person, path)
    };
    let checked = of("background_check").is_some();
    let signed = of("signature_envelope").is_some();
    let degree = of("education_verification").is_some();
    // An interview, or a test.
    let held = if of("interview").is_some() { "interview" } else { "scorecard" };
    let is_held = of("scorecard").is_some();
    let learned = of("learning_result");
    if let Some((_, _, result)) = learned {
        let truth = |value: Value<'_>| matches!(value, Value::Bool(_)).then(|| json::to_string(&value));
        return match wanted {
            "candidate_full_name" => text("employee", "display_name"),
            "candidate_email" => text("employee", "work_email"),
            "person_account" => Some(of("employee")?.1?.split_once('|')?.1.to_owned()),
            "course_id" => of("course")?.1.map(str::to_owned),
            "overall_score_0_100" => share(*result, "score"),
            "passed" => truth(result.get("passed")),
            "completed" => truth(result.path("custom.completion")),
            "duration_seconds" => {
                let span: Span = result.get("duration").as_text()?.parse().ok()?;
                Some(span.total((Unit::Second, SpanRelativeTo::days_are_24_hours())).ok()?.to_string())
            }
            "completed_utc" => result.get("completed_at").as_text().map(str::to_owned),
            "moves_on" => truth(of("enrolment")?.2.path("custom.moves_on")),
            other => panic!("no rule for the fact `{other}`"),
        };
    }
    match wanted {
        "candidate_full_name" if is_held => return text(held, "custom.person.name"),
        "candidate_email" if is_held => return text(held, "custom.person.email"),
        "application_id" if is_held => return text(held, "application.id"),
        "report_id" | "interview_id" if is_held => return of(held)?.1.map(str::to_owned),
        "overall_score_0_100" if is_held => {
            return share(of("scorecard")?.2, "total");
        }
        "integrity_score_0_100" => return number("scorecard", "custom.integrity_score"),
        "interview_status" => return text("interview", "status.value"),
        "decision" if is_held => return text("scorecard", "recommendation.value"),
        "transcript_turns" => return Some(of("interview")?.2.get("turns").items().len().to_string()),
        "competency_count" => return Some(of("scorecard")?.2.get("dimensions").items().len().to_string()),
        "recording_url" => return text("interview", "recording.url"),
        "answered_questions" => return number("interview", "custom.answered"),
        "last_answer_utc" => return text("interview", "ends_at"),
        "report_status" if is_held => return text("scorecard", "custom.report_status"),
        "candidate_id" if is_held => return text("scorecard", "application.id"),
        "percentile" => return number("scorecard", "custom.percentile"),
        "completed_utc" if is_held && of("assessment_order").is_none() => return text("scorecard", "submitted_at"),
        "raw_score" => return number("scorecard", "custom.points").map(|text| text.trim_end_matches(".0").to_owned()),
        "plagiarism_flag" => {
            let (_, _, fields) = of("scorecard")?;
            let is_it = |flag: &Value<'_>| flag.path("kind.value").as_text() == Some("PLAGIARISM");
            return Some(fields.get("flags").items().iter().any(is_it).to_string());
        }
        "started_utc" => return text("assessment_order", "started_at"),
        "completed_utc" if is_held => return text("assessment_order", "completed_at"),
        "report_url" => return text("scorecard", "file.url"),
        "candidate_full_name" | "candidate_email" if checked => {
            let part = if wanted == "candidate_email" { "custom.person.email" } else { "custom.person.name" };
            return text("background_check", part);
        }
        "candidate_id" if checked => return text("background_check", "custom.checkr_candidate"),
        "report_id" => return of("background_check")?.1.map(str::to_owned),
        "report_status" => return text("background_check", "status.value"),
        "report_conclusion" => return text("background_check", "conclusion.value"),
        "decision" if checked => return text("background_check", "adjudication"),
        "overall_score_0_100" if checked => return text("background_check", "custom.score"),
        "created_utc" | "submitted_utc" if checked => return text("background_check", "ordered_at"),
        // An invitation that was accepted is an order that waits: it is not the end of the check.
        "completed_utc" if checked => {
            return text("background_check", "completed_at")
                .or_else(|| text("background_check", "custom.filled_in_at"));
        }
        "envelope_id" => return of("signature_envelope")?.1.map(str::to_owned),
        "envelope_status" => return text("signature_envelope", "status.value"),
        "application_id" if signed => return text("signature_envelope", "custom.reference"),
        "candidate_full_name" if signed => return signer("name.full"),
        "candidate_email" if signed => return signer("email"),
        "candidate_phone" if signed => return signer("phone"),
        "signer_status" => return signer("status.value"),
        "signed_utc" => return signer("signed_at"),
        "sent_utc" | "created_utc" if signed => return text("signature_envelope", "sent_at"),
        "completed_utc" if signed => return text("signature_envelope", "completed_at"),
        "candidate_full_name" if degree => return text("education_verification", "custom.found.name"),
        "activity_count" => return number("enrolment", "custom.activities.count"),
        "completed_count" => return number("enrolment", "custom.activities.completed"),
        "passed_count" => return number("enrolment", "custom.activities.passed"),
        "first_completed_utc" => return text("enrolment", "custom.activities.first_completed_at"),
        "school" => return text("education_verification", "custom.found.school"),
        "education_level" => return text("education_verification", "custom.found.level"),
        "graduated_on" => return text("education_verification", "custom.found.end"),
        "education_status" => return text("education_verification", "status.value"),
        _ => {}
    }
    let remote = |entity: &str, path: &str| text(entity, &format!("{path}.source.remote_id"));
    match wanted {
        "candidate_full_name" => text("candidate", "name.full"),
        "candidate_email" => {
            let (_, _, fields) = of("candidate")?;
            fields.get("emails").items().first()?.get("address").as_text().map(str::to_owned)
        }
        "candidate_phone" => {
            let (_, _, fields) = of("candidate")?;
            fields.get("phones").items().first()?.get("raw").as_text().map(str::to_owned)
        }
        "candidate_id" => of("candidate")?.1.map(str::to_owned),
        "application_id" => of("application")?.1.map(str::to_owned),
        "job_id" => remote("application", "requisition"),
        "stage" => text("application", "stage.display"),
        "decision" => text("application", "outcome.value").filter(|outcome| outcome != "PENDING"),
        "applied_utc" | "created_utc" => text("application", "applied_at"),
        "offer_id" => of("offer")?.1.map(str::to_owned),
        "start_date" => text("offer", "start_on"),
        "salary_amount" | "salary_currency" => {
            let (_, _, fields) = of("offer")?;
            let part = if wanted == "salary_amount" { "amount.amount" } else { "amount.currency" };
            fields.get("compensation").items().first()?.path(part).as_text().map(str::to_owned)
        }
        other => panic!("no rule for the fact `{other}`"),
    }
}

/// Compares what a mapping makes of a message with what the message says; how many facts there were.
fn check(vendor: &str, object: &str, message: &str) -> usize {
    let folder = project_root().join("tests/golden/payloads").join(vendor);
    let arena = Arena::new();
    let input = fs::read(folder.join(format!("{message}.json")));
    let input = input.or_else(|_| fs::read(folder.join(format!("{message}.xml")))).unwrap();
    let payload = read_opened(&arena, &input).unwrap();
    let mapping = compile(vendor, &project_root().join(format!("mappings/{vendor}/{object}.in.yaml")));
    let headers = fs::read_to_string(folder.join(format!("{message}.headers.json"))).unwrap_or_default();
    let headers = headers.to_lowercase();
    let headers = json::read(&arena, headers.as_bytes(), Limits::default()).unwrap_or_default();
    let event = headers.get("x-fasc-event").as_text().unwrap_or_default();
    let request = json::read(&arena, request(message).as_bytes(), Limits::default()).unwrap();
    let outcome = mapping.run_in(&arena, &Input { headers, event, request, ..Input::of(payload, "main") });
    let records: Vec<_> = outcome.records.iter().map(|r| (r.entity.name, r.key, r.fields)).collect();
    let expect = fs::read(folder.join(format!("{message}.expect.json"))).unwrap();
    let expect = json::read(&arena, &expect, Limits::default()).unwrap();
    let mut checked = 0;
    for (fact, wanted) in expect.entries() {
        if BESIDE_THE_MAPPING.contains(fact) {
            continue;
        }
        let found = facts(&records, fact);
        // Times are kept to the millisecond.
        let instant = |text: &str| text.parse::<hub_tree::jiff::Timestamp>().ok().map(|at| at.as_millisecond());
        let same = match (found.as_deref(), wanted.as_text()) {
            (Some(found), Some(wanted)) if fact.ends_with("_utc") => instant(found) == instant(wanted),
            (Some(found), None) if wanted.as_decimal().is_some() => {
                Some(found) == wanted.as_decimal().map(|n| n.to_string()).as_deref()
            }
            (Some(found), None) if matches!(wanted, Value::Bool(_)) => found == json::to_string(wanted),
            (found, wanted) => found == wanted,
        };
        let wanted = json::to_string(wanted);
        assert!(same, "{vendor}: {message}: {fact}: found {found:?}, wanted {wanted}");
        checked += 1;
    }
    checked
}

#[test]
fn what_a_payload_says_is_recovered() {
    for (vendor, object, message) in MESSAGES {
        let checked = check(vendor, object, message);
        assert!(checked >= 3, "{vendor}: {message}: only {checked} facts checked");
    }
}
