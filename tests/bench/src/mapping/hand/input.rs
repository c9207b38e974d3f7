//! What the vendor sends, as far as it is read: structs that borrow from the bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Text of the input, owned only where an escape stands in it. `Option<Cow>` would always own.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Text<'d>(#[serde(borrow)] pub(super) Cow<'d, str>);

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
pub(super) struct Hook<'d> {
    #[serde(borrow)]
    pub(super) data: Data<'d>,
}

#[derive(Deserialize)]
pub(super) struct Data<'d> {
    #[serde(borrow)]
    pub(super) application: App<'d>,
    pub(super) candidate: Person<'d>,
}

#[derive(Deserialize)]
pub(super) struct App<'d> {
    pub(super) id: u64,
    #[serde(borrow)]
    pub(super) status: Text<'d>,
    pub(super) url: Option<Text<'d>>,
    pub(super) applied_at: Option<Text<'d>>,
    pub(super) stage_since: Option<Text<'d>>,
    pub(super) rejected_at: Option<Text<'d>>,
    pub(super) rejection_reason: Option<Text<'d>>,
    pub(super) hired_at: Option<Text<'d>>,
    pub(super) source: Option<Channel<'d>>,
    pub(super) stage: Option<Named<'d>>,
    pub(super) job: Option<Job<'d>>,
    pub(super) recruiter: Option<Named<'d>>,
    pub(super) rating: Option<Rating<'d>>,
    pub(super) history: Option<Vec<Step<'d>>>,
    pub(super) answers: Option<Vec<Reply<'d>>>,
    pub(super) interviews: Option<Vec<Numbered>>,
}

#[derive(Deserialize)]
pub(super) struct Channel<'d> {
    #[serde(borrow)]
    pub(super) public_name: Option<Text<'d>>,
    pub(super) name: Option<Text<'d>>,
    pub(super) detail: Option<Text<'d>>,
}

#[derive(Deserialize)]
pub(super) struct Named<'d> {
    pub(super) id: u64,
    #[serde(borrow)]
    pub(super) name: Option<Text<'d>>,
}

#[derive(Deserialize)]
pub(super) struct Numbered {
    pub(super) id: u64,
}

#[derive(Deserialize)]
pub(super) struct Job<'d> {
    pub(super) id: u64,
    #[serde(borrow)]
    pub(super) title: Option<Text<'d>>,
    pub(super) posting_id: Option<Text<'d>>,
}

#[derive(Deserialize)]
pub(super) struct Rating<'d> {
    #[serde(borrow)]
    pub(super) value: Option<&'d RawValue>,
    pub(super) min: &'d RawValue,
    pub(super) max: &'d RawValue,
    pub(super) rubric: Option<Text<'d>>,
}

#[derive(Deserialize)]
pub(super) struct Step<'d> {
    #[serde(borrow)]
    pub(super) from: Option<Text<'d>>,
    pub(super) to: Option<Text<'d>>,
    pub(super) at: Option<Text<'d>>,
    pub(super) by: Option<Text<'d>>,
}

#[derive(Deserialize)]
pub(super) struct Reply<'d> {
    #[serde(borrow)]
    pub(super) question: Question<'d>,
    pub(super) answer: Option<Text<'d>>,
}

#[derive(Deserialize)]
pub(super) struct Question<'d> {
    #[serde(borrow)]
    pub(super) id: Option<Text<'d>>,
    pub(super) kind: Option<Text<'d>>,
}

#[derive(Deserialize)]
pub(super) struct Person<'d> {
    pub(super) id: u64,
    #[serde(borrow)]
    pub(super) first_name: Option<Text<'d>>,
    pub(super) last_name: Option<Text<'d>>,
    pub(super) latin_name: Option<Text<'d>>,
    pub(super) preferred_name: Option<Text<'d>>,
    pub(super) title: Option<Text<'d>>,
    pub(super) company: Option<Text<'d>>,
    pub(super) url: Option<Text<'d>>,
    pub(super) is_private: Option<bool>,
    pub(super) can_email: Option<bool>,
    pub(super) origin: Option<Text<'d>>,
    pub(super) years: Option<&'d RawValue>,
    pub(super) degree: Option<Text<'d>>,
    pub(super) phones: Option<Vec<Contact<'d>>>,
    pub(super) emails: Option<Vec<Contact<'d>>>,
    pub(super) locations: Option<Vec<Text<'d>>>,
    pub(super) salary: Option<Salary<'d>>,
    pub(super) available_from: Option<Text<'d>>,
    pub(super) last_contact: Option<i64>,
    pub(super) keep_until: Option<Text<'d>>,
    pub(super) agency_hold_until: Option<Text<'d>>,
    pub(super) owner: Option<Named<'d>>,
    pub(super) tags: Option<Text<'d>>,
    pub(super) attachments: Option<Vec<Attachment<'d>>>,
    pub(super) custom_fields: Option<CustomFields<'d>>,
}

#[derive(Deserialize)]
pub(super) struct Contact<'d> {
    #[serde(borrow)]
    pub(super) value: Text<'d>,
    pub(super) r#type: Option<Text<'d>>,
    pub(super) primary: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct Salary<'d> {
    pub(super) amount: Option<i64>,
    #[serde(borrow)]
    pub(super) currency: Text<'d>,
}

#[derive(Deserialize)]
pub(super) struct Attachment<'d> {
    #[serde(borrow)]
    pub(super) id: Text<'d>,
    pub(super) filename: Option<Text<'d>>,
    pub(super) r#type: Text<'d>,
}

#[derive(Deserialize)]
pub(super) struct CustomFields<'d> {
    #[serde(borrow)]
    pub(super) notice_months: Option<CustomField<'d>>,
}

#[derive(Deserialize)]
pub(super) struct CustomField<'d> {
    #[serde(borrow)]
    pub(super) value: Option<&'d RawValue>,
}
