# The mapping in jq. It knows no zones by name: the offset of Shanghai is written into the rule.
def ref($entity; $key): { type: $entity, source: { connection_id: "bench", remote_id: ($key | tostring) } };
def ref($entity; $key; $display): ref($entity; $key) + { display: $display };
def enum($table): { value: ($table[.] // "OTHER"), raw: . };
def known($table): { value: ($table[.] // error("a value that nobody knows")), raw: . };
def utc: fromdateiso8601 | strftime("%Y-%m-%dT%H:%M:%S.000Z");
def day: strptime("%Y-%m-%d") | strftime("%Y-%m-%d");
def cjk: test("^[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]+$");
def phone: (explode | map(select(. >= 48 and . <= 57)) | implode) as $digits
  | if startswith("+") then "+" + $digits else "+86" + $digits end;
def email: trim | split("@") | .[0] + "@" + (.[1] | ascii_downcase);
def present: with_entries(select(.value != null));

.data.application as $app | .data.candidate as $person
| [
  {
    entity: "candidate",
    key: ($person.id | tostring),
    url: $person.url,
    fields: ({
      person: ref("person"; $person.id),
      name: {
        full: (if ($person.first_name | cjk) and ($person.last_name | cjk) then $person.last_name + $person.first_name else $person.first_name + " " + $person.last_name end),
        family: $person.last_name,
        given: $person.first_name,
        preferred: $person.preferred_name,
        latin: $person.latin_name
      },
      emails: [$person.emails[] | { address: (.value | email), type: (.type | enum({ personal: "HOME", work: "WORK", other: "OTHER" })), is_primary: .primary }],
      phones: [$person.phones[] | select(.value != "") | { e164: (.value | phone), type: (.type | enum({ home: "HOME", work: "WORK", mobile: "MOBILE", skype: "SKYPE", other: "OTHER" })), raw: .value }],
      headline: ($person.title + " / " + ($person.company // "-")),
      current_company: $person.company,
      current_title: $person.title,
      years_of_experience: ($person.years | tostring),
      highest_education: ($person.degree | enum({ high_school: "SECONDARY", associate: "ASSOCIATE", bachelor: "BACHELOR", master: "MASTER", phd: "DOCTORATE" })),
      preferred_locations: $person.locations,
      expected_salary: {
        amount: ($person.salary.amount | "\(. / 100 | floor).\(. % 100 | tostring | if length < 2 then "0" + . else . end)"),
        currency: $person.salary.currency
      },
      available_from: ($person.available_from | strptime("%d/%m/%Y") | strftime("%Y-%m-%d")),
      origin: ($person.origin | known({ applied: "APPLIED", sourced: "SOURCED", referral: "REFERRED", agency: "AGENCY", internal: "INTERNAL", campus: "UNIVERSITY" })),
      source_detail: $app.source.detail,
      owner: ref("user"; $person.owner.id; $person.owner.name),
      tags: [$person.tags | split(";")[] | trim | ascii_downcase | select(. != "")],
      is_confidential: $person.is_private,
      do_not_contact: ($person.can_email | not),
      agency_protected_until: ($person.agency_hold_until | day),
      resumes: [$person.attachments[] | select(.type == "resume") | ref("resume"; .id; .filename)],
      last_interaction_at: ($person.last_contact / 1000 | floor | strftime("%Y-%m-%dT%H:%M:%S.000Z")),
      retention_until: ($person.keep_until | day),
      custom: { notice_months: $person.custom_fields.notice_months.value }
    } | present)
  },
  {
    entity: "application",
    key: ($app.id | tostring),
    url: $app.url,
    fields: ({
      candidate: ref("candidate"; $person.id),
      requisition: ref("requisition"; $app.job.id; $app.job.title),
      posting: ref("posting"; $app.job.posting_id),
      applied_at: ($app.applied_at | utc),
      source: { channel: ($app.source.public_name // $app.source.name), detail: $app.source.detail },
      stage: ref("stage"; $app.stage.id; $app.stage.name),
      stage_kind: ($app.stage.name | enum({
        "Application Review": "SCREENING", "Phone Screen": "SCREENING", "Take Home Test": "ASSESSMENT",
        "Face to Face": "INTERVIEW", "Reference Check": "BACKGROUND_CHECK", "Offer": "OFFER"
      })),
      stage_entered_at: ($app.stage_since | strptime("%Y-%m-%d %H:%M:%S") | mktime - 28800 | strftime("%Y-%m-%dT%H:%M:%S.000Z")),
      history: [$app.history[] | { from, to, at: (.at | utc), by }],
      outcome: ($app.status | known({ active: "PENDING", rejected: "REJECTED", hired: "HIRED", withdrawn: "WITHDRAWN" })),
      rejection: (if $app.rejection_reason then { reason: $app.rejection_reason, at: ($app.rejected_at | utc) } else null end),
      answers: [$app.answers[] | { question_id: .question.id, type: .question.kind, value: .answer }],
      score: ($app.rating | if .value >= .min and .value <= .max then { value: (.value | tostring), min: (.min | tostring), max: (.max | tostring), scale: .rubric } else null end),
      recruiter: ref("user"; $app.recruiter.id; $app.recruiter.name),
      interviews: [$app.interviews[] | ref("interview"; .id)],
      hired_at: (if $app.status == "hired" then $app.hired_at | utc else null end)
    } | present)
  }
]
