//! Consent, notes, accounts and the audit trail.

use crate::describe::When;
use crate::enums::Enum;
use crate::scalars::{DateTime, File, Lang, Ref, to};

enumeration! {
    /// What a consent is for.
    pub enum ConsentPurpose {
        Recruitment = "RECRUITMENT", TalentPool = "TALENT_POOL", BackgroundCheck = "BACKGROUND_CHECK",
        AiAssessment = "AI_ASSESSMENT", VideoRecording = "VIDEO_RECORDING", CrossBorder = "CROSS_BORDER",
        Marketing = "MARKETING", Biometrics = "BIOMETRICS",
    }
    /// Why data may be used.
    pub enum LegalBasis {
        Consent = "CONSENT", Contract = "CONTRACT", LegalObligation = "LEGAL_OBLIGATION",
        LegitimateInterest = "LEGITIMATE_INTEREST", HrNecessity = "HR_NECESSITY",
    }
    /// How a consent was given.
    pub enum ConsentMethod { Checkbox = "CHECKBOX", ESign = "E_SIGN", Oral = "ORAL", Paper = "PAPER" }
    /// What withdrawing a consent does.
    pub enum WithdrawalEffect { Stop = "STOP", Erase = "ERASE" }
    /// The kinds of note.
    pub enum ActivityKind { Note = "NOTE", Email = "EMAIL", Call = "CALL", System = "SYSTEM" }
    /// Who sees a note.
    pub enum ActivityVisibility {
        AdminOnly = "ADMIN_ONLY", Private = "PRIVATE", Team = "TEAM", Public = "PUBLIC",
    }
}

entity! {
    /// What a person has allowed.
    pub struct Consent("consent", "consents", "consent") as CONSENT {
        /// Who.
        S0 person: Ref<to::Person>, required, indexed;
        /// What for.
        S0 purpose: Enum<ConsentPurpose>, required, indexed;
        /// Why data may be used.
        S0 legal_basis: Enum<LegalBasis>;
        /// Classes of fields and recipients that it covers.
        S0 scope: Vec<String>;
        /// Version of the text that was shown.
        S0 text_version: String;
        /// Language of that text.
        S0 locale: Lang;
        /// When given.
        S0 given_at: DateTime;
        /// How.
        S0 method: Enum<ConsentMethod>;
        /// The proof.
        S2 evidence: File;
        /// Until when it holds.
        S0 expires_at: DateTime;
        /// When withdrawn.
        S0 withdrawn_at: DateTime;
        /// What that does.
        S0 withdrawal_effect: Enum<WithdrawalEffect>;
        /// Under which law, such as `CN`.
        S0 jurisdiction: String;
    }
    on "withdrawn" = When::Changed("withdrawn_at");
}

entity! {
    /// A note, a call or a mail about a record.
    pub struct Activity("activity", "activities", "activity") as ACTIVITY {
        /// About what.
        S0 subject: Ref<to::Any>, required, indexed;
        /// Who wrote it.
        S1 author: Ref<to::User>;
        /// Kind.
        S0 kind: Enum<ActivityKind>, indexed;
        /// Text.
        S2 body: String;
        /// Who sees it.
        S0 visibility: Enum<ActivityVisibility>;
        /// When.
        S0 at: DateTime;
    }
}

entity! {
    /// An account of somebody who works with a system.
    pub struct User("user", "users", "user") as USER {
        /// The human.
        S0 person: Ref<to::Person>, indexed;
        /// The name to sign in with.
        S1 username: String, required, indexed;
        /// What they may do.
        S0 roles: Vec<String>;
        /// Whether they can sign in.
        S0 active: bool, indexed;
        /// In which systems.
        S0 systems: Vec<String>;
    }
}

entity! {
    /// Who did what. Each entry holds the hash of the one before.
    pub struct AuditEvent("audit_event", "audit-events", "audit_event") as AUDIT_EVENT {
        /// Who.
        S1 actor: String, required, indexed;
        /// What was done.
        S0 action: String, required, indexed;
        /// To what.
        S0 subject: Ref<to::Any>, indexed;
        /// To which fields.
        S0 fields: Vec<String>;
        /// What for.
        S0 purpose: String;
        /// When.
        S0 at: DateTime;
        /// From which address.
        S2 ip: String;
        /// The journey.
        S0 trace_id: String;
        /// Hash of the record before, hex.
        S0 before_sha256: String;
        /// Hash of the record after, hex.
        S0 after_sha256: String;
        /// Hash of the entry before, hex.
        S0 prev_hash: String;
    }
}
