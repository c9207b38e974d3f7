//! Courses, plans and what people learnt.

use crate::enums::Enum;
use crate::scalars::{Date, DateTime, Duration, File, Lang, Money, Rate, Ref, Score, to};
use hub_tree::Decimal;

enumeration! {
    /// How a course is given.
    pub enum CourseFormat {
        Online = "ONLINE", Classroom = "CLASSROOM", Blended = "BLENDED", OnTheJob = "ON_THE_JOB",
    }
    /// Why somebody should learn something.
    pub enum TrainingReason {
        Onboarding = "ONBOARDING", Gap = "GAP", Compliance = "COMPLIANCE", Promotion = "PROMOTION",
    }
    /// Where an enrolment stands.
    pub enum EnrolmentStatus {
        Assigned = "ASSIGNED", Enrolled = "ENROLLED", InProgress = "IN_PROGRESS", Completed = "COMPLETED",
        Failed = "FAILED", Overdue = "OVERDUE", Cancelled = "CANCELLED", NoShow = "NO_SHOW", Waitlisted = "WAITLISTED",
    }
}

entity! {
    /// A course.
    pub struct Course("course", "courses", "course") as COURSE {
        /// Title.
        S0 title: String, required;
        /// Who gives it.
        S0 provider: String;
        /// Code.
        S0 code: String, indexed;
        /// What it is about.
        S0 description: String;
        /// Category.
        S0 category: String;
        /// What it teaches.
        S0 skills: Vec<String>;
        /// Language.
        S0 language: Lang;
        /// How long it takes.
        S0 duration: Duration;
        /// How it is given.
        S0 format: Enum<CourseFormat>;
        /// The score to pass.
        S0 pass_score: Score;
        /// For how long it holds.
        S0 validity: Duration;
        /// What it costs.
        S0 cost: Money;
        /// Whether everybody must take it.
        S0 mandatory: bool;
        /// What it is made of.
        S0 content: Vec<String>;
        /// Where it stands, in the source's words.
        S0 status: String, indexed;
    }
}

entity! {
    /// A class of a course.
    pub struct LearningSession("learning_session", "learning-sessions", "learning_session") as LEARNING_SESSION {
        /// Of which course.
        S0 course: Ref<to::Course>, required, indexed;
        /// When it begins.
        S0 starts_at: DateTime;
        /// When it ends.
        S0 ends_at: DateTime;
        /// Place.
        S0 location: String;
        /// Who teaches.
        S1 instructors: Vec<String>;
        /// How many can come.
        S0 capacity: i64;
    }
}

part! {
    /// Whom a plan is for.
    pub struct Audience {
        /// Employees.
        S1 employees: Vec<Ref<to::Employee>>;
        /// Departments.
        S0 departments: Vec<Ref<to::Department>>;
        /// Jobs.
        S0 jobs: Vec<Ref<to::Job>>;
    }
}

part! {
    /// A course in a plan.
    pub struct PlanItem {
        /// The course.
        S0 course: Ref<to::Course>;
        /// Until when.
        S0 due_on: Date;
        /// Whether it must be taken.
        S0 mandatory: bool;
        /// Why.
        S0 reason: Enum<TrainingReason>;
        /// The competency that it builds.
        S0 competency: Ref<to::Competency>;
    }
}

entity! {
    /// What a group of people should learn.
    pub struct TrainingPlan("training_plan", "training-plans", "training_plan") as TRAINING_PLAN {
        /// Who answers for it.
        S1 owner: Ref<to::Employee>;
        /// Whom it is for.
        S1 audience: Audience;
        /// For which time, such as `2026-Q4`.
        S0 period: String;
        /// The courses.
        S0 items: Vec<PlanItem>;
        /// Budget.
        S2 budget: Money;
        /// The approval.
        S0 approval: Ref<to::Approval>;
        /// Where it stands, in the source's words.
        S0 status: String, indexed;
    }
}

entity! {
    /// An employee takes a course.
    pub struct Enrolment("enrolment", "enrolments", "enrolment") as ENROLMENT {
        /// Who.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// Which course.
        S0 course: Ref<to::Course>, required, indexed;
        /// In which class.
        S0 session: Ref<to::LearningSession>;
        /// By which plan.
        S0 plan: Ref<to::TrainingPlan>;
        /// Who assigned it.
        S1 assigned_by: Ref<to::Employee>;
        /// Since when.
        S0 enrolled_at: DateTime;
        /// Until when.
        S0 due_on: Date;
        /// Where it stands.
        S1 status: Enum<EnrolmentStatus>, required, indexed;
        /// How far.
        S1 progress: Rate;
    }
}

part! {
    /// What a course changed.
    pub struct CompetencyDelta {
        /// Which competency.
        S0 competency: Ref<to::Competency>;
        /// Before.
        S2 before: Decimal;
        /// After.
        S2 after: Decimal;
    }
}

entity! {
    /// What came of an enrolment.
    pub struct LearningResult("learning_result", "learning-results", "learning_result") as LEARNING_RESULT {
        /// Of which enrolment.
        S0 enrolment: Ref<to::Enrolment>, required, indexed;
        /// When completed.
        S0 completed_at: DateTime;
        /// Whether passed.
        S2 passed: bool;
        /// Score.
        S2 score: Score;
        /// How many tries.
        S2 attempts: i64;
        /// How long it took.
        S2 duration: Duration;
        /// The certificate.
        S2 certificate: File;
        /// Until when it holds.
        S1 valid_until: Date;
        /// What it changed.
        S2 competency_deltas: Vec<CompetencyDelta>;
    }
}
