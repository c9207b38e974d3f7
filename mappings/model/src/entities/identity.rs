//! Which records are about one human.

use crate::describe::When;
use crate::enums::Enum;
use crate::scalars::{DateTime, Ref, to};
use hub_tree::Decimal;

enumeration! {
    /// Where a link stands.
    pub enum LinkStatus {
        Proposed = "PROPOSED", Confirmed = "CONFIRMED", Rejected = "REJECTED", Undone = "UNDONE",
        Withdrawn = "WITHDRAWN",
    }
}

part! {
    /// One reason for a link.
    pub struct LinkEvidence {
        /// What is the same, such as `NATIONAL_ID` or `PHONE_AND_NAME`.
        S0 method: String, required;
        /// How much that says, 0 to 1.
        S0 score: Decimal;
    }
}

entity! {
    /// Two records are about one human, or may be. Records are linked, never merged: no field flows over a link.
    pub struct IdentityLink("identity_link", "identity-links", "identity_link") as IDENTITY_LINK {
        /// One record.
        S0 a: Ref<to::Any>, required;
        /// The other.
        S0 b: Ref<to::Any>, required;
        /// Both, so that a link is found by either.
        S0 record: Vec<Ref<to::Any>>, indexed;
        /// Where it stands.
        S0 status: Enum<LinkStatus>, required, indexed;
        /// The strongest reason, or `MANUAL`.
        S0 method: String, required, indexed;
        /// How much that says, 0 to 1.
        S0 score: Decimal;
        /// All reasons.
        S0 evidence: Vec<LinkEvidence>;
        /// Fields that speak against it, by name.
        S0 contradictions: Vec<String>;
        /// Reasons that somebody has turned down; the same ones do not propose the link again.
        S0 refused: Vec<String>;
        /// Whether no person decided.
        S0 automatic: bool;
        /// Who decided last.
        S1 decided_by: String;
        /// When.
        S0 decided_at: DateTime;
        /// Why, in the words of who decided.
        S1 reason: String;
    }
    on "proposed" = When::Becomes("status", "PROPOSED");
    on "confirmed" = When::Becomes("status", "CONFIRMED");
    on "rejected" = When::Becomes("status", "REJECTED");
    on "undone" = When::Becomes("status", "UNDONE");
}
