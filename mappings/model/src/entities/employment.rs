//! Employees: the person in the enterprise, the periods of employment, and what is done in them from which day to which.

use crate::describe::When;
use crate::entities::assessment::Evidence;
use crate::entities::organization::WorkHoursType;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, File, Rate, Ref, Score, to};
use hub_tree::Decimal;

enumeration! {
    /// Where an employee stands.
    pub enum EmployeeStatus {
        Prehire = "PREHIRE", Active = "ACTIVE", Probation = "PROBATION", OnLeave = "ON_LEAVE", Suspended = "SUSPENDED",
        Notice = "NOTICE", Terminated = "TERMINATED", Retired = "RETIRED", Deceased = "DECEASED",
    }
    /// Systems that employees have accounts in.
    pub enum AccountSystem {
        Dingtalk = "DINGTALK", Feishu = "FEISHU", Wecom = "WECOM", Ad = "AD", Email = "EMAIL", Erp = "ERP",
    }
    /// What a part of the ability baseline rests on.
    pub enum AbilitySource {
        Interview = "INTERVIEW", Assessment = "ASSESSMENT", Review = "REVIEW", Training = "TRAINING", SelfRated = "SELF",
    }
    /// The kinds of employment.
    pub enum EmploymentType {
        FullTime = "FULL_TIME", PartTime = "PART_TIME", Intern = "INTERN", Apprentice = "APPRENTICE",
        Temporary = "TEMPORARY", Seasonal = "SEASONAL", Contractor = "CONTRACTOR", Freelance = "FREELANCE",
        Dispatched = "DISPATCHED", Outsourced = "OUTSOURCED", Consultant = "CONSULTANT", Volunteer = "VOLUNTEER",
    }
    /// Why an employment ended.
    pub enum EndReason {
        Resigned = "RESIGNED", Dismissed = "DISMISSED", Redundancy = "REDUNDANCY", Mutual = "MUTUAL",
        ContractEnd = "CONTRACT_END", Retired = "RETIRED", Deceased = "DECEASED", Transferred = "TRANSFERRED",
    }
    /// Who wants somebody to leave.
    pub enum Initiator { Employee = "EMPLOYEE", Employer = "EMPLOYER" }
    /// Where somebody's leaving stands.
    pub enum OffboardingStatus {
        Draft = "DRAFT", PendingApproval = "PENDING_APPROVAL", Approved = "APPROVED", InProgress = "IN_PROGRESS",
        Completed = "COMPLETED", Withdrawn = "WITHDRAWN", Rejected = "REJECTED",
    }
    /// How long a contract runs.
    pub enum TermKind { Fixed = "FIXED", OpenEnded = "OPEN_ENDED", Project = "PROJECT" }
    /// What signing a contract does.
    pub enum SigningKind { New = "NEW", Renewal = "RENEWAL", Amendment = "AMENDMENT" }
    /// How a probation ended.
    pub enum ProbationOutcome { Passed = "PASSED", Extended = "EXTENDED", Failed = "FAILED" }
    /// Why a job assignment began.
    pub enum ChangeKind {
        Hire = "HIRE", Transfer = "TRANSFER", Promotion = "PROMOTION", Demotion = "DEMOTION",
        Conversion = "CONVERSION", Secondment = "SECONDMENT", Return = "RETURN", DataFix = "DATA_FIX",
    }
}

part! {
    /// What an employee does today; computed when read, never stored.
    pub struct CurrentJob {
        /// Department.
        S0 department: Ref<to::Department>;
        /// Job.
        S0 job: Ref<to::Job>;
        /// Level.
        S0 level: Ref<to::JobLevel>;
        /// Seat.
        S0 position: Ref<to::Position>;
        /// Manager.
        S1 manager: Ref<to::Employee>;
        /// Place.
        S0 location: Ref<to::Location>;
        /// Company.
        S0 legal_entity: Ref<to::LegalEntity>;
    }
}

part! {
    /// An employee's account in another system.
    pub struct Account {
        /// Which system.
        S0 system: Enum<AccountSystem>, required;
        /// The id there, for the enterprise or its app.
        S0 external_id: String;
        /// The id that is one over the apps of a maker.
        S0 union_id: String;
        /// The id that only one app knows.
        S0 open_id: String;
        /// What the system says of it.
        S0 status: String;
    }
}

part! {
    /// One ability of an employee.
    pub struct AbilityDimension {
        /// Which.
        S0 competency: Ref<to::Competency>;
        /// Its name.
        S0 name: String;
        /// The score.
        S2 score: Score;
        /// The score from 0 to 1.
        S2 normalised: Rate;
        /// What it comes from.
        S0 source: Enum<AbilitySource>;
        /// The record that it comes from.
        S0 source_ref: Ref<to::Any>;
        /// What it rests on.
        S2 evidence: Vec<Evidence>;
    }
}

part! {
    /// What an employee lacks for the job.
    pub struct AbilityGap {
        /// Of which competency.
        S0 competency: Ref<to::Competency>;
        /// Its name.
        S0 name: String;
        /// How much is asked for.
        S0 required: Decimal;
        /// How much there is.
        S2 actual: Decimal;
        /// How much is lacking: what is asked for less what there is.
        S2 delta: Decimal;
    }
}

part! {
    /// What an employee can do, as known on a day.
    pub struct AbilityBaseline {
        /// As of when.
        S0 as_of: Date;
        /// The rubric.
        S0 rubric: crate::entities::assessment::Rubric;
        /// The abilities.
        S2 dimensions: Vec<AbilityDimension>;
        /// All in all.
        S2 overall: Score;
        /// What is lacking.
        S2 gaps: Vec<AbilityGap>;
    }
}

entity! {
    /// A person as the enterprise employs them, over all their employments.
    pub struct Employee("employee", "employees", "employee") as EMPLOYEE {
        /// The human.
        S0 person: Ref<to::Person>, indexed;
        /// The number, unique in the enterprise.
        S1 employee_number: String, indexed;
        /// Business e-mail address.
        S1 work_email: String, indexed;
        /// Business telephone number.
        S1 work_phone: String;
        /// The name to sign in with.
        S1 username: String, indexed;
        /// The name others see.
        S1 display_name: String;
        /// Where the employee stands.
        S0 status: Enum<EmployeeStatus>, required, indexed;
        /// First day of the first employment.
        S1 original_hire_on: Date;
        /// First day of the last employment.
        S1 latest_hire_on: Date;
        /// From when seniority counts.
        S1 seniority_from: Date;
        /// Last day.
        S1 terminated_on: Date;
        /// The employment that counts.
        S0 primary_employment: Ref<to::Employment>;
        /// All employments.
        S0 employments: Vec<Ref<to::Employment>>;
        /// What the employee does today; computed when read, never stored.
        S0 current: CurrentJob;
        /// Accounts in other systems.
        S0 accounts: Vec<Account>;
        /// The recruiting history.
        S0 candidate: Ref<to::Candidate>, indexed;
        /// What the employee can do.
        S2 ability_baseline: AbilityBaseline;
        /// Photo.
        S3 photo: File;
    }
    on "onboarded" = When::Enters("status", &["ACTIVE", "PROBATION", "ON_LEAVE", "SUSPENDED", "NOTICE"]);
    on "terminated" = When::Enters("status", &["TERMINATED", "RETIRED", "DECEASED"]);
}

part! {
    /// A contract of employment.
    pub struct Contract {
        /// Number.
        S1 number: String;
        /// What the enterprise calls its kind.
        S1 kind: String as "type";
        /// How long it runs.
        S1 term_kind: Enum<TermKind>;
        /// First day.
        S1 start_on: Date;
        /// Last day.
        S1 end_on: Date;
        /// When signed.
        S1 signed_at: DateTime;
        /// What signing it did.
        S1 signing_kind: Enum<SigningKind>;
        /// The envelope that was signed.
        S0 envelope: Ref<to::SignatureEnvelope>;
    }
}

part! {
    /// A probation.
    pub struct Probation {
        /// First day.
        S1 start_on: Date;
        /// Last day as planned.
        S1 expected_end_on: Date;
        /// Last day.
        S1 end_on: Date;
        /// How it ended.
        S2 outcome: Enum<ProbationOutcome>;
        /// Score.
        S2 score: Score;
        /// The review behind it.
        S0 review: Ref<to::Review>;
    }
}

entity! {
    /// One period of employment with one company.
    pub struct Employment("employment", "employments", "employment") as EMPLOYMENT {
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// With which company.
        S0 legal_entity: Ref<to::LegalEntity>;
        /// Kind.
        S1 kind: Enum<EmploymentType> as "type", indexed;
        /// First day.
        S1 start_on: Date;
        /// Last day.
        S1 end_on: Date, indexed;
        /// Why it ended.
        S2 end_reason: Enum<EndReason>;
        /// Whether it is the one that counts.
        S0 is_primary: bool;
        /// Whether the person had been employed before.
        S1 is_rehire: bool;
        /// The employment before.
        S0 previous_employment: Ref<to::Employment>;
        /// Its contracts.
        S1 contract: Vec<Contract>;
        /// Its probation.
        S1 probation: Probation;
    }
    on "changed" = When::Changed("type");
    on "changed" = When::Changed("legal_entity");
    on "changed" = When::Changed("start_on");
    on "changed" = When::Changed("end_on");
    on "changed" = When::Changed("contract");
    on "changed" = When::Changed("probation");
}

part! {
    /// A share of an assignment's cost.
    pub struct CostShare {
        /// Who bears it.
        S0 cost_center: Ref<to::CostCenter>, required;
        /// How much; the shares of an assignment sum to 1.
        S0 rate: Rate;
    }
}

entity! {
    /// What is done in an employment from one day to another. Kept with the time the hub learned it, so that what was
    /// believed on any day can be told.
    pub struct JobAssignment("job_assignment", "job-assignments", "job_assignment") as JOB_ASSIGNMENT {
        /// In which employment.
        S0 employment: Ref<to::Employment>, required, indexed;
        /// First day.
        S0 valid_from: Date;
        /// Last day.
        S0 valid_to: Date, indexed;
        /// Whether it is the one that counts.
        S0 is_primary: bool;
        /// Department.
        S0 department: Ref<to::Department>, indexed;
        /// Job.
        S0 job: Ref<to::Job>, indexed;
        /// Family.
        S0 family: Ref<to::JobFamily>;
        /// Level.
        S1 level: Ref<to::JobLevel>;
        /// Grade.
        S2 grade: Ref<to::JobGrade>;
        /// Seat.
        S0 position: Ref<to::Position>;
        /// Place.
        S0 location: Ref<to::Location>;
        /// Who bears the cost.
        S1 cost_centers: Vec<CostShare>;
        /// Manager.
        S1 manager: Ref<to::Employee>, indexed;
        /// Managers beside the line.
        S1 dotted_managers: Vec<Ref<to::Employee>>;
        /// How working time is counted.
        S1 work_hours_type: Enum<WorkHoursType>;
        /// Hours a week.
        S1 weekly_hours: Decimal;
        /// How much of a full-time seat.
        S1 fte: Decimal;
        /// Why it began.
        S1 change_kind: Enum<ChangeKind>;
        /// More about that.
        S2 change_reason: String;
        /// The approval behind it.
        S0 approval: Ref<to::Approval>;
        /// When the hub learned it.
        S0 recorded_at: DateTime;
    }
}

part! {
    /// Something to do before somebody leaves.
    pub struct ChecklistItem {
        /// Code.
        S0 code: String;
        /// What.
        S1 title: String;
        /// Whether done.
        S0 done: bool;
    }
}

entity! {
    /// Somebody leaves.
    pub struct Offboarding("offboarding", "offboardings", "offboarding") as OFFBOARDING {
        /// Which employment ends.
        S0 employment: Ref<to::Employment>, required, indexed;
        /// Who wants it.
        S1 initiated_by: Enum<Initiator>;
        /// Why.
        S2 reason: String;
        /// Last day at work.
        S1 last_working_on: Date;
        /// Where it stands.
        S1 status: Enum<OffboardingStatus>, required, indexed;
        /// What is to be done.
        S1 checklist: Vec<ChecklistItem>;
        /// The last payslip.
        S0 settlement: Ref<to::Payslip>;
        /// When accounts were closed.
        S0 accounts_disabled_at: DateTime;
    }
}
