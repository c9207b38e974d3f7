"""The mapping as plain Python: told `show` or `run SECONDS` line by line, see src/mapping/child.rs."""
import json
import sys
import time
from datetime import date, datetime, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

CONNECTION = "bench"
SHANGHAI = ZoneInfo("Asia/Shanghai")
EDUCATION = {"high_school": "SECONDARY", "associate": "ASSOCIATE", "bachelor": "BACHELOR", "master": "MASTER", "phd": "DOCTORATE"}
ORIGIN = {"applied": "APPLIED", "sourced": "SOURCED", "referral": "REFERRED", "agency": "AGENCY", "internal": "INTERNAL", "campus": "UNIVERSITY"}
STAGE = {
    "Application Review": "SCREENING", "Phone Screen": "SCREENING", "Take Home Test": "ASSESSMENT",
    "Face to Face": "INTERVIEW", "Reference Check": "BACKGROUND_CHECK", "Offer": "OFFER",
}
OUTCOME = {"active": "PENDING", "rejected": "REJECTED", "hired": "HIRED", "withdrawn": "WITHDRAWN"}
EMAIL = {"personal": "HOME", "work": "WORK", "other": "OTHER"}
PHONE = {"home": "HOME", "work": "WORK", "mobile": "MOBILE", "skype": "SKYPE", "other": "OTHER"}


def library_phone(text):
    number = phonenumbers.parse(text, "CN")
    if not phonenumbers.is_valid_number(number):
        raise ValueError("no phone number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def fixed_phone(text):
    digits = "".join(c for c in text if c.isdigit())
    return "+" + digits if text.startswith("+") else "+86" + digits


def enum(table, raw):
    return None if raw is None else {"value": table.get(raw, "OTHER"), "raw": raw}


def ref(entity, key, display=None):
    if key is None:
        return None
    made = {"type": entity, "source": {"connection_id": CONNECTION, "remote_id": str(key)}}
    if display is not None:
        made["display"] = display
    return made


def instant(at):
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rfc3339(text):
    return None if text is None else instant(datetime.fromisoformat(text))


def email(contact):
    local, domain = contact["value"].strip().rsplit("@", 1)
    return given({"address": local + "@" + domain.lower(), "type": enum(EMAIL, contact.get("type")), "is_primary": contact.get("primary")})


def phone(contact, read):
    raw = contact["value"]
    e164 = read(raw)
    return given({"e164": e164, "type": enum(PHONE, contact.get("type")), "raw": raw if raw != e164 else None})


def given(fields):
    return {key: value for key, value in fields.items() if value is not None}


def is_cjk(text):
    return all("\u3040" <= c <= "\u30ff" or "\u3400" <= c <= "\u4dbf" or "\u4e00" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7af" for c in text)


def name(person):
    first, last = person.get("first_name"), person.get("last_name")
    if first and last:
        full = last + first if is_cjk(first) and is_cjk(last) else first + " " + last
    else:
        full = first or last
    return given({"full": full, "family": last, "given": first, "preferred": person.get("preferred_name"), "latin": person.get("latin_name")})


def score(rating):
    value, low, high = (Decimal(str(rating[key])) for key in ("value", "min", "max"))
    if not low <= value <= high:
        return None
    return given({"value": str(value), "min": str(low), "max": str(high), "scale": rating.get("rubric")})


def application(data, read_phone):
    hook = json.loads(data)
    app, person = hook["data"]["application"], hook["data"]["candidate"]
    salary, source, stage, job = person["salary"], app["source"], app["stage"], app["job"]
    candidate = given({
        "person": ref("person", person["id"]),
        "name": name(person),
        "emails": [email(contact) for contact in person["emails"]],
        "phones": [phone(contact, read_phone) for contact in person["phones"] if contact["value"] != ""],
        "headline": person["title"] + " / " + (person["company"] or "-"),
        "current_company": person["company"],
        "current_title": person["title"],
        "years_of_experience": str(person["years"]),
        "highest_education": enum(EDUCATION, person["degree"]),
        "preferred_locations": person["locations"],
        "expected_salary": {"amount": str(Decimal(salary["amount"]).scaleb(-2)), "currency": salary["currency"]},
        "available_from": datetime.strptime(person["available_from"], "%d/%m/%Y").date().isoformat(),
        "origin": {"value": ORIGIN[person["origin"]], "raw": person["origin"]},
        "source_detail": source["detail"],
        "owner": ref("user", person["owner"]["id"], person["owner"]["name"]),
        "tags": [tag.strip().lower() for tag in person["tags"].split(";") if tag.strip()],
        "is_confidential": person["is_private"],
        "do_not_contact": not person["can_email"],
        "agency_protected_until": date.fromisoformat(person["agency_hold_until"]).isoformat(),
        "resumes": [ref("resume", file["id"], file["filename"]) for file in person["attachments"] if file["type"] == "resume"],
        "last_interaction_at": instant(datetime.fromtimestamp(person["last_contact"] / 1000, timezone.utc)),
        "retention_until": date.fromisoformat(person["keep_until"]).isoformat(),
        "custom": {"notice_months": person["custom_fields"]["notice_months"]["value"]},
    })
    fields = given({
        "candidate": ref("candidate", person["id"]),
        "requisition": ref("requisition", job["id"], job["title"]),
        "posting": ref("posting", job["posting_id"]),
        "applied_at": rfc3339(app["applied_at"]),
        "source": given({"channel": source["public_name"] or source["name"], "detail": source["detail"]}),
        "stage": ref("stage", stage["id"], stage["name"]),
        "stage_kind": enum(STAGE, stage["name"]),
        "stage_entered_at": instant(datetime.strptime(app["stage_since"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)),
        "history": [given({"from": step["from"], "to": step["to"], "at": rfc3339(step["at"]), "by": step["by"]}) for step in app["history"]],
        "outcome": {"value": OUTCOME[app["status"]], "raw": app["status"]},
        "rejection": given({"reason": app["rejection_reason"], "at": rfc3339(app["rejected_at"])}) or None,
        "answers": [{"question_id": reply["question"]["id"], "type": reply["question"]["kind"], "value": reply["answer"]} for reply in app["answers"]],
        "score": score(app["rating"]),
        "recruiter": ref("user", app["recruiter"]["id"], app["recruiter"]["name"]),
        "interviews": [ref("interview", interview["id"]) for interview in app["interviews"]],
        "hired_at": rfc3339(app["hired_at"]) if app["status"] == "hired" else None,
    })
    records = [
        {"entity": "candidate", "key": str(person["id"]), "url": person["url"], "fields": candidate},
        {"entity": "application", "key": str(app["id"]), "url": app["url"], "fields": fields},
    ]
    return json.dumps(records, ensure_ascii=False, separators=(",", ":")).encode()


phones, path = sys.argv[1:3]
if phones == "library":
    import phonenumbers
read_phone = library_phone if phones == "library" else fixed_phone
with open(path, "rb") as file:
    data = file.read()
for line in sys.stdin:
    word, *rest = line.split()
    if word == "hello":
        print("ready", flush=True)
    elif word == "show":
        sys.stdout.buffer.write(application(data, read_phone) + b"\n")
        sys.stdout.flush()
    else:
        limit, documents, start = float(rest[0]), 0, time.process_time()
        while (spent := time.process_time() - start) < limit:
            for _ in range(8):
                application(data, read_phone)
            documents += 8
        print(documents, spent, flush=True)
