//! What a record says about a human, made comparable; and the keys by which others that say the same are found.

use crate::identity::names::Names;
use crate::identity::rules::Rules;
use hub_tree::Value;
use std::collections::BTreeSet;

/// A number with fewer characters, or with all of them alike, was typed to get past a required field.
const SHORTEST_NUMBER: usize = 5;
/// Keys of one record at most; one with more of them is no human's.
const MOST_KEYS: usize = 40;

/// An identity number: its kind, its country, the number.
pub(crate) type NationalId = (String, String, String);

/// What a record says about a human.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) names: Names,
    pub(crate) birth_date: Option<String>,
    pub(crate) sex: Option<String>,
    pub(crate) national_ids: BTreeSet<NationalId>,
    pub(crate) emails: BTreeSet<String>,
    /// Those of `emails` that an employer gave.
    pub(crate) work_emails: BTreeSet<String>,
    pub(crate) phones: BTreeSet<String>,
    pub(crate) number: Option<String>,
}

impl Facts {
    /// What a record of an entity says.
    pub(crate) fn of(rules: &Rules, entity: &str, document: Value<'_>) -> Self {
        let said = |role: &str| rules.field(entity, role).map_or(Value::Absent, |field| document.get(field));
        let mut facts = Self::default();
        let name = said("name");
        if let Some(text) = name.as_text() {
            facts.names.add(text);
        }
        for part in ["full", "local_script", "latin"] {
            facts.names.extend_with(name.get(part));
        }
        if let (Some(family), Some(given)) = (name.get("family").as_text(), name.get("given").as_text()) {
            facts.names.add(&format!("{family} {given}"));
            facts.names.add_given(given);
        }
        facts.birth_date = said("birth_date").as_text().map(str::to_owned);
        let sex = said("sex").get("value").as_text().filter(|sex| matches!(*sex, "MALE" | "FEMALE"));
        facts.sex = sex.map(str::to_owned);
        facts.national_ids = said("national_ids").items().iter().filter_map(|id| national_id(*id)).collect();
        for email in said("emails").items() {
            let Some(address) = email.get("address").as_text().and_then(address) else { continue };
            if email.get("type").get("value").as_text() == Some("WORK") {
                facts.work_emails.insert(address.clone());
            }
            facts.emails.insert(address);
        }
        if let Some(address) = said("work_email").as_text().and_then(address) {
            facts.work_emails.insert(address.clone());
            facts.emails.insert(address);
        }
        let number = |phone: &Value<'_>| {
            let written = phone.get("e164").as_text().or_else(|| phone.get("raw").as_text())?;
            telephone(written)
        };
        facts.phones = said("phones").items().iter().filter_map(number).collect();
        facts.number = said("number").as_text().map(|number| number.trim().to_uppercase()).filter(|n| !n.is_empty());
        facts
    }

    /// By what others are found that say the same: kind and value.
    pub(crate) fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = Vec::new();
        let id = |(kind, country, number): &NationalId| ("national_id", format!("{kind}|{country}|{number}"));
        keys.extend(self.national_ids.iter().map(id));
        keys.extend(self.emails.iter().map(|address| ("email", address.clone())));
        keys.extend(self.phones.iter().map(|number| ("phone", number.clone())));
        keys.extend(self.number.iter().map(|number| ("number", number.clone())));
        if let Some(born) = &self.birth_date {
            keys.extend(self.names.forms().map(|name| ("born", format!("{name}|{born}"))));
        }
        keys.truncate(MOST_KEYS);
        keys
    }

    /// Whether this is told from another human by more than a shared value: both have names, and those differ.
    pub(crate) fn is_somebody_else(&self, other: &Self) -> bool {
        if self.names.is_empty() || other.names.is_empty() { false } else { !self.names.similar(&other.names) }
    }
}

impl Names {
    fn extend_with(&mut self, value: Value<'_>) {
        if let Some(text) = value.as_text() {
            self.add(text);
        }
    }
}

fn national_id(value: Value<'_>) -> Option<NationalId> {
    let kind = value.get("type").get("value").as_text()?.to_owned();
    let number: String = value.get("number").as_text()?.chars().filter(|c| c.is_alphanumeric()).collect();
    let number = number.to_uppercase();
    let first = number.chars().next()?;
    if number.chars().count() < SHORTEST_NUMBER || number.chars().all(|c| c == first) {
        return None;
    }
    let country = if kind == "CN_RESIDENT_ID" { "CN" } else { value.get("country").as_text().unwrap_or_default() };
    Some((kind, country.to_uppercase(), number))
}

fn address(text: &str) -> Option<String> {
    let text = text.trim().to_lowercase();
    let (local, domain) = text.split_once('@')?;
    (!local.is_empty() && domain.contains('.')).then_some(text)
}

/// A telephone number as it compares. Numbers that no mapping could read are often Chinese mobile ones, written with or
/// without the country's code.
fn telephone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    let mobile = |number: &str| number.len() == 11 && number.starts_with('1') && !number.starts_with("10");
    let with_code = digits.strip_prefix("86").filter(|rest| mobile(rest));
    let digits = match with_code {
        Some(_) => digits.to_owned(),
        None if !text.trim_start().starts_with('+') && mobile(digits) => format!("86{digits}"),
        None => digits.to_owned(),
    };
    (digits.len() >= 7).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_compare_however_they_are_written() {
        for written in ["+8613800138000", "13800138000", "86 138 0013 8000", "0086-13800138000", "+86 138-0013-8000"] {
            assert_eq!(telephone(written).as_deref(), Some("8613800138000"), "{written}");
        }
        assert_eq!(telephone("+1 202 555 0143").as_deref(), Some("12025550143"));
        assert_eq!(telephone("+13800138000").as_deref(), Some("13800138000"), "another country's");
        assert_eq!(telephone("8-123"), None);
    }

    #[test]
    fn numbers_that_say_nothing_are_no_keys() {
        let arena = hub_tree::Arena::new();
        let read = |number: &str| {
            let text = format!(r#"{{"type":{{"value":"PASSPORT"}},"country":"FR","number":"{number}"}}"#);
            national_id(hub_tree::json::read(&arena, arena.bytes(text.as_bytes()), Default::default()).unwrap())
        };
        assert_eq!(read("ab 123-45"), Some(("PASSPORT".into(), "FR".into(), "AB12345".into())));
        for placeholder in ["00000000", "1234", "-----", ""] {
            assert_eq!(read(placeholder), None, "{placeholder}");
        }
    }
}
