//! Candidates and their applications.

use crate::describe::When;
use crate::entities::assessment::EducationLevel;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, Email, Money, PersonName, Phone, Ref, Score, to};
use hub_tree::Decimal;

enumeration! {
    /// How a candidate came.
    pub enum Origin {
        Applied = "APPLIED", Sourced = "SOURCED", Referred = "REFERRED", Agency = "AGENCY", Internal = "INTERNAL",
        University = "UNIVERSITY", Imported = "IMPORTED",
    }
    /// What kind of stage an application is in, whatever the vendor calls it.
    pub enum StageKind {
        Lead = "LEAD", Applied = "APPLIED", Screening = "SCREENING", Assessment = "ASSESSMENT", Interview = "INTERVIEW",
        Decision = "DECISION", Offer = "OFFER", BackgroundCheck = "BACKGROUND_CHECK", Signing = "SIGNING",
        PreHire = "PRE_HIRE", Onboarded = "ONBOARDED", Rejected = "REJECTED", Withdrawn = "WITHDRAWN",
    }
    /// How an application ended.
    pub enum Outcome {
        Pending = "PENDING", Hired = "HIRED", Rejected = "REJECTED", Withdrawn = "WITHDRAWN",
    }
}

part! {
    /// Why somebody must not be considered.
    pub struct Blacklist {
        /// Whether so.
        S2 flag: bool;
        /// Why.
        S2 reason: String;
        /// Since when.
        S2 at: DateTime;
    }
}

entity! {
    /// A person as recruiting knows them.
    pub struct Candidate("candidate", "candidates", "candidate") as CANDIDATE {
        /// The human behind the candidate.
        S0 person: Ref<to::Person>, indexed;
        /// Name.
        S2 name: PersonName, required;
        /// E-mail addresses.
        S2 emails: Vec<Email>, indexed;
        /// Telephone numbers.
        S2 phones: Vec<Phone>, indexed;
        /// One line about the person.
        S2 headline: String;
        /// Present employer.
        S2 current_company: String;
        /// Present title.
        S2 current_title: String;
        /// Years of experience.
        S2 years_of_experience: Decimal;
        /// Highest education.
        S2 highest_education: Enum<EducationLevel>;
        /// Where the person wants to work.
        S2 preferred_locations: Vec<String>;
        /// What the person wants to earn.
        S2 expected_salary: Money;
        /// From when.
        S2 available_from: Date;
        /// How the candidate came.
        S0 origin: Enum<Origin>, indexed;
        /// More about that.
        S2 source_detail: String;
        /// Who looks after the candidate.
        S0 owner: Ref<to::User>;
        /// Labels.
        S2 tags: Vec<String>;
        /// Talent pools.
        S2 pools: Vec<String>;
        /// Whether the search is confidential.
        S0 is_confidential: bool;
        /// Whether the person must not be contacted.
        S0 do_not_contact: bool;
        /// Blacklisting.
        S2 blacklist: Blacklist;
        /// Until when an agency's claim holds.
        S0 agency_protected_until: Date;
        /// Résumés.
        S0 resumes: Vec<Ref<to::Resume>>;
        /// Applications.
        S0 applications: Vec<Ref<to::Application>>;
        /// When somebody last spoke with the person.
        S2 last_interaction_at: DateTime;
        /// When personal data was removed.
        S0 anonymised_at: DateTime;
        /// Until when data may be kept.
        S0 retention_until: Date;
        /// Consents given.
        S0 consents: Vec<Ref<to::Consent>>;
    }
}

part! {
    /// Where an application came from.
    pub struct ApplicationSource {
        /// Channel.
        S1 channel: String;
        /// More about it.
        S2 detail: String;
        /// The referral, if it was one.
        S0 referral: Ref<to::Referral>;
    }
}

part! {
    /// A move from one stage to another.
    pub struct StageMove {
        /// From.
        S0 from: String;
        /// To.
        S0 to: String;
        /// When.
        S0 at: DateTime;
        /// By whom.
        S1 by: String;
        /// Why.
        S2 reason: String;
    }
}

part! {
    /// A rejection.
    pub struct Rejection {
        /// The reason's name.
        S2 reason: String;
        /// A note.
        S2 note: String;
        /// When.
        S0 at: DateTime;
        /// By whom.
        S1 by: String;
    }
}

part! {
    /// An answer to an application question.
    pub struct Answer {
        /// The question.
        S0 question_id: String;
        /// Its type.
        S0 kind: String as "type";
        /// The answer.
        S2 value: String;
    }
}

entity! {
    /// One candidate's application for one requisition.
    pub struct Application("application", "applications", "application") as APPLICATION {
        /// Who applies.
        S0 candidate: Ref<to::Candidate>, required, indexed;
        /// For what.
        S0 requisition: Ref<to::Requisition>, indexed;
        /// Through which posting.
        S0 posting: Ref<to::Posting>;
        /// With which résumé.
        S0 resume: Ref<to::Resume>;
        /// Since when.
        S0 applied_at: DateTime;
        /// Where it came from.
        S1 source: ApplicationSource;
        /// The vendor's stage.
        S0 stage: Ref<to::Stage>;
        /// What kind of stage that is.
        S0 stage_kind: Enum<StageKind>, indexed;
        /// Since when it is in that stage.
        S0 stage_entered_at: DateTime;
        /// Its moves.
        S0 history: Vec<StageMove>;
        /// How it ended.
        S0 outcome: Enum<Outcome>, indexed;
        /// The rejection, if it was one.
        S2 rejection: Rejection;
        /// Answers to questions.
        S2 answers: Vec<Answer>;
        /// Overall score.
        S2 score: Score;
        /// Who recruits for it.
        S1 recruiter: Ref<to::User>;
        /// Interviews.
        S0 interviews: Vec<Ref<to::Interview>>;
        /// Assessments.
        S0 assessments: Vec<Ref<to::AssessmentOrder>>;
        /// Decisions.
        S0 decisions: Vec<Ref<to::Decision>>;
        /// Offers.
        S0 offers: Vec<Ref<to::Offer>>;
        /// When hired.
        S0 hired_at: DateTime;
    }
    on "stage_changed" = When::Changed("stage");
    on "hired" = When::Becomes("outcome", "HIRED");
}
