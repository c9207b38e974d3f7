//! What third parties confirm: signatures, background checks, degrees.

use crate::describe::When;
use crate::entities::assessment::EducationLevel;
use crate::enums::Enum;
use crate::scalars::{Date, DateTime, File, Money, PartialDate, PersonName, Ref, to};

enumeration! {
    /// What somebody does with an envelope.
    pub enum SignerRole {
        Signer = "SIGNER", Approver = "APPROVER", Cc = "CC", InPerson = "IN_PERSON", Viewer = "VIEWER",
        SealHolder = "SEAL_HOLDER",
    }
    /// Whether a person signs or a company.
    pub enum SignerParty { Person = "PERSON", Company = "COMPANY" }
    /// Where one signer stands.
    pub enum SignerStatus {
        Pending = "PENDING", Sent = "SENT", Delivered = "DELIVERED", Signed = "SIGNED", Declined = "DECLINED",
        Error = "ERROR",
    }
    /// How a signer proves who they are.
    pub enum SignerAuth {
        Sms = "SMS", Face = "FACE", BankCard = "BANK_CARD", Password = "PASSWORD", Cert = "CERT",
    }
    /// Where an envelope stands. It only moves forward.
    pub enum EnvelopeStatus {
        Draft = "DRAFT", Sent = "SENT", Delivered = "DELIVERED", InProgress = "IN_PROGRESS", Completed = "COMPLETED",
        Declined = "DECLINED", Voided = "VOIDED", Expired = "EXPIRED", Error = "ERROR",
    }
    /// Where a background check stands.
    pub enum CheckStatus {
        PendingConsent = "PENDING_CONSENT", Ordered = "ORDERED", InProgress = "IN_PROGRESS", NeedsInfo = "NEEDS_INFO",
        Completed = "COMPLETED", Cancelled = "CANCELLED", Failed = "FAILED", Expired = "EXPIRED",
    }
    /// What a background check came to.
    pub enum CheckConclusion {
        Clear = "CLEAR", Consider = "CONSIDER", Adverse = "ADVERSE", Inconclusive = "INCONCLUSIVE",
    }
    /// What is checked.
    pub enum CheckKind {
        Identity = "IDENTITY", Education = "EDUCATION", Employment = "EMPLOYMENT", Reference = "REFERENCE",
        Criminal = "CRIMINAL", CivilLitigation = "CIVIL_LITIGATION", Credit = "CREDIT", Sanctions = "SANCTIONS",
        ProfessionalLicence = "PROFESSIONAL_LICENCE", Driving = "DRIVING", SocialMedia = "SOCIAL_MEDIA",
        ConflictOfInterest = "CONFLICT_OF_INTEREST",
    }
    /// What one check found.
    pub enum CheckResult {
        Match = "MATCH", Mismatch = "MISMATCH", Unverifiable = "UNVERIFIABLE", NotApplicable = "NOT_APPLICABLE",
    }
    /// How a degree was verified.
    pub enum VerificationMethod {
        Registry = "REGISTRY", Vendor = "VENDOR", Document = "DOCUMENT", School = "SCHOOL",
    }
    /// What the verification of a degree came to.
    pub enum VerificationStatus {
        Pending = "PENDING", Verified = "VERIFIED", Mismatch = "MISMATCH", NotFound = "NOT_FOUND", Expired = "EXPIRED",
    }
    /// Whether a field is as claimed.
    pub enum FieldMatch { Match = "MATCH", Mismatch = "MISMATCH", NotProvided = "NOT_PROVIDED" }
}

part! {
    /// A document to sign.
    pub struct EnvelopeDocument {
        /// As it was sent.
        S2 file: File;
        /// The template that it was made from.
        S0 template_id: String;
        /// As it was signed.
        S2 signed_file: File;
    }
}

part! {
    /// Somebody who has to do with an envelope.
    pub struct Signer {
        /// Their turn.
        S0 order: i64;
        /// What they do.
        S0 role: Enum<SignerRole>;
        /// Person or company.
        S0 party: Enum<SignerParty>;
        /// Name.
        S2 name: PersonName;
        /// E-mail address.
        S2 email: String;
        /// Telephone.
        S2 phone: String;
        /// Where they stand.
        S0 status: Enum<SignerStatus>;
        /// When signed.
        S0 signed_at: DateTime;
        /// Why declined.
        S2 decline_reason: String;
        /// How they proved who they are.
        S0 auth_method: Enum<SignerAuth>;
        /// From which address.
        S2 ip: String;
    }
}

entity! {
    /// Documents that are signed together.
    pub struct SignatureEnvelope("signature_envelope", "signature-envelopes", "signature") as SIGNATURE_ENVELOPE {
        /// What it is about: an offer, a contract, a review.
        S0 subject: Ref<to::Any>, indexed;
        /// Who runs it.
        S0 vendor: String;
        /// Title.
        S1 title: String;
        /// Documents.
        S2 documents: Vec<EnvelopeDocument>;
        /// Who signs.
        S2 signers: Vec<Signer>;
        /// Where it stands.
        S0 status: Enum<EnvelopeStatus>, required, indexed;
        /// When sent.
        S0 sent_at: DateTime;
        /// Until when it can be signed.
        S0 expires_at: DateTime;
        /// When completed.
        S0 completed_at: DateTime;
        /// The vendor's log.
        S2 audit_trail: File;
        /// Hash of the evidence.
        S0 evidence_hash: String;
    }
    on "completed" = When::Becomes("status", "COMPLETED");
}

part! {
    /// What was ordered.
    pub struct CheckPackage {
        /// Its id.
        S0 id: String;
        /// Its name.
        S0 name: String;
    }
}

part! {
    /// One check.
    pub struct CheckItem {
        /// What was checked.
        S3 kind: Enum<CheckKind>;
        /// Where it stands.
        S3 status: Enum<CheckStatus>;
        /// What it found.
        S3 result: Enum<CheckResult>;
        /// How bad it is, in the source's words.
        S3 severity: String;
        /// What was claimed.
        S3 claimed: String;
        /// What was found.
        S3 found: String;
        /// Note.
        S3 note: String;
        /// What it rests on.
        S3 evidence: Vec<File>;
    }
}

part! {
    /// The steps before somebody is refused for what a check found.
    pub struct AdverseAction {
        /// When announced.
        S3 pre_notice_at: DateTime;
        /// Until when it can be disputed.
        S3 dispute_until: DateTime;
        /// When final.
        S3 final_notice_at: DateTime;
    }
}

entity! {
    /// A background check. It is ordered only with a consent.
    pub struct BackgroundCheck("background_check", "background-checks", "background_check") as BACKGROUND_CHECK {
        /// For which application.
        S0 application: Ref<to::Application>, indexed;
        /// Or of which employee.
        S0 employee: Ref<to::Employee>, indexed;
        /// Who checks.
        S0 vendor: String;
        /// What was ordered.
        S0 package: CheckPackage;
        /// The consent.
        S0 authorisation: Ref<to::Consent>;
        /// Where it stands.
        S0 status: Enum<CheckStatus>, required, indexed;
        /// What it came to.
        S3 conclusion: Enum<CheckConclusion>;
        /// The employer's own verdict, in the source's words: it is no part of what was found.
        S3 adjudication: String;
        /// Whether the person contests what was found.
        S3 is_disputed: bool;
        /// The checks.
        S3 items: Vec<CheckItem>;
        /// When ordered.
        S0 ordered_at: DateTime;
        /// When completed.
        S0 completed_at: DateTime;
        /// The report.
        S3 report: File;
        /// What it cost.
        S2 cost: Money;
        /// The steps before a refusal.
        S3 adverse_action: AdverseAction;
        /// Until when it may be kept.
        S0 retention_until: Date;
    }
    on "completed" = When::Becomes("status", "COMPLETED");
}

part! {
    /// The studies that are verified.
    pub struct ClaimedEducation {
        /// School.
        S2 school: String;
        /// Degree.
        S2 degree: String;
        /// Level.
        S2 level: Enum<EducationLevel>;
        /// Subject.
        S2 major: String;
        /// From.
        S2 start: PartialDate;
        /// To.
        S2 end: PartialDate;
        /// Number of the certificate.
        S2 certificate_no: String;
    }
}

part! {
    /// Which fields are as claimed.
    pub struct MatchedFields {
        /// School.
        S2 school: Enum<FieldMatch>;
        /// Degree.
        S2 degree: Enum<FieldMatch>;
        /// Subject.
        S2 major: Enum<FieldMatch>;
        /// Dates.
        S2 dates: Enum<FieldMatch>;
    }
}

entity! {
    /// The verification of a degree.
    pub struct EducationVerification("education_verification", "education-verifications", "education_verification") as EDUCATION_VERIFICATION {
        /// Whose.
        S0 person: Ref<to::Person>, required, indexed;
        /// The studies.
        S2 education: ClaimedEducation;
        /// How.
        S0 method: Enum<VerificationMethod>;
        /// By which registry, such as CHSI or NSC.
        S0 registry: String;
        /// What it came to.
        S2 status: Enum<VerificationStatus>, required, indexed;
        /// Field by field.
        S2 matched_fields: MatchedFields;
        /// Number of the report.
        S2 report_no: String;
        /// Until when the report holds.
        S0 report_valid_until: Date;
        /// When checked.
        S0 checked_at: DateTime;
        /// What it rests on.
        S2 evidence: Vec<File>;
    }
}
