//! Benefits, and expenses to be paid back.

use crate::entities::pay::TaxTreatment;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, File, Money, Ref, to};

enumeration! {
    /// The kinds of benefit.
    pub enum BenefitKind {
        Medical = "MEDICAL", Dental = "DENTAL", Vision = "VISION", Life = "LIFE", Disability = "DISABILITY",
        Retirement = "RETIREMENT", Hsa = "HSA", Fsa = "FSA", Commuter = "COMMUTER", Meal = "MEAL", Housing = "HOUSING",
        CommercialInsurance = "COMMERCIAL_INSURANCE", Wellness = "WELLNESS",
    }
    /// Whom a benefit covers.
    pub enum Coverage {
        EmployeeOnly = "EMPLOYEE_ONLY", EmployeeSpouse = "EMPLOYEE_SPOUSE", EmployeeChildren = "EMPLOYEE_CHILDREN",
        Family = "FAMILY",
    }
}

entity! {
    /// A benefit that the enterprise offers.
    pub struct BenefitPlan("benefit_plan", "benefit-plans", "benefit_plan") as BENEFIT_PLAN {
        /// Name.
        S0 name: String, required;
        /// Kind.
        S0 kind: Enum<BenefitKind>, indexed;
        /// Who provides it.
        S0 provider: String;
        /// What the employer pays.
        S0 employer_contribution: Money;
        /// What the employee pays.
        S0 employee_contribution: Money;
        /// How taxed.
        S0 tax_treatment: Enum<TaxTreatment>;
    }
}

entity! {
    /// An employee has a benefit.
    pub struct BenefitEnrolment("benefit_enrolment", "benefit-enrolments", "benefit_enrolment") as BENEFIT_ENROLMENT {
        /// Who.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// Which.
        S2 plan: Ref<to::BenefitPlan>, required;
        /// Whom it covers.
        S2 coverage: Enum<Coverage>;
        /// Dependents covered, by name.
        S2 dependents: Vec<String>;
        /// First day.
        S2 from: Date;
        /// Last day.
        S2 to: Date;
        /// Where it stands, in the source's words.
        S2 status: String;
    }
}

part! {
    /// One expense.
    pub struct ExpenseLine {
        /// On which day.
        S2 on: Date;
        /// What for, in the enterprise's words.
        S2 kind: String;
        /// How much.
        S2 amount: Money, required;
        /// Tax in it.
        S2 tax: Money;
        /// The invoice.
        S2 invoice: File;
        /// Its number.
        S2 invoice_no: String;
    }
}

entity! {
    /// Expenses to be paid back.
    pub struct ExpenseClaim("expense_claim", "expense-claims", "expense_claim") as EXPENSE_CLAIM {
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// For which trip.
        S0 trip: Ref<to::Trip>, indexed;
        /// One by one.
        S2 lines: Vec<ExpenseLine>;
        /// Together.
        S2 total: Money;
        /// The approval.
        S0 approval: Ref<to::Approval>;
        /// When paid.
        S2 paid_at: DateTime;
        /// Number of the voucher in the books.
        S2 voucher_no: String;
    }
}
