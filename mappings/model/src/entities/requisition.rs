//! What recruiting looks for, and what it offers.

use crate::describe::When;
use crate::entities::assessment::EducationLevel;
use crate::entities::employment::EmploymentType;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, Duration, File, Money, Ref, to};
use hub_tree::Decimal;

enumeration! {
    /// Why a requisition was opened.
    pub enum RequisitionKind {
        New = "NEW", Replacement = "REPLACEMENT", Intern = "INTERN", Temporary = "TEMPORARY",
    }
    /// Where people are looked for.
    pub enum HireMode { Social = "SOCIAL", Campus = "CAMPUS", Internal = "INTERNAL", Referral = "REFERRAL" }
    /// How much it hurries.
    pub enum Priority { Low = "LOW", Normal = "NORMAL", High = "HIGH", Urgent = "URGENT" }
    /// Where a requisition stands.
    pub enum RequisitionStatus {
        Draft = "DRAFT", PendingApproval = "PENDING_APPROVAL", Open = "OPEN", OnHold = "ON_HOLD", Filled = "FILLED",
        Closed = "CLOSED", Cancelled = "CANCELLED", Archived = "ARCHIVED",
    }
    /// What span an amount of pay is for.
    pub enum PayPeriod {
        Hour = "HOUR", Day = "DAY", Week = "WEEK", Biweek = "BIWEEK", Semimonth = "SEMIMONTH", Month = "MONTH",
        Quarter = "QUARTER", HalfYear = "HALF_YEAR", Year = "YEAR", OneTime = "ONE_TIME",
    }
    /// The kinds of pay.
    pub enum PayKind {
        Base = "BASE", Allowance = "ALLOWANCE", Variable = "VARIABLE", Commission = "COMMISSION", Equity = "EQUITY",
        BenefitCash = "BENEFIT_CASH",
    }
    /// Where an offer stands.
    pub enum OfferStatus {
        Draft = "DRAFT", PendingApproval = "PENDING_APPROVAL", Approved = "APPROVED", Sent = "SENT", Viewed = "VIEWED",
        Accepted = "ACCEPTED", Declined = "DECLINED", Expired = "EXPIRED", Withdrawn = "WITHDRAWN",
        Superseded = "SUPERSEDED",
    }
}

part! {
    /// What a requisition may pay.
    pub struct SalaryRange {
        /// At least.
        S2 min: Money;
        /// At most.
        S2 max: Money;
        /// For which span.
        S0 period: Enum<PayPeriod>;
    }
}

entity! {
    /// People wanted for a job.
    pub struct Requisition("requisition", "requisitions", "requisition") as REQUISITION {
        /// Code.
        S0 code: String, indexed;
        /// Title.
        S0 title: String, required;
        /// The job.
        S0 job: Ref<to::Job>;
        /// The seat.
        S0 position: Ref<to::Position>;
        /// Department.
        S0 department: Ref<to::Department>, indexed;
        /// Company.
        S0 legal_entity: Ref<to::LegalEntity>;
        /// Places.
        S0 locations: Vec<Ref<to::Location>>;
        /// How many are wanted.
        S0 headcount: i64;
        /// How many are found.
        S0 filled: i64;
        /// Why it was opened.
        S0 kind: Enum<RequisitionKind>;
        /// Where people are looked for.
        S0 hire_mode: Enum<HireMode>;
        /// Kind of employment.
        S0 employment_type: Enum<EmploymentType>;
        /// The lowest level.
        S0 level_min: Ref<to::JobLevel>;
        /// The highest level.
        S0 level_max: Ref<to::JobLevel>;
        /// What it may pay.
        S2 salary: SalaryRange;
        /// The education asked for.
        S0 min_education: Enum<EducationLevel>;
        /// The experience asked for.
        S0 min_experience: Duration;
        /// Skills asked for.
        S0 skills: Vec<String>;
        /// How much it hurries.
        S0 priority: Enum<Priority>;
        /// Why people are wanted.
        S1 reason: String;
        /// Who hires.
        S1 hiring_managers: Vec<Ref<to::User>>;
        /// Who recruits.
        S1 recruiters: Vec<Ref<to::User>>;
        /// Who looks after it.
        S1 owner: Ref<to::User>;
        /// Since when.
        S0 opened_on: Date;
        /// Until when it should be filled.
        S0 target_on: Date;
        /// When it was closed.
        S0 closed_on: Date;
        /// Where it stands.
        S0 status: Enum<RequisitionStatus>, required, indexed;
        /// The approval behind it.
        S0 approval: Ref<to::Approval>;
    }
}

part! {
    /// One part of somebody's pay.
    pub struct CompensationLine {
        /// Code.
        S2 code: String;
        /// Kind.
        S2 kind: Enum<PayKind>;
        /// How much.
        S2 amount: Money, required;
        /// For which span.
        S2 period: Enum<PayPeriod>;
        /// How many months a year it is paid.
        S2 months_per_year: Decimal;
        /// Whether taxed.
        S2 taxable: bool;
        /// Whether it counts for social insurance.
        S2 in_social_base: bool;
    }
}

entity! {
    /// An offer to a candidate.
    pub struct Offer("offer", "offers", "offer") as OFFER {
        /// For which application.
        S0 application: Ref<to::Application>, required, indexed;
        /// Where it stands.
        S0 status: Enum<OfferStatus>, required, indexed;
        /// Kind of employment.
        S0 employment_type: Enum<EmploymentType>;
        /// Company.
        S0 legal_entity: Ref<to::LegalEntity>;
        /// Department.
        S0 department: Ref<to::Department>;
        /// Job.
        S0 job: Ref<to::Job>;
        /// Level.
        S2 level: Ref<to::JobLevel>;
        /// Place.
        S0 location: Ref<to::Location>;
        /// Manager.
        S1 manager: Ref<to::Employee>;
        /// First day.
        S2 start_on: Date;
        /// How long the probation lasts.
        S2 probation: Duration;
        /// How long the contract runs: an ISO 8601 duration, or `PERMANENT`.
        S2 contract_term: String;
        /// What it pays.
        S2 compensation: Vec<CompensationLine>;
        /// Until when it can be accepted.
        S0 expires_at: DateTime;
        /// When approved.
        S0 approved_at: DateTime;
        /// When sent.
        S0 sent_at: DateTime;
        /// When first looked at.
        S0 viewed_at: DateTime;
        /// When answered.
        S0 responded_at: DateTime;
        /// Why declined.
        S2 decline_reason: String;
        /// Documents.
        S2 documents: Vec<File>;
        /// The envelope to sign.
        S0 signature: Ref<to::SignatureEnvelope>;
        /// Who made it.
        S1 creator: Ref<to::User>;
        /// Who looks after it.
        S1 owner: Ref<to::User>;
        /// The offer that it replaces.
        S0 supersedes: Ref<to::Offer>;
    }
    on "accepted" = When::Becomes("status", "ACCEPTED");
}
