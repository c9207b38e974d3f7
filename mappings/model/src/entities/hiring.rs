//! What lies between the decision to hire and the first day, and what recruiting keeps around it.

use crate::describe::When;
use crate::entities::assessment::EducationLevel;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, File, Lang, Money, PartialDate, PersonName, Phone, Rate, Ref, Score, to};

enumeration! {
    /// Who sees a posting.
    pub enum PostingVisibility {
        Public = "PUBLIC", Internal = "INTERNAL", Unlisted = "UNLISTED", Confidential = "CONFIDENTIAL",
    }
    /// Where the work is done.
    pub enum RemotePolicy { OnSite = "ON_SITE", Hybrid = "HYBRID", Remote = "REMOTE", Temporary = "TEMPORARY" }
    /// Where a posting stands.
    pub enum PostingStatus { Draft = "DRAFT", Pending = "PENDING", Published = "PUBLISHED", Closed = "CLOSED" }
    /// The kinds of question.
    pub enum QuestionType {
        Date = "DATE", File = "FILE", SingleSelect = "SINGLE_SELECT", MultiSelect = "MULTI_SELECT",
        SingleLineText = "SINGLE_LINE_TEXT", MultiLineText = "MULTI_LINE_TEXT", Numeric = "NUMERIC", Boolean = "BOOLEAN",
    }
    /// How somebody studied.
    pub enum StudyMode {
        FullTime = "FULL_TIME", PartTime = "PART_TIME", Online = "ONLINE", SelfStudy = "SELF_STUDY",
    }
    /// How somebody worked.
    pub enum WorkType {
        FullTime = "FULL_TIME", Internship = "INTERNSHIP", PartTime = "PART_TIME", Freelance = "FREELANCE",
    }
    /// How well somebody speaks a language.
    pub enum Proficiency {
        Basic = "BASIC", Conversational = "CONVERSATIONAL", Professional = "PROFESSIONAL", Native = "NATIVE",
    }
    /// Where somebody's first day stands.
    pub enum PreHireStatus {
        Preboarding = "PREBOARDING", DayOneReady = "DAY_ONE_READY", Onboarded = "ONBOARDED", Withdrawn = "WITHDRAWN",
        Cancelled = "CANCELLED",
    }
    /// Where a referral stands.
    pub enum ReferralStatus {
        Submitted = "SUBMITTED", Accepted = "ACCEPTED", Duplicate = "DUPLICATE", Hired = "HIRED", Rejected = "REJECTED",
        Expired = "EXPIRED",
    }
    /// What a reward is for.
    pub enum RewardTrigger {
        Applied = "APPLIED", Interviewed = "INTERVIEWED", Hired = "HIRED", ProbationPassed = "PROBATION_PASSED",
    }
    /// Where a reward stands.
    pub enum RewardStatus { Pending = "PENDING", Approved = "APPROVED", Paid = "PAID", Reversed = "REVERSED" }
}

part! {
    /// A question to applicants.
    pub struct ScreeningQuestion {
        /// Its id.
        S0 id: String;
        /// What it is about.
        S0 category: String;
        /// Kind.
        S0 kind: Enum<QuestionType> as "type";
        /// The question.
        S0 title: String;
        /// Whether it must be answered.
        S0 required: bool;
        /// What can be answered.
        S0 options: Vec<String>;
    }
}

entity! {
    /// A requisition as applicants see it.
    pub struct JobPosting("job_posting", "job-postings", "job_posting") as JOB_POSTING {
        /// For which requisition.
        S0 requisition: Ref<to::Requisition>, indexed;
        /// Title.
        S0 title: String, required;
        /// Text, as clean HTML.
        S0 content: String;
        /// Language.
        S0 language: Lang;
        /// Where it is published.
        S0 channel: String;
        /// Its pages.
        S0 urls: Vec<String>;
        /// Who sees it.
        S0 visibility: Enum<PostingVisibility>;
        /// Where the work is done.
        S0 remote_policy: Enum<RemotePolicy>;
        /// Where it stands.
        S0 status: Enum<PostingStatus>, required, indexed;
        /// Since when it can be seen.
        S0 published_at: DateTime;
        /// Until when.
        S0 expires_at: DateTime;
        /// What applicants are asked.
        S0 screening_questions: Vec<ScreeningQuestion>;
    }
}

part! {
    /// What read a résumé.
    pub struct Parser {
        /// Whose.
        S0 vendor: String;
        /// Version.
        S0 version: String;
    }
}

part! {
    /// A time of study.
    pub struct Education {
        /// School.
        S2 school: String;
        /// The school's code.
        S2 school_code: String;
        /// Degree.
        S2 degree: String;
        /// Level.
        S2 level: Enum<EducationLevel>;
        /// How.
        S2 mode: Enum<StudyMode>;
        /// Subject.
        S2 major: String;
        /// From.
        S2 start: PartialDate;
        /// To.
        S2 end: PartialDate;
        /// Whether it goes on.
        S2 is_current: bool;
        /// Marks.
        S2 gpa: Score;
        /// Place among the others.
        S2 ranking: String;
        /// Number of the certificate.
        S2 certificate_no: String;
        /// Who verified it.
        S0 verified: Ref<to::EducationVerification>;
    }
}

part! {
    /// Somebody who can be asked about a time of work.
    pub struct WorkReference {
        /// Name.
        S2 name: PersonName;
        /// Number.
        S2 phone: Phone;
    }
}

part! {
    /// A time of work.
    pub struct WorkExperience {
        /// Employer.
        S2 company: String;
        /// Title.
        S2 title: String;
        /// Department.
        S2 department: String;
        /// Industry.
        S2 industry: String;
        /// How.
        S2 kind: Enum<WorkType> as "type";
        /// From.
        S2 start: PartialDate;
        /// To.
        S2 end: PartialDate;
        /// Whether it goes on.
        S2 is_current: bool;
        /// What was done.
        S2 description: String;
        /// Why it ended.
        S2 leave_reason: String;
        /// Who can be asked.
        S2 reference: WorkReference;
    }
}

part! {
    /// A project.
    pub struct Project {
        /// Name.
        S2 name: String;
        /// Role.
        S2 role: String;
        /// From.
        S2 start: PartialDate;
        /// To.
        S2 end: PartialDate;
        /// What was done.
        S2 description: String;
        /// Where it can be seen.
        S2 link: String;
    }
}

part! {
    /// A skill.
    pub struct Skill {
        /// Name.
        S2 name: String;
        /// Its id in a taxonomy.
        S0 taxonomy_id: String;
        /// How well.
        S2 level: Score;
    }
}

part! {
    /// A language that somebody speaks.
    pub struct LanguageSkill {
        /// Which.
        S2 lang: Lang;
        /// How well.
        S2 proficiency: Enum<Proficiency>;
        /// By which test.
        S2 test: String;
        /// With which result.
        S2 score: String;
    }
}

part! {
    /// A certificate.
    pub struct Certificate {
        /// Name.
        S2 name: String;
        /// Who issued it.
        S2 issuer: String;
        /// Number.
        S2 number: String;
        /// When issued.
        S2 issued_on: PartialDate;
        /// Until when it holds.
        S2 expires_on: PartialDate;
    }
}

entity! {
    /// A résumé.
    pub struct Resume("resume", "resumes", "resume") as RESUME {
        /// Whose.
        S0 candidate: Ref<to::Candidate>, required, indexed;
        /// The file.
        S2 file: File;
        /// Language.
        S0 language: Lang;
        /// What read it.
        S0 parsed_by: Parser;
        /// When.
        S0 parsed_at: DateTime;
        /// Summary.
        S2 summary: String;
        /// How sure the reading is.
        S0 confidence: Rate;
        /// Studies.
        S2 educations: Vec<Education>;
        /// Work.
        S2 works: Vec<WorkExperience>;
        /// Projects.
        S2 projects: Vec<Project>;
        /// Skills.
        S2 skills: Vec<Skill>;
        /// Languages.
        S2 languages: Vec<LanguageSkill>;
        /// Certificates.
        S2 certificates: Vec<Certificate>;
        /// Awards.
        S2 awards: Vec<String>;
        /// Works to look at.
        S2 works_links: Vec<String>;
    }
}

entity! {
    /// A stage of a pipeline, as the vendor calls it.
    pub struct Stage("stage", "stages", "stage") as STAGE {
        /// The pipeline.
        S0 pipeline: String;
        /// Name.
        S0 name: String, required;
        /// Its place in the pipeline.
        S0 order: i64;
        /// What kind of stage it is.
        S0 kind: Enum<crate::entities::recruiting::StageKind>, indexed;
    }
}

part! {
    /// Something to do before or on the first day.
    pub struct OnboardingTask {
        /// Code.
        S0 code: String;
        /// Who does it.
        S1 owner: Ref<to::Employee>;
        /// Until when.
        S0 due_on: Date;
        /// Where it stands, in the source's words.
        S0 status: String;
    }
}

entity! {
    /// Somebody who will join.
    pub struct PreHire("pre_hire", "pre-hires", "pre_hire") as PRE_HIRE {
        /// The human.
        S0 person: Ref<to::Person>, indexed;
        /// The application that was won.
        S0 application: Ref<to::Application>, indexed;
        /// The offer that was accepted.
        S0 offer: Ref<to::Offer>;
        /// First day as planned.
        S2 expected_start_on: Date;
        /// Where it stands.
        S0 status: Enum<PreHireStatus>, required, indexed;
        /// What is to be done.
        S0 tasks: Vec<OnboardingTask>;
        /// The employment as it will be.
        S2 employment_draft: serde_json::Value;
        /// The contract as it will be.
        S2 contract_draft: serde_json::Value;
    }
}

part! {
    /// What a referral earns.
    pub struct Reward {
        /// What for.
        S0 trigger: Enum<RewardTrigger>;
        /// How much money.
        S2 amount: Money;
        /// Or how many points.
        S2 points: i64;
        /// Where it stands.
        S0 status: Enum<RewardStatus>;
        /// When paid.
        S2 paid_at: DateTime;
        /// The line of the payslip.
        S0 payroll_line: Ref<to::Payslip>;
    }
}

entity! {
    /// An employee has named a candidate.
    pub struct Referral("referral", "referrals", "referral") as REFERRAL {
        /// Who.
        S1 referrer: Ref<to::Employee>, indexed;
        /// Whom.
        S0 candidate: Ref<to::Candidate>, indexed;
        /// The application that came of it.
        S0 application: Ref<to::Application>;
        /// For what.
        S0 requisition: Ref<to::Requisition>;
        /// When.
        S0 at: DateTime;
        /// How they know each other.
        S2 relationship: String;
        /// Where it stands.
        S0 status: Enum<ReferralStatus>, required, indexed;
        /// What it earns.
        S2 rewards: Vec<Reward>;
    }
    on "hired" = When::Becomes("status", "HIRED");
}
