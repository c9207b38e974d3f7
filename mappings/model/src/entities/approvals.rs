//! Approvals, in whichever system people answer them.

use crate::describe::When;
use crate::enums::Enum;
use crate::scalars::{DateTime, Ref, to};

enumeration! {
    /// Where an approval stands.
    pub enum ApprovalStatus {
        Pending = "PENDING", Approved = "APPROVED", Rejected = "REJECTED", Cancelled = "CANCELLED",
        Withdrawn = "WITHDRAWN", Expired = "EXPIRED", Error = "ERROR",
    }
    /// Where one approver's task stands.
    pub enum ApprovalTaskStatus {
        Pending = "PENDING", Approved = "APPROVED", Rejected = "REJECTED", Transferred = "TRANSFERRED",
        RolledBack = "ROLLED_BACK", Added = "ADDED", Skipped = "SKIPPED",
    }
}

part! {
    /// The form and process that an approval follows.
    pub struct ApprovalDefinition {
        /// Its id.
        S0 id: String;
        /// Its version.
        S0 version: String;
    }
}

part! {
    /// What one approver has to do.
    pub struct ApprovalTask {
        /// Who.
        S1 approver: Ref<to::Employee>;
        /// The node of the process.
        S0 node: String;
        /// Where it stands.
        S0 status: Enum<ApprovalTaskStatus>, required;
        /// Since when.
        S0 at: DateTime;
        /// What the approver wrote.
        S2 comment: String;
    }
}

part! {
    /// The same approval shown in one more system: the first answer wins, the others are closed.
    pub struct ApprovalMirror {
        /// The connection that shows it.
        S0 connection: String, required;
        /// Its id there.
        S0 external_instance_id: String;
        /// The form or process there.
        S0 definition: String;
        /// The user there in whose name it was begun.
        S1 applicant: String;
        /// Where it stands there.
        S0 status: Enum<ApprovalStatus>;
        /// When it was closed there.
        S0 closed_at: DateTime;
    }
}

entity! {
    /// An approval. An answer moves the subject only when the instance and the subject's version are the ones asked about.
    pub struct Approval("approval", "approvals", "approval") as APPROVAL {
        /// What it is about.
        S0 subject: Ref<to::Any>, indexed;
        /// The form and process.
        S0 definition: ApprovalDefinition;
        /// The system in which people answer.
        S0 system: String;
        /// Its id there.
        S0 external_instance_id: String, indexed;
        /// Who asks.
        S1 applicant: Ref<to::Employee>, indexed;
        /// Where it stands.
        S0 status: Enum<ApprovalStatus>, required, indexed;
        /// The approvers' tasks.
        S1 tasks: Vec<ApprovalTask>;
        /// The form: field to value.
        S2 form: serde_json::Value;
        /// When it began.
        S0 started_at: DateTime;
        /// When it ended.
        S0 ended_at: DateTime;
        /// The other systems that show it.
        S0 mirrors: Vec<ApprovalMirror>;
    }
    on "approved" = When::Becomes("status", "APPROVED");
    on "rejected" = When::Becomes("status", "REJECTED");
    on "ended" = When::Enters("status", &["APPROVED", "REJECTED", "CANCELLED", "WITHDRAWN", "EXPIRED", "ERROR"]);
}
