//! One human: candidate, employee and referrer point at it.

use crate::enums::Enum;
use crate::scalars::{Address, Country, Date, Email, File, Lang, NationalId, PersonName, Phone, TimeZone};

enumeration! {
    /// Sex as documents state it.
    pub enum Sex {
        Male = "MALE", Female = "FEMALE", NonBinary = "NON_BINARY", Intersex = "INTERSEX", NotSpecified = "NOT_SPECIFIED",
    }
    /// Marital status.
    pub enum MaritalStatus {
        Single = "SINGLE", Married = "MARRIED", Divorced = "DIVORCED", Widowed = "WIDOWED", Separated = "SEPARATED",
        DomesticPartnership = "DOMESTIC_PARTNERSHIP", NotMarried = "NOT_MARRIED", NotSpecified = "NOT_SPECIFIED",
    }
    /// How a dependent is related.
    pub enum Relationship {
        Child = "CHILD", Spouse = "SPOUSE", Parent = "PARENT", Sibling = "SIBLING", DomesticPartner = "DOMESTIC_PARTNER",
    }
}

part! {
    /// Somebody who depends on the person.
    pub struct Dependent {
        /// Name.
        S2 name: PersonName, required;
        /// How related.
        S2 relationship: Enum<Relationship>;
        /// Birth date.
        S2 birth_date: Date;
        /// Sex.
        S2 sex: Enum<Sex>;
        /// Identity documents.
        S3 national_ids: Vec<NationalId>;
        /// Whether named as beneficiary.
        S2 is_beneficiary: bool;
        /// Whether counted for tax.
        S2 is_tax_dependent: bool;
        /// Whether insured with the person.
        S2 is_insured: bool;
    }
}

part! {
    /// Somebody to call.
    pub struct EmergencyContact {
        /// Name.
        S2 name: PersonName, required;
        /// How related.
        S2 relationship: String;
        /// Numbers.
        S2 phones: Vec<Phone>;
    }
}

part! {
    /// Household registration.
    pub struct Hukou {
        /// Kind.
        S2 kind: String as "type";
        /// Place.
        S2 location: String;
    }
}

entity! {
    /// One human; candidates, employees and referrers point at it.
    pub struct Person("person", "people", "person") as PERSON {
        /// Name.
        S2 name: PersonName, required;
        /// E-mail addresses.
        S2 emails: Vec<Email>;
        /// Telephone numbers.
        S2 phones: Vec<Phone>;
        /// Birth date.
        S2 birth_date: Date;
        /// Sex.
        S2 sex: Enum<Sex>;
        /// Nationalities.
        S2 nationality: Vec<Country>;
        /// Marital status.
        S2 marital_status: Enum<MaritalStatus>;
        /// Ethnic group by the country's own code list; never compared across countries.
        S3 ethnicity: String;
        /// Identity documents.
        S3 national_ids: Vec<NationalId>;
        /// Addresses.
        S2 addresses: Vec<Address>;
        /// Photo.
        S3 photo: File;
        /// Preferred language.
        S1 preferred_language: Lang;
        /// Time zone.
        S1 time_zone: TimeZone;
        /// Household registration.
        S2 hukou: Hukou;
        /// Political affiliation.
        S3 political_affiliation: String;
        /// When the person first worked.
        S2 entered_workforce_on: Date;
        /// Dependents.
        S2 dependents: Vec<Dependent>;
        /// Whom to call.
        S2 emergency_contacts: Vec<EmergencyContact>;
        /// Profiles elsewhere.
        S2 social_links: Vec<String>;
    }
}
