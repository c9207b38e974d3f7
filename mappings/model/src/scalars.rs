//! The scalar types of the model: how each is written, and the trap it avoids.

use crate::describe::{ModelType, Type};
use crate::enums::Enum;
use hub_standards::codes;
use hub_tree::Decimal;
use hub_tree::jiff::{self, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// Text types: transparent strings whose form [`check_text`] knows.
macro_rules! text_types {
    ($( $(#[doc = $doc:literal])* $name:ident = $ty:ident ),* $(,)?) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl ModelType for $name {
            const TYPE: &'static Type = &Type::$ty;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

text_types! {
    /// A calendar day, `2026-03-01`. It has no zone and never passes through UTC.
    Date = Date,
    /// A year, a month or a day: `2018`, `2018-09`, `2018-09-27`. The precision given is the precision kept.
    PartialDate = PartialDate,
    /// A time of day, `09:30` or `09:30:15`.
    LocalTime = LocalTime,
    /// An IANA time zone, `Asia/Shanghai`.
    TimeZone = TimeZone,
    /// An ISO 8601 duration: probation is `P3M`, not the number 3.
    Duration = Duration,
    /// An ISO 4217 currency.
    Currency = Currency,
    /// An ISO 3166-1 alpha-2 country.
    Country = Country,
    /// An ISO 3166-2 subdivision, `CN-BJ`.
    Subdivision = Subdivision,
    /// A BCP 47 language, `zh-CN`.
    Lang = Lang,
}

/// A share of one, as exact text: 8.5 % is `"0.085"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(pub Decimal);

impl ModelType for Rate {
    const TYPE: &'static Type = &Type::Rate;
}

/// An instant; any offset is read, UTC with milliseconds is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub Timestamp);

impl ModelType for DateTime {
    const TYPE: &'static Type = &Type::DateTime;
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

/// Text in one language, or texts by BCP 47 language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Localized {
    /// Text whose language is not stated.
    Plain(String),
    /// Texts by language.
    ByLang(BTreeMap<String, String>),
}

impl ModelType for Localized {
    const TYPE: &'static Type = &Type::Localized;
}

/// Entities that references name.
pub mod to {
    /// An entity that a [`super::Ref`] points to.
    pub trait Target: 'static {
        /// Its name; empty for any entity.
        const ENTITY: &'static str;
    }

    macro_rules! targets {
        ($( $name:ident = $entity:literal ),* $(,)?) => { $(
            #[doc = concat!("References to `", $entity, "`.")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name;
            impl Target for $name {
                const ENTITY: &'static str = $entity;
            }
        )* };
    }

    targets! {
        Any = "", Activity = "activity", Application = "application", Appraisal = "appraisal", Approval = "approval",
        AssessmentOrder = "assessment_order", AttendanceDay = "attendance_day", AuditEvent = "audit_event",
        BackgroundCheck = "background_check", BankAccount = "bank_account", BenefitEnrolment = "benefit_enrolment",
        BenefitPlan = "benefit_plan", CalendarEvent = "calendar_event", Candidate = "candidate",
        Compensation = "compensation", Competency = "competency", Consent = "consent", CostCenter = "cost_center",
        Course = "course", Decision = "decision", Department = "department", DevelopmentPlan = "development_plan",
        EducationVerification = "education_verification", Employee = "employee", Employment = "employment",
        Enrolment = "enrolment", ExpenseClaim = "expense_claim", Feedback = "feedback", Goal = "goal",
        Interview = "interview", Job = "job", JobAssignment = "job_assignment", JobFamily = "job_family",
        JobGrade = "job_grade", JobLevel = "job_level", LearningResult = "learning_result",
        LearningSession = "learning_session", LegalEntity = "legal_entity", Location = "location",
        Message = "message", Offboarding = "offboarding", Offer = "offer", Organization = "organization",
        PayGroup = "pay_group", PayrollInput = "payroll_input", PayrollRun = "payroll_run", Payslip = "payslip",
        Person = "person",
        Position = "position", Posting = "job_posting", PreHire = "pre_hire", Punch = "punch", Referral = "referral",
        Requisition = "requisition", Resume = "resume", Review = "review", ReviewCycle = "review_cycle",
        Scorecard = "scorecard", Shift = "shift", SignatureEnvelope = "signature_envelope", Stage = "stage",
        TimeOffBalance = "time_off_balance", TimeOffRequest = "time_off_request", TimeOffType = "time_off_type",
        TrainingPlan = "training_plan", Trip = "trip", User = "user",
    }
}

/// A reference: a hub id, or, until that is known, the remote id at a connection.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Ref<T> {
    /// The entity.
    #[serde(rename = "type")]
    pub entity: String,
    /// The hub id, once resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where it comes from, while it is not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<RefSource>,
    /// How to show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    #[serde(skip)]
    target: PhantomData<fn() -> T>,
}

/// A record as its remote system knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefSource {
    /// The connection.
    pub connection_id: String,
    /// The id there.
    pub remote_id: String,
}

impl<T: to::Target> Ref<T> {
    /// A reference to the record with this hub id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { entity: T::ENTITY.to_owned(), id: Some(id.into()), source: None, display: None, target: PhantomData }
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        Self {
            entity: self.entity.clone(),
            id: self.id.clone(),
            source: self.source.clone(),
            display: self.display.clone(),
            target: PhantomData,
        }
    }
}

impl<T> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        (&self.entity, &self.id, &self.source, &self.display)
            == (&other.entity, &other.id, &other.source, &other.display)
    }
}

impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.entity, self.id.as_deref().unwrap_or("unresolved"))
    }
}

impl<T: to::Target> ModelType for Ref<T> {
    const TYPE: &'static Type = &Type::Ref(T::ENTITY);
}

part! {
    /// A person's name. `full` is never split by guess: which part of 李娜 is the family name, nobody knows for all.
    pub struct PersonName {
        /// The whole name as the person writes it.
        S2 full: String, required;
        /// Family name.
        S2 family: String;
        /// Given name.
        S2 given: String;
        /// Middle names.
        S2 middle: String;
        /// Title before the name.
        S2 prefix: String;
        /// Addition behind the name.
        S2 suffix: String;
        /// What the person wants to be called.
        S2 preferred: String;
        /// The name in the person's own script.
        S2 local_script: String;
        /// The name in Latin letters.
        S2 latin: String;
    }
}

part! {
    /// An amount of money in the major unit, at most 4 digits after the point.
    pub struct Money {
        /// The amount.
        S2 amount: Decimal, required;
        /// The currency.
        S0 currency: Currency, required;
    }
}

part! {
    /// A score on its scale; never a bare number.
    pub struct Score {
        /// The value.
        S2 value: Decimal, required;
        /// The lowest value of the scale.
        S0 min: Decimal, required;
        /// The highest value of the scale.
        S0 max: Decimal, required;
        /// The rubric or scale that it is on.
        S0 scale: String;
    }
}

enumeration! {
    /// What kind of rating it is.
    pub enum RatingKind { Numeric = "NUMERIC", Select = "SELECT" }
    /// What a phone number or e-mail address is for.
    pub enum ContactType { Home = "HOME", Work = "WORK", Mobile = "MOBILE", Skype = "SKYPE" }
    /// What an address is for.
    pub enum AddressType { Home = "HOME", Work = "WORK", Postal = "POSTAL", Registered = "REGISTERED" }
    /// The kinds of identity document.
    pub enum NationalIdType {
        CnResidentId = "CN_RESIDENT_ID", Passport = "PASSPORT", HkMoPermit = "HK_MO_PERMIT", TwPermit = "TW_PERMIT",
        ForeignResidentId = "FOREIGN_RESIDENT_ID", Ssn = "SSN", TaxId = "TAX_ID", Nino = "NINO",
    }
}

part! {
    /// A rating: a number on a scale, or one of ordered options, from bad to good.
    pub struct Rating {
        /// Which of the two.
        S0 kind: Enum<RatingKind>, required;
        /// The lowest number.
        S0 min: Decimal;
        /// The highest number.
        S0 max: Decimal;
        /// The options from bad to good.
        S0 ordered_options: Vec<String>;
        /// The number or option given.
        S2 value: String, required;
    }
}

part! {
    /// A telephone number. One that cannot be understood is kept in `raw`; the record is not lost.
    pub struct Phone {
        /// The number as E.164, `+8613800138000`.
        S2 e164: String;
        /// The extension.
        S2 extension: String;
        /// What it is for.
        S0 kind: Enum<ContactType> as "type";
        /// What the source wrote.
        S2 raw: String;
    }
}

part! {
    /// An e-mail address: the domain in lower case, the part before the @ as it was.
    pub struct Email {
        /// The address.
        S2 address: String;
        /// What it is for.
        S0 kind: Enum<ContactType> as "type";
        /// Whether it is the one to use.
        S0 is_primary: bool;
        /// What the source wrote, where that is no address.
        S2 raw: String;
    }
}

part! {
    /// A postal address.
    pub struct Address {
        /// Country.
        S1 country: Country;
        /// State or province.
        S2 subdivision: Subdivision;
        /// City.
        S2 city: String;
        /// District.
        S2 district: String;
        /// First line.
        S2 line1: String;
        /// Second line.
        S2 line2: String;
        /// Postal code.
        S2 postal_code: String;
        /// The whole address as one text.
        S2 full: String;
        /// GB/T 2260 code, 6 digits.
        S2 cn_division_code: String;
        /// What it is for.
        S0 kind: Enum<AddressType> as "type";
    }
}

part! {
    /// An identity document.
    pub struct NationalId {
        /// What kind of document.
        S3 kind: Enum<NationalIdType> as "type", required;
        /// Which country issued it.
        S3 country: Country, required;
        /// Its number.
        S3 number: String, required;
        /// When it was issued.
        S3 issued_on: Date;
        /// When it ends.
        S3 expires_on: Date;
        /// Who issued it.
        S3 issuer: String;
    }
}

part! {
    /// A file. Vendors' links expire, so the hub copies the bytes.
    pub struct File {
        /// The id of the hub's copy.
        S0 file_id: String;
        /// File name.
        S2 name: String;
        /// Media type (RFC 6838).
        S0 content_type: String;
        /// Size in bytes.
        S0 size_bytes: i64;
        /// SHA-256 of the content, hex.
        S0 sha256: String;
        /// Where the vendor keeps it.
        S2 url: String;
        /// When that link ends.
        S0 url_expires_at: DateTime;
    }
}

/// Checks the text of a scalar type and gives it in its one written form.
///
/// # Errors
/// What the text should have been, without quoting it.
pub fn check_text(ty: &Type, text: &str) -> Result<String, &'static str> {
    let keep = |ok: bool, wanted: &'static str| if ok { Ok(text.to_owned()) } else { Err(wanted) };
    match ty {
        Type::Date => keep(is_date(text), "a date such as 2026-03-01"),
        Type::PartialDate => {
            let year = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
            let month = text.len() == 7 && is_date(&format!("{text}-01"));
            keep(year || month || is_date(text), "a year, month or day such as 2018, 2018-09 or 2018-09-27")
        }
        Type::DateTime => match text.parse::<Timestamp>() {
            Ok(at) => Ok(format!("{at:.3}")),
            Err(_) => Err("an RFC 3339 date-time with an offset, such as 2026-03-01T09:30:00Z"),
        },
        Type::LocalTime => {
            let shape = matches!(text.len(), 5 | 8) && text.parse::<jiff::civil::Time>().is_ok();
            keep(shape, "a time of day such as 09:30")
        }
        Type::TimeZone => keep(jiff::tz::TimeZone::get(text).is_ok(), "an IANA time zone such as Asia/Shanghai"),
        Type::Duration => {
            let iso = text.starts_with('P') && text.parse::<jiff::Span>().is_ok();
            keep(iso, "an ISO 8601 duration such as P3M")
        }
        Type::Currency => keep(codes::is_currency(text), "an ISO 4217 currency such as CNY"),
        Type::Country => keep(codes::is_country(text), "an ISO 3166-1 country such as CN"),
        Type::Subdivision => {
            let parts = text.split_once('-');
            let ok = parts.is_some_and(|(country, part)| {
                codes::is_country(country)
                    && (1..=3).contains(&part.len())
                    && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            });
            keep(ok, "an ISO 3166-2 subdivision such as CN-BJ")
        }
        Type::Lang => {
            let part_ok = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
            let mut parts = text.split('-');
            let primary =
                parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
            keep(primary && parts.all(part_ok), "a BCP 47 language such as zh-CN")
        }
        _ => Ok(text.to_owned()),
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
        && text.parse::<jiff::civil::Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_one_written_form() {
        let check = |ty, text| check_text(&ty, text);
        assert_eq!(check(Type::DateTime, "2026-03-01T17:30:00+08:00").as_deref(), Ok("2026-03-01T09:30:00.000Z"));
        for (ty, good, bad) in [
            (Type::Date, "2024-02-29", "2023-02-29"),
            (Type::Date, "2026-03-01", "2026-03-01T00:00:00Z"),
            (Type::PartialDate, "2018-09", "2018-13"),
            (Type::PartialDate, "2018", "18"),
            (Type::DateTime, "2026-03-01T09:30:00Z", "2026-03-01T09:30:00"),
            (Type::LocalTime, "09:30", "9:30"),
            (Type::TimeZone, "Asia/Shanghai", "CST8"),
            (Type::Duration, "P3M", "3"),
            (Type::Duration, "PT7H30M", "-P1D"),
            (Type::Currency, "CNY", "RMB"),
            (Type::Country, "HK", "UK"),
            (Type::Subdivision, "CN-BJ", "CN"),
            (Type::Lang, "zh-CN", "chinese!"),
        ] {
            assert!(check(ty, good).is_ok(), "{good}");
            assert!(check(ty, bad).is_err(), "{bad}");
        }
    }
}
