//! What an import is, where it stands, how much it is about.

use crate::keyring::Sealed;

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    /// The file is there; somebody has to say what its columns mean.
    Uploaded,
    /// Its rows are being checked.
    Checking,
    /// Every row has its findings.
    Checked,
    /// Somebody wants it applied, and a second person has to agree.
    AwaitingReview,
    /// Its rows are being applied.
    Applying,
    /// All rows that are good were applied.
    Applied,
    /// It could not be applied; nothing of it is left.
    Failed,
    /// What it did is being undone.
    Undoing,
    /// What it did was undone.
    Undone,
    /// Nobody wants it any more; its file is gone.
    Discarded,
}

impl ImportState {
    /// The words, as the API and the store write them.
    pub const WORDS: [(&'static str, Self); 10] = [
        ("UPLOADED", Self::Uploaded),
        ("CHECKING", Self::Checking),
        ("CHECKED", Self::Checked),
        ("AWAITING_REVIEW", Self::AwaitingReview),
        ("APPLYING", Self::Applying),
        ("APPLIED", Self::Applied),
        ("FAILED", Self::Failed),
        ("UNDOING", Self::Undoing),
        ("UNDONE", Self::Undone),
        ("DISCARDED", Self::Discarded),
    ];

    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, state)| *state == self).map_or("", |(word, _)| word)
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, state)| *state)
    }

    /// Whether the hub is at it, so that it changes by itself.
    #[must_use]
    pub const fn moves(self) -> bool {
        matches!(self, Self::Checking | Self::Applying | Self::Undoing)
    }
}

/// A file to import.
#[derive(Clone, Debug)]
pub struct NewImport {
    /// Hub id.
    pub id: String,
    /// Whose file it is.
    pub tenant: String,
    /// What its rows are, such as `employee`.
    pub target: String,
    /// Where it begins.
    pub state: ImportState,
    /// When it came, µs.
    pub uploaded_at: i64,
    /// Its length.
    pub bytes: i64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// What is known of it and what was asked for, sealed.
    pub about: Sealed,
    /// The file, sealed.
    pub body: Sealed,
}

/// How many rows and records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Rows that count.
    pub total: i64,
    /// Rows that can be applied.
    pub good: i64,
    /// Rows that cannot.
    pub bad: i64,
    /// Good rows with something to look at.
    pub warned: i64,
    /// Rows that hold no data: blank, example and total rows.
    pub ignored: i64,
    /// Rows that were applied.
    pub done: i64,
    /// Rows that could not be applied after all.
    pub failed: i64,
    /// Records that it made.
    pub created: i64,
    /// Records that it changed.
    pub updated: i64,
    /// Records that said all of it before.
    pub unchanged: i64,
    /// Records that are as they were before.
    pub undone: i64,
    /// Records that were left as they are, because somebody has changed them since.
    pub kept: i64,
}

/// An import.
#[derive(Clone, Debug)]
pub struct Import {
    /// Hub id.
    pub id: String,
    /// Whose file it is.
    pub tenant: String,
    /// Whose records it writes: the same, or that tenant's trial.
    pub into: String,
    /// What its rows are.
    pub target: String,
    /// Where it stands.
    pub state: ImportState,
    /// When it came, µs.
    pub uploaded_at: i64,
    /// Its length.
    pub bytes: i64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// What is known of it and what was asked for, sealed.
    pub about: Sealed,
    /// How many.
    pub counts: ImportCounts,
    /// The row that was reached.
    pub place: i64,
    /// When its state changed last, µs.
    pub changed_at: i64,
    /// Why it failed; empty if it did not.
    pub error: String,
}

impl Import {
    /// Whether it writes a trial's records.
    #[must_use]
    pub fn is_trial(&self) -> bool {
        self.into != self.tenant
    }
}

/// Something that somebody did with an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportStep {
    /// When, µs.
    pub at: i64,
    /// What, such as `uploaded`.
    pub step: String,
    /// Who; empty for the hub itself.
    pub by: String,
    /// What the hub knows them by; no secret.
    pub handle: String,
    /// What they said about it.
    pub note: String,
}

/// What a transition changes beside the state.
#[derive(Clone, Debug, Default)]
pub struct ImportChange {
    /// What is known of it from now on.
    pub about: Option<Sealed>,
    /// Whose records it writes from now on.
    pub into: Option<String>,
    /// The counts from now on.
    pub counts: Option<ImportCounts>,
    /// Why it failed.
    pub error: String,
}
