//! Pay. Amounts of a payslip are signed: what is added to the net is positive.

use crate::describe::When;
use crate::entities::requisition::CompensationLine;
use crate::enums::Enum;
use crate::scalars::{Currency, Date, DateTime, Money, Ref, to};
use hub_tree::Decimal;

enumeration! {
    /// What a bank account is used for.
    pub enum AccountUsage { Salary = "SALARY", Reimbursement = "REIMBURSEMENT" }
    /// The kinds of bank account.
    pub enum AccountKind { Checking = "CHECKING", Savings = "SAVINGS" }
    /// How often a group is paid.
    pub enum PayFrequency {
        Daily = "DAILY", Weekly = "WEEKLY", Biweekly = "BIWEEKLY", Semimonthly = "SEMIMONTHLY", Monthly = "MONTHLY",
        Quarterly = "QUARTERLY", Semiannually = "SEMIANNUALLY", Annually = "ANNUALLY",
        ThirteenMonthly = "THIRTEEN_MONTHLY", ProRata = "PRO_RATA",
    }
    /// The kinds of run.
    pub enum RunKind {
        Regular = "REGULAR", OffCycle = "OFF_CYCLE", Correction = "CORRECTION", Termination = "TERMINATION",
        SignOnBonus = "SIGN_ON_BONUS", ThirteenthMonth = "THIRTEENTH_MONTH", Reversal = "REVERSAL",
    }
    /// Where a run stands.
    pub enum RunStatus {
        Draft = "DRAFT", Calculating = "CALCULATING", Calculated = "CALCULATED", Reviewed = "REVIEWED",
        Approved = "APPROVED", Locked = "LOCKED", Paying = "PAYING", Paid = "PAID", Failed = "FAILED",
        Closed = "CLOSED", Reversed = "REVERSED",
    }
    /// How pay is paid out.
    pub enum PaymentMethod { Bank = "BANK", Cash = "CASH", Cheque = "CHEQUE" }
    /// Whose side a line is on; the employer's never touches the net.
    pub enum PaySide { Employee = "EMPLOYEE", Employer = "EMPLOYER" }
    /// How a line is taxed.
    pub enum TaxTreatment { Taxable = "TAXABLE", PreTax = "PRE_TAX", PostTax = "POST_TAX", Exempt = "EXEMPT" }
    /// What a run is doing while it calculates.
    pub enum RunPhase { Inputs = "INPUTS", Payslips = "PAYSLIPS" }
    /// The kinds of line.
    pub enum PayLineKind {
        EarningBase = "EARNING_BASE", EarningOvertime = "EARNING_OVERTIME", EarningAllowance = "EARNING_ALLOWANCE",
        EarningBonus = "EARNING_BONUS", EarningCommission = "EARNING_COMMISSION",
        EarningLeavePayout = "EARNING_LEAVE_PAYOUT", EarningSeverance = "EARNING_SEVERANCE",
        EarningAdjustment = "EARNING_ADJUSTMENT", Reimbursement = "REIMBURSEMENT",
        DeductionAbsence = "DEDUCTION_ABSENCE", DeductionBenefit = "DEDUCTION_BENEFIT", DeductionLoan = "DEDUCTION_LOAN",
        DeductionGarnishment = "DEDUCTION_GARNISHMENT", SocialPension = "SOCIAL_PENSION",
        SocialMedical = "SOCIAL_MEDICAL", SocialUnemployment = "SOCIAL_UNEMPLOYMENT",
        SocialWorkInjury = "SOCIAL_WORK_INJURY", SocialMaternity = "SOCIAL_MATERNITY", HousingFund = "HOUSING_FUND",
        TaxIncome = "TAX_INCOME", TaxRegion = "TAX_REGION", TaxLocal = "TAX_LOCAL", TaxOther = "TAX_OTHER",
        ContributionRetirement = "CONTRIBUTION_RETIREMENT",
    }
}

entity! {
    /// What an employment pays, from one day to another.
    pub struct Compensation("compensation", "compensations", "compensation") as COMPENSATION {
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// In which employment.
        S0 employment: Ref<to::Employment>, indexed;
        /// First day.
        S2 valid_from: Date;
        /// Last day.
        S2 valid_to: Date;
        /// When the hub learned it.
        S0 recorded_at: DateTime;
        /// Its parts.
        S2 lines: Vec<CompensationLine>;
        /// All of it for a year; computed.
        S2 annualised: Money;
        /// The group that it is paid in.
        S0 pay_group: Ref<to::PayGroup>, indexed;
        /// Why it changed.
        S2 change_reason: String;
        /// The approval.
        S0 approval: Ref<to::Approval>;
    }
}

entity! {
    /// A bank account.
    pub struct BankAccount("bank_account", "bank-accounts", "bank_account") as BANK_ACCOUNT {
        /// Whose.
        S0 employee: Ref<to::Employee>, indexed;
        /// Holder.
        S3 holder: String;
        /// Number.
        S3 account_no: String;
        /// IBAN.
        S3 iban: String;
        /// BIC.
        S3 bic: String;
        /// CNAPS code.
        S3 cnaps: String;
        /// Bank.
        S3 bank_name: String;
        /// Branch.
        S3 branch: String;
        /// Country.
        S3 country: crate::scalars::Country;
        /// Currency.
        S3 currency: Currency;
        /// What it is used for.
        S3 usage: Enum<AccountUsage>;
        /// Kind.
        S3 kind: Enum<AccountKind>;
        /// Whether it is the one to use.
        S3 is_primary: bool;
    }
}

entity! {
    /// People who are paid together.
    pub struct PayGroup("pay_group", "pay-groups", "pay_group") as PAY_GROUP {
        /// Name.
        S0 name: String, required;
        /// Company.
        S0 legal_entity: Ref<to::LegalEntity>, indexed;
        /// How often.
        S0 frequency: Enum<PayFrequency>;
        /// Day of the month up to which changes count.
        S0 cutoff_day: i64;
        /// Day of the month on which is paid.
        S0 pay_day: i64;
        /// Currency.
        S0 currency: Currency;
        /// Calendar of working days.
        S0 calendar: String;
    }
}

part! {
    /// The rules that a run used.
    pub struct RuleSet {
        /// Their id.
        S0 id: String;
        /// Their version.
        S0 version: String;
    }
}

part! {
    /// What a run was given.
    pub struct InputSnapshot {
        /// SHA-256, hex.
        S0 sha256: String;
        /// When taken.
        S0 at: DateTime;
    }
}

part! {
    /// Sums of a run.
    pub struct RunTotals {
        /// Gross.
        S2 gross: Money;
        /// Net.
        S2 net: Money;
        /// Tax of employees.
        S2 employee_tax: Money;
        /// Social insurance of employees.
        S2 employee_social: Money;
        /// Social insurance of the employer.
        S2 employer_social: Money;
        /// All that the employer pays.
        S2 employer_cost: Money;
    }
}

part! {
    /// How far a run is that calculates.
    pub struct RunProgress {
        /// Which time it calculates.
        S0 attempt: i64;
        /// What it is doing.
        S0 phase: Enum<RunPhase>;
        /// The last record that was looked at.
        S0 after: String;
        /// How many people are done in this phase.
        S0 done: i64;
        /// How many people have something wrong.
        S0 wrong: i64;
        /// SHA-256 over the inputs that were used so far, hex.
        S0 sha256: String;
    }
}

part! {
    /// A step of a run, and who took it.
    pub struct RunStep {
        /// To where it led.
        S0 status: Enum<RunStatus>;
        /// Who: the caller, as the audit log names them.
        S0 by: String;
        /// What people call them.
        S1 name: String;
        /// When.
        S0 at: DateTime;
        /// Why.
        S2 note: String;
    }
}

part! {
    /// Why pay cannot be calculated.
    pub struct PayProblem {
        /// Whose pay.
        S0 employee: Ref<to::Employee>;
        /// Their number.
        S1 employee_number: String;
        /// The item, or the input.
        S0 item: String;
        /// What is wrong and what to do.
        S2 detail: String;
        /// File and line of the formula.
        S0 place: String;
    }
}

part! {
    /// What a line of an earlier payslip would be by what is known now, beyond what was paid.
    pub struct PayDifference {
        /// The run that paid it.
        S0 run: Ref<to::PayrollRun>;
        /// Its month, such as `2026-01`.
        S0 period: String;
        /// The line.
        S2 code: String;
        /// The line's name.
        S2 name: String;
        /// What was paid, corrections of later runs included.
        S2 before: Decimal;
        /// What it comes to now.
        S2 after: Decimal;
        /// What is still to be paid, or to be given back when below zero.
        S2 delta: Decimal;
        /// Where the values come from that have changed.
        S0 origins: Vec<String>;
    }
}

part! {
    /// A file that was made for a bank, or a journal that was sent to a system.
    pub struct RunFile {
        /// What it is: `bank` or `journal`.
        S0 kind: String;
        /// Its profile, or chart of accounts, and version.
        S0 profile: String;
        /// The connection that it was sent to.
        S0 connection: String;
        /// SHA-256, hex.
        S0 sha256: String;
        /// How many payments.
        S0 payments: i64;
        /// Their sum.
        S2 total: Money;
        /// Who made it.
        S0 by: String;
        /// When.
        S0 at: DateTime;
    }
}

entity! {
    /// A run of payroll. With a `rule_set` the hub calculates it: then its steps are `POST /v1/payroll-runs/{id}:<step>`.
    pub struct PayrollRun("payroll_run", "payroll-runs", "payroll_run") as PAYROLL_RUN {
        /// For which group.
        S0 pay_group: Ref<to::PayGroup>, required, indexed;
        /// Kind.
        S0 kind: Enum<RunKind>;
        /// First day.
        S0 period_start: Date;
        /// Last day.
        S0 period_end: Date;
        /// The day of payment.
        S0 pay_on: Date;
        /// Where it stands.
        S0 status: Enum<RunStatus>, required, indexed;
        /// The rules used.
        S0 rule_set: RuleSet;
        /// What it was given.
        S0 input_snapshot: InputSnapshot;
        /// Sums.
        S2 totals: RunTotals;
        /// How many people.
        S0 headcount: i64;
        /// What differs from the run before.
        S2 variance_vs_previous: serde_json::Value;
        /// The approvals.
        S0 approvals: Vec<Ref<to::Approval>>;
        /// The run that it corrects; of a `REVERSAL` that whose payslips it takes back.
        S0 corrects: Ref<to::PayrollRun>, indexed;
        /// How far it is while it calculates; set by the hub.
        S0 progress: RunProgress;
        /// Why it could not be calculated, the first hundred; set by the hub.
        S2 problems: Vec<PayProblem>;
        /// Its steps; set by the hub.
        S0 steps: Vec<RunStep>;
        /// Files made for banks, journals sent to systems; set by the hub.
        S0 files: Vec<RunFile>;
    }
    on "approved" = When::Becomes("status", "APPROVED");
}

part! {
    /// How a line was computed.
    pub struct PayFormula {
        /// The rule.
        S0 rule_id: String;
        /// Its version.
        S0 version: String;
        /// What it was given.
        S2 inputs: serde_json::Value;
        /// How it came to its amount, in words: `绩效奖金 = 1,500 × 1.5（S）= 2,250`.
        S2 text: String;
    }
}

part! {
    /// A line of a payslip.
    pub struct PayLineItem {
        /// Code.
        S2 code: String;
        /// Name.
        S2 name: String;
        /// Kind.
        S2 kind: Enum<PayLineKind>;
        /// Whose side.
        S2 side: Enum<PaySide>;
        /// How much, signed.
        S2 amount: Money, required;
        /// How many.
        S2 quantity: Decimal;
        /// At which rate.
        S2 rate: Decimal;
        /// Of which amount.
        S2 base: Money;
        /// How taxed.
        S2 tax_treatment: Enum<TaxTreatment>;
        /// How computed.
        S2 formula: PayFormula;
        /// The record that it comes from.
        S0 source: Ref<to::Any>;
        /// The period that it belongs to, when it is not the run's.
        S2 period_of_origin: String;
    }
}

part! {
    /// How a payslip was paid.
    pub struct Payment {
        /// How.
        S2 method: Enum<PaymentMethod>;
        /// The last four characters of the account.
        S2 account_last4: String;
        /// The bank's reference.
        S2 reference: String;
        /// When.
        S2 paid_at: DateTime;
        /// Where it stands: `PAID` or `FAILED` once the bank's result is in, or in a source's words.
        S2 status: String;
        /// Why it failed, in the bank's words.
        S2 reason: String;
    }
}

part! {
    /// A dispute about a payslip.
    pub struct Dispute {
        /// Where it stands: `OPEN`, `ANSWERED`, or in a source's words.
        S2 status: String;
        /// The line that it is about, by its code; none: the payslip as a whole.
        S2 line: String;
        /// What the employee asks.
        S2 question: String;
        /// When asked.
        S2 asked_at: DateTime;
        /// What was answered.
        S2 answer: String;
        /// When answered.
        S2 answered_at: DateTime;
    }
}

entity! {
    /// What one employee gets in one run.
    pub struct Payslip("payslip", "payslips", "payslip") as PAYSLIP {
        /// In which run.
        S0 run: Ref<to::PayrollRun>, required, indexed;
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// For which employment.
        S0 employment: Ref<to::Employment>;
        /// Currency.
        S0 currency: Currency;
        /// Gross.
        S2 gross: Money;
        /// Net.
        S2 net: Money;
        /// What is taxed.
        S2 taxable: Money;
        /// What the employer pays.
        S2 employer_cost: Money;
        /// Hours.
        S2 hours: Decimal;
        /// Days paid.
        S2 days_paid: Decimal;
        /// Its lines.
        S2 lines: Vec<PayLineItem>;
        /// Sums of the year so far, by name.
        S2 ytd: serde_json::Value;
        /// How paid.
        S2 payment: Payment;
        /// When the employee saw it.
        S2 acknowledged_at: DateTime;
        /// The dispute.
        S2 dispute: Dispute;
        /// The rules that made it; set by the hub.
        S0 rule_set: RuleSet;
        /// What it was made of; set by the hub.
        S0 input: Ref<to::PayrollInput>;
        /// The payslip that it takes back: all its lines with the other sign; set by the hub.
        S0 reverses: Ref<to::Payslip>, indexed;
        /// What could not be taken off and is owed in the next run.
        S2 carried_forward: Money;
        /// What whoever reviews it should know.
        S2 warnings: Vec<String>;
    }
}

entity! {
    /// What a run was given for one employee. `given` is what people say; the hub collects the rest when it calculates,
    /// and keeps it, so that the same payslip can be made again.
    pub struct PayrollInput("payroll_input", "payroll-inputs", "payroll_input") as PAYROLL_INPUT {
        /// For which run.
        S0 run: Ref<to::PayrollRun>, required, indexed;
        /// Whose.
        S0 employee: Ref<to::Employee>, required, indexed;
        /// For which employment.
        S0 employment: Ref<to::Employment>;
        /// What people say, by the names of the rules' inputs: it goes before what is collected.
        S2 given: serde_json::Value;
        /// All that the formulas are given, by name; set by the hub.
        S2 values: serde_json::Value;
        /// Where each value comes from, by name; set by the hub.
        S0 origins: serde_json::Value;
        /// What late data changes in months that are settled; set by the hub.
        S2 retro: Vec<PayDifference>;
        /// SHA-256 of the values, hex; set by the hub.
        S0 sha256: String;
        /// In which attempt of the run it was collected; set by the hub.
        S0 attempt: i64;
    }
}
