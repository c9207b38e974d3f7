//! Goals, reviews and their results.

use crate::describe::When;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, Localized, Rate, Rating, Ref, Score, to};
use hub_tree::Decimal;

enumeration! {
    /// The kinds of competency.
    pub enum CompetencyKind {
        Skill = "SKILL", Knowledge = "KNOWLEDGE", Competence = "COMPETENCE", Ability = "ABILITY",
        Certification = "CERTIFICATION",
    }
    /// Whose goal it is.
    pub enum GoalLevel { Company = "COMPANY", Department = "DEPARTMENT", Team = "TEAM", Individual = "INDIVIDUAL" }
    /// Where a goal stands.
    pub enum GoalStatus {
        NotStarted = "NOT_STARTED", InProgress = "IN_PROGRESS", AtRisk = "AT_RISK", Completed = "COMPLETED",
        Closed = "CLOSED", Cancelled = "CANCELLED",
    }
    /// The kinds of cycle.
    pub enum CycleKind {
        Annual = "ANNUAL", Half = "HALF", Quarter = "QUARTER", Month = "MONTH", Probation = "PROBATION",
        Project = "PROJECT",
    }
    /// The steps of a cycle.
    pub enum CycleStep {
        SelfStep = "SELF", Peer = "PEER", Upward = "UPWARD", Manager = "MANAGER", SecondManager = "SECOND_MANAGER",
        Calibration = "CALIBRATION", Hr = "HR", Acknowledge = "ACKNOWLEDGE",
    }
    /// Who reviews.
    pub enum ReviewKind {
        SelfReview = "SELF", Manager = "MANAGER", Peer = "PEER", Upward = "UPWARD", DirectReport = "DIRECT_REPORT",
        Mentor = "MENTOR",
    }
    /// Where a review stands.
    pub enum ReviewStatus {
        Draft = "DRAFT", InProgress = "IN_PROGRESS", Submitted = "SUBMITTED", Shared = "SHARED",
        Acknowledged = "ACKNOWLEDGED",
    }
    /// The kinds of feedback.
    pub enum FeedbackKind { Praise = "PRAISE", Feedback = "FEEDBACK", Requested = "REQUESTED" }
}

part! {
    /// A level of a competency.
    pub struct CompetencyLevel {
        /// Its place, from the lowest.
        S0 order: i64;
        /// Name.
        S0 name: String;
        /// What it means.
        S0 description: String;
    }
}

entity! {
    /// Something that people can do.
    pub struct Competency("competency", "competencies", "competency") as COMPETENCY {
        /// Name.
        S0 name: String, required;
        /// Kind.
        S0 kind: Enum<CompetencyKind>, indexed;
        /// The competency above it.
        S0 parent: Ref<to::Competency>;
        /// Its levels.
        S0 levels: Vec<CompetencyLevel>;
        /// Its id in a taxonomy.
        S0 taxonomy_id: String;
    }
}

part! {
    /// How a goal is measured.
    pub struct GoalMetric {
        /// Unit.
        S0 unit: String;
        /// At the beginning.
        S2 start: Decimal;
        /// What is aimed at.
        S2 target: Decimal;
        /// Now.
        S2 current: Decimal;
    }
}

entity! {
    /// A goal.
    pub struct Goal("goal", "goals", "goal") as GOAL {
        /// Whose: an employee, a department, or the enterprise.
        S0 owner: Ref<to::Any>, required, indexed;
        /// On which level.
        S0 level: Enum<GoalLevel>, indexed;
        /// In which cycle.
        S0 cycle: Ref<to::ReviewCycle>, indexed;
        /// The goal above it.
        S0 parent: Ref<to::Goal>;
        /// Title.
        S2 title: String, required;
        /// What it is about.
        S2 description: String;
        /// Its share.
        S2 weight: Rate;
        /// How it is measured.
        S2 metric: GoalMetric;
        /// What must come out.
        S2 key_results: Vec<String>;
        /// How far.
        S2 progress: Rate;
        /// Where it stands.
        S2 status: Enum<GoalStatus>, indexed;
        /// Until when.
        S0 due_on: Date;
    }
}

entity! {
    /// A round of reviews.
    pub struct ReviewCycle("review_cycle", "review-cycles", "review_cycle") as REVIEW_CYCLE {
        /// Name.
        S0 name: String, required;
        /// Kind.
        S0 kind: Enum<CycleKind>, indexed;
        /// First day.
        S0 period_start: Date;
        /// Last day.
        S0 period_end: Date;
        /// The form.
        S0 template: String;
        /// The scale.
        S0 rating_scale: Vec<String>;
        /// How many may get what.
        S0 distribution_rule: serde_json::Value;
        /// Its steps.
        S0 steps: Vec<Enum<CycleStep>>;
        /// Where it stands, in the source's words.
        S0 status: String, indexed;
    }
}

part! {
    /// One thing that is reviewed.
    pub struct ReviewItem {
        /// The goal.
        S0 goal: Ref<to::Goal>;
        /// Or the competency.
        S0 competency: Ref<to::Competency>;
        /// Its share.
        S2 weight: Rate;
        /// Score.
        S2 score: Score;
        /// Rating.
        S2 rating: Rating;
        /// Comment.
        S2 comment: String;
        /// What it rests on.
        S2 evidence: Vec<crate::entities::assessment::Evidence>;
    }
}

entity! {
    /// What one reviewer says of an employee.
    pub struct Review("review", "reviews", "review") as REVIEW {
        /// In which cycle.
        S0 cycle: Ref<to::ReviewCycle>, indexed;
        /// Of whom.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// By whom.
        S1 reviewer: Ref<to::Employee>, indexed;
        /// As what.
        S0 kind: Enum<ReviewKind>, indexed;
        /// One by one.
        S2 items: Vec<ReviewItem>;
        /// Total.
        S2 total: Score;
        /// Rating.
        S2 rating: Rating;
        /// Comment.
        S2 comment: String;
        /// Where it stands.
        S0 status: Enum<ReviewStatus>, required, indexed;
        /// When submitted.
        S0 submitted_at: DateTime;
    }
    on "submitted" = When::Becomes("status", "SUBMITTED");
    on "finalised" = When::Enters("status", &["SHARED", "ACKNOWLEDGED"]);
}

part! {
    /// A change of a grade among all.
    pub struct Calibration {
        /// By whom.
        S1 by: Ref<to::Employee>;
        /// From.
        S2 from: String;
        /// To.
        S2 to: String;
        /// Why.
        S2 reason: String;
        /// When.
        S0 at: DateTime;
    }
}

entity! {
    /// What a cycle came to for an employee.
    pub struct Appraisal("appraisal", "appraisals", "appraisal") as APPRAISAL {
        /// Which cycle.
        S0 cycle: Ref<to::ReviewCycle>, indexed;
        /// Of whom.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// Total before calibration.
        S2 raw_total: Score;
        /// Total after it.
        S2 calibrated_total: Score;
        /// Grade.
        S2 grade: String;
        /// Place among all, as a share.
        S2 rank_pct: Rate;
        /// The changes.
        S2 calibration: Vec<Calibration>;
        /// What the bonus is multiplied by.
        S2 bonus_factor: Rate;
        /// The scheme and its revision, such as `sales-monthly@2`; none when another system appraised.
        S0 scheme: String;
        /// Why.
        S2 reasons: Vec<crate::entities::assessment::Reason>;
        /// What the employee is told about growth.
        S2 growth: Localized;
        /// Every step of the calculation, and the scores of manager, employee and peers beside each other.
        S2 calculation: serde_json::Value;
        /// Whether a promotion is proposed.
        S2 promotion_flag: bool;
        /// Whether a plan to improve is needed.
        S2 pip_flag: bool;
        /// When final.
        S0 finalised_at: DateTime;
        /// The appeal.
        S2 appeal: crate::entities::assessment::Appeal;
        /// The approval.
        S0 approval: Ref<to::Approval>;
    }
    on "finalised" = When::Changed("finalised_at");
}

entity! {
    /// A word from one to another.
    pub struct Feedback("feedback", "feedback", "feedback") as FEEDBACK {
        /// From whom.
        S1 from: Ref<to::Employee>, indexed;
        /// To whom.
        S0 to: Ref<to::Employee>, required, indexed;
        /// Kind.
        S0 kind: Enum<FeedbackKind>;
        /// What is said.
        S2 message: String, required;
        /// Whether others see it.
        S0 visible: bool;
    }
}

entity! {
    /// How somebody is to grow.
    pub struct DevelopmentPlan("development_plan", "development-plans", "development_plan") as DEVELOPMENT_PLAN {
        /// Who.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// Who helps.
        S1 mentor: Ref<to::Employee>;
        /// What is aimed at.
        S2 goals: Vec<Ref<to::Goal>>;
        /// Where to work for a time.
        S2 rotations: Vec<String>;
        /// What to learn.
        S0 training: Ref<to::TrainingPlan>;
        /// Where it stands, in the source's words.
        S0 status: String, indexed;
    }
}
