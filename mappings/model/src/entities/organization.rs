//! The enterprise and its parts: legal entities, departments, jobs, seats and places.

use crate::enums::Enum;
use crate::scalars::{Address, Country, Currency, Date, Lang, Localized, Money, Phone, Rate, Ref, Score, TimeZone, to};
use hub_tree::Decimal;

enumeration! {
    /// Whether a part of the enterprise is in use.
    pub enum Standing { Active = "ACTIVE", Inactive = "INACTIVE" }
    /// The legal forms of a company.
    pub enum LegalForm {
        Limited = "LIMITED", JointStock = "JOINT_STOCK", Partnership = "PARTNERSHIP", SoleProprietor = "SOLE_PROPRIETOR",
        NonProfit = "NON_PROFIT", Branch = "BRANCH",
    }
    /// The kinds of department.
    pub enum DepartmentType {
        Company = "COMPANY", Division = "DIVISION", BusinessUnit = "BUSINESS_UNIT", Department = "DEPARTMENT",
        SubDepartment = "SUB_DEPARTMENT", Team = "TEAM", Branch = "BRANCH", Store = "STORE", Group = "GROUP",
    }
    /// Where a seat stands.
    pub enum PositionStatus {
        OpenLimited = "OPEN_LIMITED", OpenUnlimited = "OPEN_UNLIMITED", Pending = "PENDING", Frozen = "FROZEN",
        Filled = "FILLED", Closed = "CLOSED",
    }
    /// The kinds of workplace.
    pub enum LocationType {
        Office = "OFFICE", Store = "STORE", Factory = "FACTORY", Home = "HOME", Remote = "REMOTE",
        ClientSite = "CLIENT_SITE",
    }
    /// How working time is counted.
    pub enum WorkHoursType {
        Standard = "STANDARD", Flexible = "FLEXIBLE", Comprehensive = "COMPREHENSIVE", Shift = "SHIFT",
    }
}

entity! {
    /// The enterprise itself.
    pub struct Organization("organization", "organizations", "organization") as ORGANIZATION {
        /// Name.
        S0 name: Localized, required;
        /// The name people use.
        S0 display_name: String;
        /// Company number or unified social credit code.
        S0 registration_no: String;
        /// Country.
        S0 country: Country;
        /// The currency unless told otherwise.
        S0 default_currency: Currency;
        /// Time zone.
        S0 time_zone: TimeZone;
        /// Languages.
        S0 locales: Vec<Lang>;
        /// The first day of the fiscal year, `--04-01`.
        S0 fiscal_year_start: String;
        /// Whether in use.
        S0 status: Enum<Standing>, indexed;
    }
}

entity! {
    /// A company that employs people.
    pub struct LegalEntity("legal_entity", "legal-entities", "legal_entity") as LEGAL_ENTITY {
        /// Name.
        S0 name: Localized, required;
        /// The enterprise.
        S0 organization: Ref<to::Organization>;
        /// Tax number.
        S0 tax_id: String;
        /// Unified social credit code, 18 characters.
        S0 uscc: String, indexed;
        /// Legal entity identifier (ISO 17442).
        S0 lei: String;
        /// Employer identification number.
        S0 ein: String;
        /// Legal form.
        S0 legal_form: Enum<LegalForm>;
        /// Who represents it.
        S1 legal_representative: String;
        /// Where it is registered.
        S0 registered_address: Address;
        /// Where it works.
        S0 office_address: Address;
        /// Telephone.
        S0 phone: Phone;
        /// Industries by code.
        S0 industry_codes: Vec<String>;
        /// Currency.
        S0 currency: Currency;
        /// The company above it.
        S0 parent: Ref<to::LegalEntity>;
        /// Whether it is a branch.
        S0 is_branch: bool;
        /// From which day.
        S0 valid_from: Date;
        /// To which day.
        S0 valid_to: Date;
    }
}

entity! {
    /// A department; also a team, a division or a business unit.
    pub struct Department("department", "departments", "department") as DEPARTMENT {
        /// Name.
        S0 name: Localized, required;
        /// Code.
        S0 code: String, indexed;
        /// Kind.
        S0 kind: Enum<DepartmentType> as "type";
        /// The department above it.
        S0 parent: Ref<to::Department>, indexed;
        /// The departments from the root down to this one; computed.
        S0 path: Vec<Ref<to::Department>>;
        /// Who leads it.
        S1 manager: Ref<to::Employee>;
        /// HR business partners.
        S1 hrbps: Vec<Ref<to::Employee>>;
        /// Cost centre.
        S0 cost_center: Ref<to::CostCenter>;
        /// Company.
        S0 legal_entity: Ref<to::LegalEntity>;
        /// Place.
        S0 location: Ref<to::Location>;
        /// Its place among its siblings.
        S0 order: i64;
        /// Whether it is the top.
        S0 is_root: bool;
        /// Whether it is hidden from most people.
        S0 is_confidential: bool;
        /// Whether in use.
        S0 status: Enum<Standing>, indexed;
        /// From which day.
        S0 valid_from: Date;
        /// To which day.
        S0 valid_to: Date;
        /// How many people are planned.
        S0 headcount_planned: i64;
    }
}

entity! {
    /// What costs are booked on.
    pub struct CostCenter("cost_center", "cost-centers", "cost_center") as COST_CENTER {
        /// Name.
        S0 name: Localized, required;
        /// Code.
        S0 code: String, indexed;
        /// The cost centre above it.
        S0 parent: Ref<to::CostCenter>;
        /// Who answers for it.
        S1 managers: Vec<Ref<to::Employee>>;
        /// From which day.
        S0 valid_from: Date;
        /// To which day.
        S0 valid_to: Date;
        /// Whether in use.
        S0 status: Enum<Standing>, indexed;
    }
}

entity! {
    /// Jobs of one kind of work.
    pub struct JobFamily("job_family", "job-families", "job_family") as JOB_FAMILY {
        /// Name.
        S0 name: Localized, required;
        /// Code.
        S0 code: String, indexed;
        /// The family above it.
        S0 parent: Ref<to::JobFamily>;
        /// Whether in use.
        S0 status: Enum<Standing>, indexed;
        /// From which day.
        S0 valid_from: Date;
        /// To which day.
        S0 valid_to: Date;
    }
}

entity! {
    /// A step of seniority.
    pub struct JobLevel("job_level", "job-levels", "job_level") as JOB_LEVEL {
        /// Name.
        S0 name: Localized, required;
        /// Code.
        S0 code: String, indexed;
        /// Its place among the levels, from the lowest.
        S0 order: i64;
        /// Its pay grade.
        S0 grade: Ref<to::JobGrade>;
    }
}

entity! {
    /// A band of pay.
    pub struct JobGrade("job_grade", "job-grades", "job_grade") as JOB_GRADE {
        /// Name.
        S0 name: Localized, required;
        /// Code.
        S0 code: String, indexed;
        /// The lowest pay.
        S2 pay_min: Money;
        /// The middle.
        S2 pay_mid: Money;
        /// The highest pay.
        S2 pay_max: Money;
    }
}

part! {
    /// A competency that a job asks for.
    pub struct RequiredCompetency {
        /// Which.
        S0 competency: Ref<to::Competency>;
        /// How much of it.
        S0 required_level: Score;
        /// Its share of the whole.
        S0 weight: Rate;
    }
}

entity! {
    /// A job profile, independent of a seat.
    pub struct Job("job", "jobs", "job") as JOB {
        /// Title.
        S0 title: Localized, required;
        /// Code.
        S0 code: String, indexed;
        /// What it is about.
        S0 description: String;
        /// The family.
        S0 family: Ref<to::JobFamily>, indexed;
        /// The levels that it is done at.
        S0 levels: Vec<Ref<to::JobLevel>>;
        /// What it asks for.
        S0 competencies: Vec<RequiredCompetency>;
        /// How its working time is counted.
        S0 default_work_hours_type: Enum<WorkHoursType>;
        /// Whether in use.
        S0 status: Enum<Standing>, indexed;
        /// From which day.
        S0 valid_from: Date;
        /// To which day.
        S0 valid_to: Date;
    }
}

entity! {
    /// A seat.
    pub struct Position("position", "positions", "position") as POSITION {
        /// Code.
        S0 code: String, indexed;
        /// Title.
        S0 title: Localized;
        /// The job done in it.
        S0 job: Ref<to::Job>, indexed;
        /// Department.
        S0 department: Ref<to::Department>, indexed;
        /// Place.
        S0 location: Ref<to::Location>;
        /// Company.
        S0 legal_entity: Ref<to::LegalEntity>;
        /// How much of a full-time seat.
        S0 fte: Decimal;
        /// Where it stands.
        S0 status: Enum<PositionStatus>, required, indexed;
        /// How many may still be hired.
        S0 openings: i64;
        /// The seat above it.
        S0 reports_to: Ref<to::Position>;
        /// Who sits in it.
        S0 incumbents: Vec<Ref<to::Employment>>;
        /// From which day.
        S0 valid_from: Date;
        /// To which day.
        S0 valid_to: Date;
    }
}

entity! {
    /// A workplace.
    pub struct Location("location", "locations", "location") as LOCATION {
        /// Name.
        S0 name: Localized, required;
        /// Code.
        S0 code: String, indexed;
        /// Kind.
        S0 kind: Enum<LocationType> as "type";
        /// Address.
        S0 address: Address;
        /// Time zone.
        S0 time_zone: TimeZone;
        /// Telephone.
        S0 phone: Phone;
        /// Whether it is the headquarters.
        S0 is_hq: bool;
        /// The place that it is part of.
        S0 parent: Ref<to::Location>;
        /// Currency.
        S0 currency: Currency;
        /// Whether in use.
        S0 status: Enum<Standing>, indexed;
        /// From which day.
        S0 valid_from: Date;
        /// To which day.
        S0 valid_to: Date;
    }
}
