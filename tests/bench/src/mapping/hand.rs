//! The limit: the same records made by hand, from structs that borrow from the input.
//!
//! It checks what the hub checks and keeps unknown values as the hub does, but says about a warning only that there
//! was one. It keeps neither the leftovers of a payload nor which rule made which field.

mod input;
mod output;

use self::input::{App, Contact, Hook, Named, Person, Rating, Salary, Text};
use self::output::*;
use super::{Contestant, Phones};
use anyhow::{Context as _, bail, ensure};
use hub_standards::{codes, contact};
use hub_tree::Decimal;
use hub_tree::jiff::Timestamp;
use hub_tree::jiff::civil::{Date, DateTime};
use hub_tree::jiff::tz::TimeZone;
use serde_json::value::RawValue;
use std::borrow::Cow;
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
