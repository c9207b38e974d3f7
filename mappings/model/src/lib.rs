//! The canonical HR schema.
//!
//! Every entity is written once, in [`entities`], by the [`entity!`] macro. From that one text come the Rust type
//! (for code that works on one kind of record), the description ([`EntityType`], for code that works on all of
//! them: mappings, the store, the API) and the JSON Schema ([`schema`]).
//!
//! Records are documents: the fields of the [`Envelope`] and of the entity side by side in one JSON object. All
//! fields are optional here, because a mapping is a patch; which ones a complete record must have is in the
//! description.

#[macro_use]
mod macros;

pub mod accept;
pub mod describe;
pub mod entities;
pub mod enums;
pub mod envelope;
pub mod mask;
pub mod scalars;
pub mod schema;

pub use describe::{Class, EntityType, EnumType, Field, ModelType, StructType, Type, Verb, When};
pub use enums::Enum;
pub use envelope::{Envelope, FieldMeta, Source};

/// The version of the canonical model that documents of this hub obey.
pub const SCHEMA_VERSION: &str = "1.0.0";

/// Every entity, by name.
pub static ENTITIES: &[&EntityType] = &[
    &entities::governance::ACTIVITY,
    &entities::recruiting::APPLICATION,
    &entities::performance::APPRAISAL,
    &entities::approvals::APPROVAL,
    &entities::assessment::ASSESSMENT_ORDER,
    &entities::time::ATTENDANCE_DAY,
    &entities::governance::AUDIT_EVENT,
    &entities::checks::BACKGROUND_CHECK,
    &entities::pay::BANK_ACCOUNT,
    &entities::benefits::BENEFIT_ENROLMENT,
    &entities::benefits::BENEFIT_PLAN,
    &entities::calendar::CALENDAR_EVENT,
    &entities::recruiting::CANDIDATE,
    &entities::pay::COMPENSATION,
    &entities::performance::COMPETENCY,
    &entities::governance::CONSENT,
    &entities::organization::COST_CENTER,
    &entities::learning::COURSE,
    &entities::assessment::DECISION,
    &entities::organization::DEPARTMENT,
    &entities::performance::DEVELOPMENT_PLAN,
    &entities::checks::EDUCATION_VERIFICATION,
    &entities::employment::EMPLOYEE,
    &entities::employment::EMPLOYMENT,
    &entities::learning::ENROLMENT,
    &entities::benefits::EXPENSE_CLAIM,
    &entities::performance::FEEDBACK,
    &entities::performance::GOAL,
    &entities::identity::IDENTITY_LINK,
    &entities::assessment::INTERVIEW,
    &entities::organization::JOB,
    &entities::employment::JOB_ASSIGNMENT,
    &entities::organization::JOB_FAMILY,
    &entities::organization::JOB_GRADE,
    &entities::organization::JOB_LEVEL,
    &entities::hiring::JOB_POSTING,
    &entities::learning::LEARNING_RESULT,
    &entities::learning::LEARNING_SESSION,
    &entities::organization::LEGAL_ENTITY,
    &entities::organization::LOCATION,
    &entities::shared::MESSAGE,
    &entities::employment::OFFBOARDING,
    &entities::requisition::OFFER,
    &entities::organization::ORGANIZATION,
    &entities::pay::PAYROLL_RUN,
    &entities::pay::PAYSLIP,
    &entities::pay::PAYROLL_INPUT,
    &entities::pay::PAY_GROUP,
    &entities::person::PERSON,
    &entities::organization::POSITION,
    &entities::hiring::PRE_HIRE,
    &entities::time::PUNCH,
    &entities::hiring::REFERRAL,
    &entities::requisition::REQUISITION,
    &entities::hiring::RESUME,
    &entities::performance::REVIEW,
    &entities::performance::REVIEW_CYCLE,
    &entities::assessment::SCORECARD,
    &entities::checks::SIGNATURE_ENVELOPE,
    &entities::hiring::STAGE,
    &entities::time::TIME_OFF_BALANCE,
    &entities::time::TIME_OFF_REQUEST,
    &entities::time::TIME_OFF_TYPE,
    &entities::learning::TRAINING_PLAN,
    &entities::time::TRIP,
    &entities::governance::USER,
];

/// The entity called `name`, such as `assessment_order`.
#[must_use]
pub fn entity(name: &str) -> Option<&'static EntityType> {
    ENTITIES.iter().find(|entity| entity.name == name).copied()
}

/// The entity whose collection is called `name`, such as `assessment-orders`.
#[must_use]
pub fn collection(name: &str) -> Option<&'static EntityType> {
    ENTITIES.iter().find(|entity| entity.collection == name).copied()
}
