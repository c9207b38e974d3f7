//! The limit: the same records made by hand, from structs that borrow from the input.
//!
//! It checks what the hub checks and keeps unknown values as the hub does, but says about a warning only that there
//! was one. It keeps neither the leftovers of a payload nor which rule made which field.

use super::{CONNECTION, Contestant, Phones};
use anyhow::{Context as _, bail, ensure};
use hub_standards::{codes, contact};
use hub_tree::Decimal;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::{Date, DateTime};
use hub_tree::jiff::tz::TimeZone;
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Text of the input, owned only where an escape stands in it. `Option<Cow>` would always own.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
struct Text<'d>(#[serde(borrow)] Cow<'d, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

// What the vendor sends, as far as it is read.

#[derive(Deserialize)]
pub struct Hook<'d> {
    #[serde(borrow)]
    data: Data<'d>,
}

#[derive(Deserialize)]
struct Data<'d> {
    #[serde(borrow)]
    application: App<'d>,
    candidate: Person<'d>,
}

#[derive(Deserialize)]
struct App<'d> {
    id: u64,
    #[serde(borrow)]
    status: Text<'d>,
    url: Option<Text<'d>>,
    applied_at: Option<Text<'d>>,
    stage_since: Option<Text<'d>>,
    rejected_at: Option<Text<'d>>,
    rejection_reason: Option<Text<'d>>,
    hired_at: Option<Text<'d>>,
    source: Option<Channel<'d>>,
    stage: Option<Named<'d>>,
    job: Option<Job<'d>>,
    recruiter: Option<Named<'d>>,
    rating: Option<Rating<'d>>,
    history: Option<Vec<Step<'d>>>,
    answers: Option<Vec<Reply<'d>>>,
    interviews: Option<Vec<Numbered>>,
}

#[derive(Deserialize)]
struct Channel<'d> {
    #[serde(borrow)]
    public_name: Option<Text<'d>>,
    name: Option<Text<'d>>,
    detail: Option<Text<'d>>,
}

#[derive(Deserialize)]
struct Named<'d> {
    id: u64,
    #[serde(borrow)]
    name: Option<Text<'d>>,
}

#[derive(Deserialize)]
struct Numbered {
    id: u64,
}

#[derive(Deserialize)]
struct Job<'d> {
    id: u64,
    #[serde(borrow)]
    title: Option<Text<'d>>,
    posting_id: Option<Text<'d>>,
}

#[derive(Deserialize)]
struct Rating<'d> {
    #[serde(borrow)]
    value: Option<&'d RawValue>,
    min: &'d RawValue,
    max: &'d RawValue,
    rubric: Option<Text<'d>>,
}

#[derive(Deserialize)]
struct Step<'d> {
    #[serde(borrow)]
    from: Option<Text<'d>>,
    to: Option<Text<'d>>,
    at: Option<Text<'d>>,
    by: Option<Text<'d>>,
}

#[derive(Deserialize)]
struct Reply<'d> {
    #[serde(borrow)]
    question: Question<'d>,
    answer: Option<Text<'d>>,
}

#[derive(Deserialize)]
struct Question<'d> {
    #[serde(borrow)]
    id: Option<Text<'d>>,
    kind: Option<Text<'d>>,
}

#[derive(Deserialize)]
struct Person<'d> {
    id: u64,
    #[serde(borrow)]
    first_name: Option<Text<'d>>,
    last_name: Option<Text<'d>>,
    latin_name: Option<Text<'d>>,
    preferred_name: Option<Text<'d>>,
    title: Option<Text<'d>>,
    company: Option<Text<'d>>,
    url: Option<Text<'d>>,
    is_private: Option<bool>,
    can_email: Option<bool>,
    origin: Option<Text<'d>>,
    years: Option<&'d RawValue>,
    degree: Option<Text<'d>>,
    phones: Option<Vec<Contact<'d>>>,
    emails: Option<Vec<Contact<'d>>>,
    locations: Option<Vec<Text<'d>>>,
    salary: Option<Salary<'d>>,
    available_from: Option<Text<'d>>,
    last_contact: Option<i64>,
    keep_until: Option<Text<'d>>,
    agency_hold_until: Option<Text<'d>>,
    owner: Option<Named<'d>>,
    tags: Option<Text<'d>>,
    attachments: Option<Vec<Attachment<'d>>>,
    custom_fields: Option<CustomFields<'d>>,
}

#[derive(Deserialize)]
struct Contact<'d> {
    #[serde(borrow)]
    value: Text<'d>,
    r#type: Option<Text<'d>>,
    primary: Option<bool>,
}

#[derive(Deserialize)]
struct Salary<'d> {
    amount: Option<i64>,
    #[serde(borrow)]
    currency: Text<'d>,
}

#[derive(Deserialize)]
struct Attachment<'d> {
    #[serde(borrow)]
    id: Text<'d>,
    filename: Option<Text<'d>>,
    r#type: Text<'d>,
}

#[derive(Deserialize)]
struct CustomFields<'d> {
    #[serde(borrow)]
    notice_months: Option<CustomField<'d>>,
}

#[derive(Deserialize)]
struct CustomField<'d> {
    #[serde(borrow)]
    value: Option<&'d RawValue>,
}

// What the hub keeps.

#[derive(Serialize)]
struct Record<'d, F> {
    entity: &'static str,
    key: Number,
    url: Option<&'d Text<'d>>,
    fields: F,
}

#[derive(Serialize)]
struct Candidate<'d> {
    person: Ref<'d, Number>,
    name: Name<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emails: Option<Vec<Email<'d>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phones: Option<Vec<Phone<'d>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headline: Option<Headline<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_company: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_title: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    years_of_experience: Option<Decimal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    highest_education: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_locations: Option<&'d [Text<'d>]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_salary: Option<Money<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available_from: Option<Shown<Date>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_detail: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Ref<'d, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<Cow<'d, str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_confidential: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    do_not_contact: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agency_protected_until: Option<Shown<Date>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resumes: Option<Vec<Ref<'d, &'d str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_interaction_at: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retention_until: Option<Shown<Date>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<Custom<'d>>,
}

#[derive(Serialize)]
struct Application<'d> {
    candidate: Ref<'d, Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requisition: Option<Ref<'d, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    posting: Option<Ref<'d, &'d str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    applied_at: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<SourceOf<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage: Option<Ref<'d, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage_kind: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stage_entered_at: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<Vec<Move<'d>>>,
    outcome: Enum<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<Rejection<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<Vec<Answer<'d>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Score<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recruiter: Option<Ref<'d, Number>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interviews: Option<Vec<Ref<'d, Number>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hired_at: Option<Utc>,
}

/// A vendor's number as the text that an id is.
#[derive(Clone, Copy)]
struct Number(u64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(itoa::Buffer::new().format(self.0))
    }
}

/// A value as its `Display` writes it.
struct Shown<T>(T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An instant with milliseconds.
struct Utc(Timestamp);

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

/// A reference to what is known under an id at the vendor.
struct Ref<'d, K> {
    entity: &'static str,
    key: K,
    display: Option<&'d Text<'d>>,
}

impl<K: Serialize> Serialize for Ref<'_, K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct At<'a, K> {
            connection_id: &'static str,
            remote_id: &'a K,
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.entity)?;
        map.serialize_entry("source", &At { connection_id: CONNECTION, remote_id: &self.key })?;
        if let Some(display) = self.display {
            map.serialize_entry("display", display)?;
        }
        map.end()
    }
}

/// Our value, and theirs where it is another word.
struct Enum<'d> {
    value: &'static str,
    raw: &'d str,
}

impl Serialize for Enum<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Enum", 2)?;
        map.serialize_field("value", self.value)?;
        if self.value == self.raw {
            map.skip_field("raw")?;
        } else {
            map.serialize_field("raw", self.raw)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct Name<'d> {
    full: FullName<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latin: Option<&'d Text<'d>>,
}

/// 李娜 where both parts are Chinese, Korean or Japanese, else given, space, family.
enum FullName<'d> {
    One(Cow<'d, str>),
    FamilyGiven(Cow<'d, str>, Cow<'d, str>),
    GivenFamily(Cow<'d, str>, Cow<'d, str>),
}

impl Serialize for FullName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(name) => serializer.serialize_str(name),
            Self::FamilyGiven(family, given) => serializer.collect_str(&format_args!("{family}{given}")),
            Self::GivenFamily(given, family) => serializer.collect_str(&format_args!("{given} {family}")),
        }
    }
}

#[derive(Serialize)]
struct Email<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Cow<'d, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_primary: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'d str>,
}

#[derive(Serialize)]
struct Phone<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    e164: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<Enum<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'d str>,
}

struct Headline<'d> {
    title: &'d str,
    company: &'d str,
}

impl Serialize for Headline<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} / {}", self.title, self.company))
    }
}

#[derive(Serialize)]
struct Money<'d> {
    amount: Decimal,
    currency: &'d str,
}

#[derive(Serialize)]
struct Custom<'d> {
    notice_months: &'d RawValue,
}

#[derive(Serialize)]
struct SourceOf<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'d Text<'d>>,
}

#[derive(Serialize)]
struct Move<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'d Text<'d>>,
}

#[derive(Serialize)]
struct Rejection<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Utc>,
}

#[derive(Serialize)]
struct Answer<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    question_id: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'d Text<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'d Text<'d>>,
}

#[derive(Serialize)]
struct Score<'d> {
    value: Decimal,
    min: Decimal,
    max: Decimal,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<&'d Text<'d>>,
}

/// The rules, in code.
pub struct Hand {
    phones: Phones,
    shanghai: TimeZone,
    /// How many values were kept as they came, or left out.
    warnings: usize,
    out: Vec<u8>,
}

impl Hand {
    pub fn new(phones: Phones) -> anyhow::Result<Self> {
        Ok(Self { phones, shanghai: TimeZone::get("Asia/Shanghai")?, warnings: 0, out: Vec::new() })
    }

    /// A value, or a warning.
    fn some<T>(&mut self, value: Option<T>) -> Option<T> {
        self.warnings += usize::from(value.is_none());
        value
    }

    fn instant(&mut self, text: Option<&Text<'_>>) -> Option<Utc> {
        text.and_then(|text| self.some(text.trim().parse().ok().map(Utc)))
    }

    fn local(&mut self, text: Option<&Text<'_>>) -> Option<Utc> {
        let text = text?;
        let local = text.trim().parse::<DateTime>().ok();
        let zoned = local.and_then(|local| self.shanghai.to_ambiguous_zoned(local).unambiguous().ok());
        self.some(zoned.map(|zoned| Utc(zoned.timestamp())))
    }

    fn day(&mut self, text: Option<&Text<'_>>) -> Option<Shown<Date>> {
        text.and_then(|text| self.some(text.trim().parse().ok().map(Shown)))
    }

    fn day_month_year(&mut self, text: Option<&Text<'_>>) -> Option<Shown<Date>> {
        let text = text?;
        let mut parts = text.trim().splitn(3, '/');
        let mut part = || parts.next();
        let (day, month, year) = (part(), part(), part());
        let date = day.zip(month).zip(year).and_then(|((day, month), year)| {
            Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
        });
        self.some(date.map(Shown))
    }

    fn known<'d>(&mut self, raw: &'d str, value: Option<&'static str>) -> Enum<'d> {
        Enum { value: self.some(value).unwrap_or("OTHER"), raw }
    }

    fn education<'d>(&mut self, raw: &'d str) -> Enum<'d> {
        let value = match raw {
            "high_school" => Some("SECONDARY"),
            "associate" => Some("ASSOCIATE"),
            "bachelor" => Some("BACHELOR"),
            "master" => Some("MASTER"),
            "phd" => Some("DOCTORATE"),
            _ => None,
        };
        self.known(raw, value)
    }

    fn stage_kind<'d>(&mut self, raw: &'d str) -> Enum<'d> {
        let value = match raw {
            "Application Review" | "Phone Screen" => Some("SCREENING"),
            "Take Home Test" => Some("ASSESSMENT"),
            "Face to Face" => Some("INTERVIEW"),
            "Reference Check" => Some("BACKGROUND_CHECK"),
            "Offer" => Some("OFFER"),
            _ => None,
        };
        self.known(raw, value)
    }

    fn email<'d>(&mut self, contact: &'d Contact<'d>) -> Option<Email<'d>> {
        let raw: &str = &contact.value;
        if raw.trim().is_empty() {
            return None;
        }
        let address = self.some(email_address(raw));
        let r#type = contact.r#type.as_deref().map(|raw| {
            let value = match raw {
                "personal" => Some("HOME"),
                "work" => Some("WORK"),
                "other" => Some("OTHER"),
                _ => None,
            };
            self.known(raw, value)
        });
        let raw = if address.is_none() { Some(raw) } else { None };
        Some(Email { address, r#type, is_primary: contact.primary, raw })
    }

    fn phone<'d>(&mut self, contact: &'d Contact<'d>) -> Option<Phone<'d>> {
        let raw: &str = &contact.value;
        if raw.trim().is_empty() {
            return None;
        }
        let parsed = self.some(contact::parse_phone(raw, Some("CN")).ok());
        let (e164, extension) = parsed.map_or((None, None), |parsed| (Some(parsed.e164), parsed.extension));
        let r#type = contact.r#type.as_deref().map(|raw| {
            let value = match raw {
                "home" => Some("HOME"),
                "work" => Some("WORK"),
                "mobile" => Some("MOBILE"),
                "skype" => Some("SKYPE"),
                "other" => Some("OTHER"),
                _ => None,
            };
            self.known(raw, value)
        });
        let raw = if e164.as_deref() == Some(raw) { None } else { Some(raw) };
        Some(Phone { e164, extension, r#type, raw })
    }

    fn money<'d>(&mut self, salary: &'d Salary<'d>) -> Option<Money<'d>> {
        let amount = salary.amount?;
        let currency: &str = &salary.currency;
        let known = codes::is_currency(currency).then_some(currency);
        let currency = self.some(known)?;
        Some(Money { amount: Decimal::new(amount, codes::minor_digits(currency)), currency })
    }

    fn score<'d>(&mut self, rating: &'d Rating<'d>) -> Option<Score<'d>> {
        let number = |raw: &RawValue| Decimal::from_str_exact(raw.get()).ok();
        let (value, min, max) = (number(rating.value?), number(rating.min), number(rating.max));
        let numbers = value.zip(min).zip(max).map(|((value, min), max)| (value, min, max));
        let (value, min, max) =
            self.some(numbers.filter(|(value, min, max)| min < max && value >= min && value <= max))?;
        Some(Score { value, min, max, scale: rating.rubric.as_ref() })
    }

    fn candidate<'d>(&mut self, person: &'d Person<'d>, app: &'d App<'d>) -> anyhow::Result<Candidate<'d>> {
        let phones = match self.phones {
            Phones::Parsed => person.phones.as_ref().map(|list| list.iter().filter_map(|p| self.phone(p)).collect()),
            Phones::LeftOut => None,
        };
        let origin = person.origin.as_deref().map(|raw| {
            let value = match raw {
                "applied" => "APPLIED",
                "sourced" => "SOURCED",
                "referral" => "REFERRED",
                "agency" => "AGENCY",
                "internal" => "INTERNAL",
                "campus" => "UNIVERSITY",
                _ => bail!("an origin that nobody knows"),
            };
            Ok(Enum { value, raw })
        });
        let resumes = person.attachments.as_ref().map(|list| {
            let resumes = list.iter().filter(|file| &*file.r#type == "resume");
            resumes.map(|file| Ref { entity: "resume", key: &*file.id, display: file.filename.as_ref() }).collect()
        });
        Ok(Candidate {
            person: Ref { entity: "person", key: Number(person.id), display: None },
            name: name(person).context("no name")?,
            emails: person.emails.as_ref().map(|list| list.iter().filter_map(|email| self.email(email)).collect()),
            phones,
            headline: person
                .title
                .as_ref()
                .map(|title| Headline { title, company: person.company.as_deref().unwrap_or("-") }),
            current_company: person.company.as_ref(),
            current_title: person.title.as_ref(),
            years_of_experience: person.years.and_then(|years| self.some(Decimal::from_str_exact(years.get()).ok())),
            highest_education: person.degree.as_deref().map(|raw| self.education(raw)),
            preferred_locations: person.locations.as_deref(),
            expected_salary: person.salary.as_ref().and_then(|salary| self.money(salary)),
            available_from: self.day_month_year(person.available_from.as_ref()),
            origin: origin.transpose()?,
            source_detail: app.source.as_ref().and_then(|source| source.detail.as_ref()),
            owner: person.owner.as_ref().map(|owner| named("user", owner)),
            tags: person.tags.as_deref().map(tags),
            is_confidential: person.is_private,
            do_not_contact: person.can_email.map(|can| !can),
            agency_protected_until: self.day(person.agency_hold_until.as_ref()),
            resumes,
            last_interaction_at: person
                .last_contact
                .and_then(|millis| self.some(Timestamp::from_millisecond(millis).ok().map(Utc))),
            retention_until: self.day(person.keep_until.as_ref()),
            custom: person
                .custom_fields
                .as_ref()
                .and_then(|fields| fields.notice_months.as_ref()?.value)
                .map(|notice_months| Custom { notice_months }),
        })
    }

    fn application<'d>(&mut self, app: &'d App<'d>, person: &'d Person<'d>) -> anyhow::Result<Application<'d>> {
        let status: &str = &app.status;
        let outcome = match status {
            "active" => "PENDING",
            "rejected" => "REJECTED",
            "hired" => "HIRED",
            "withdrawn" => "WITHDRAWN",
            _ => bail!("a status that nobody knows"),
        };
        let source = app.source.as_ref().map(|source| SourceOf {
            channel: source.public_name.as_ref().or(source.name.as_ref()),
            detail: source.detail.as_ref(),
        });
        let rejection = Rejection { reason: app.rejection_reason.as_ref(), at: self.instant(app.rejected_at.as_ref()) };
        let history = app.history.as_ref().map(|steps| {
            let moves = steps.iter().map(|step| Move {
                from: step.from.as_ref(),
                to: step.to.as_ref(),
                at: self.instant(step.at.as_ref()),
                by: step.by.as_ref(),
            });
            moves.collect()
        });
        let answers = app.answers.as_ref().map(|replies| {
            let answers = replies.iter().map(|reply| Answer {
                question_id: reply.question.id.as_ref(),
                r#type: reply.question.kind.as_ref(),
                value: reply.answer.as_ref(),
            });
            answers.collect()
        });
        let interviews = app.interviews.as_ref().map(|interviews| {
            interviews.iter().map(|of| Ref { entity: "interview", key: Number(of.id), display: None }).collect()
        });
        Ok(Application {
            candidate: Ref { entity: "candidate", key: Number(person.id), display: None },
            requisition: app.job.as_ref().map(|job| Ref {
                entity: "requisition",
                key: Number(job.id),
                display: job.title.as_ref(),
            }),
            posting: app.job.as_ref().and_then(|job| job.posting_id.as_deref()).map(|key| Ref {
                entity: "posting",
                key,
                display: None,
            }),
            applied_at: self.instant(app.applied_at.as_ref()),
            source: source.filter(|source| source.channel.is_some() || source.detail.is_some()),
            stage: app.stage.as_ref().map(|stage| named("stage", stage)),
            stage_kind: app.stage.as_ref().and_then(|stage| stage.name.as_deref()).map(|raw| self.stage_kind(raw)),
            stage_entered_at: self.local(app.stage_since.as_ref()),
            history,
            outcome: Enum { value: outcome, raw: status },
            rejection: (rejection.reason.is_some() || rejection.at.is_some()).then_some(rejection),
            answers,
            score: app.rating.as_ref().and_then(|rating| self.score(rating)),
            recruiter: app.recruiter.as_ref().map(|recruiter| named("user", recruiter)),
            interviews,
            hired_at: if status == "hired" { self.instant(app.hired_at.as_ref()) } else { None },
        })
    }
}

impl Contestant for Hand {
    fn run(&mut self, input: &[u8]) -> anyhow::Result<&[u8]> {
        self.warnings = 0;
        let hook: Hook<'_> = serde_json::from_slice(input)?;
        let (app, person) = (&hook.data.application, &hook.data.candidate);
        let candidate = self.candidate(person, app)?;
        let application = self.application(app, person)?;
        self.out.clear();
        let records = (
            Record { entity: "candidate", key: Number(person.id), url: person.url.as_ref(), fields: candidate },
            Record { entity: "application", key: Number(app.id), url: app.url.as_ref(), fields: application },
        );
        serde_json::to_writer(&mut self.out, &records)?;
        ensure!(self.warnings == 0, "{} values were not understood", self.warnings);
        Ok(&self.out)
    }
}

fn named<'d>(entity: &'static str, of: &'d Named<'d>) -> Ref<'d, Number> {
    Ref { entity, key: Number(of.id), display: of.name.as_ref() }
}

/// Labels, which the vendor separates by semicolons.
fn tags(text: &str) -> Vec<Cow<'_, str>> {
    let lower = |tag: &str| tag.chars().all(|c| !c.is_uppercase());
    text.split(';')
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(|tag| if lower(tag) { Cow::Borrowed(tag) } else { tag.to_lowercase().into() })
        .collect()
}

fn name<'d>(person: &'d Person<'d>) -> Option<Name<'d>> {
    let given = person.first_name.as_deref().map(squeezed).filter(|part| !part.is_empty());
    let family = person.last_name.as_deref().map(squeezed).filter(|part| !part.is_empty());
    let full = match (given, family) {
        (Some(given), Some(family)) if is_cjk(&given) && is_cjk(&family) => FullName::FamilyGiven(family, given),
        (Some(given), Some(family)) => FullName::GivenFamily(given, family),
        (one, other) => FullName::One(one.or(other)?),
    };
    Some(Name {
        full,
        family: person.last_name.as_ref(),
        given: person.first_name.as_ref(),
        preferred: person.preferred_name.as_ref(),
        latin: person.latin_name.as_ref(),
    })
}

/// Trimmed, and every run of white space inside made one space.
fn squeezed(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let mut before = 'x';
    let plain = text.chars().all(|c| {
        let plain = !c.is_whitespace() || (c == ' ' && before != ' ');
        before = c;
        plain
    });
    if plain { text.into() } else { text.split_whitespace().collect::<Vec<_>>().join(" ").into() }
}

fn is_cjk(text: &str) -> bool {
    text.chars().all(|c| {
        matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
    })
}

/// The address with its domain in small letters.
fn email_address(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let bad = |c: char| c.is_whitespace() || c.is_control() || "()<>[]:;,\"\\@".contains(c);
    let local_ok = !local.is_empty()
        && local.len() <= 64
        && !local.contains(bad)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let domain_ok = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label_ok);
    if !local_ok || !domain_ok {
        return None;
    }
    let lower = domain.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    Some(if lower { text.into() } else { format!("{local}@{}", domain.to_lowercase()).into() })
}

/// Only the reading: bytes to structs.
pub struct Reading;

impl Contestant for Reading {
    fn run(&mut self, input: &[u8]) -> anyhow::Result<&[u8]> {
        let hook: Hook<'_> = serde_json::from_slice(input)?;
        ensure!(hook.data.application.id > 0, "nothing was read");
        Ok(&[])
    }
}
