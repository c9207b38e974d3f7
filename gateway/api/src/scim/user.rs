//! Users: an employee, with what the person's record says of names and addresses, as one resource; and back.

use crate::scim::load::{Around, Known, refers};
use crate::scim::read::NAMES;
use crate::scim::schema::{ENTERPRISE, USER};
use hub_tree::clock::rfc3339_micros;
use serde_json::{Map, Value, json};

/// Where an employee stands whose account is to be used.
const ACTIVE: [&str; 3] = ["ACTIVE", "PROBATION", "ON_LEAVE"];
/// The rule that fields are set by.
pub(crate) const RULE: &str = "scim";
/// Parts of a name: in SCIM, and in the model.
const NAME: [(&str, &str); 6] = [
    ("formatted", "full"),
    ("familyName", "family"),
    ("givenName", "given"),
    ("middleName", "middle"),
    ("honorificPrefix", "prefix"),
    ("honorificSuffix", "suffix"),
];

/// A user as SCIM tells it.
pub(crate) fn told(employee: &Known, around: &Around, base: &str) -> Value {
    let (id, of) = (employee.row.id.as_str(), &employee.document);
    let person = refers(of, "person").and_then(|person| around.people.get(&person));
    let personal = person.map_or(&Value::Null, |person| &person.document);
    let mut user = Map::new();
    let mut put = |name: &str, value: Value| {
        let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !empty && !value.as_object().is_some_and(Map::is_empty) {
            user.insert(name.to_owned(), value);
        }
    };
    put("id", id.into());
    put("externalId", around.external.get(id).cloned().into());
    let username = name_of(of, id);
    put("userName", username.into());
    put("name", name(personal, username));
    put("displayName", of["display_name"].clone());
    put("nickName", personal["name"]["preferred"].clone());
    put("preferredLanguage", personal["preferred_language"].clone());
    put("timezone", personal["time_zone"].clone());
    put("active", ACTIVE.contains(&of["status"]["value"].as_str().unwrap_or_default()).into());
    put("emails", addresses(&personal["emails"], "address", &of["work_email"]));
    put("phoneNumbers", addresses(&personal["phones"], "e164", &of["work_phone"]));
    let job = around.current.get(id).unwrap_or(&Value::Null);
    let named = |id: &String| around.names.get(id).cloned();
    put("title", refers(job, "job").as_ref().and_then(named).into());
    let department = refers(job, "department");
    let groups = department.iter().chain(around.groups.get(id).into_iter().flatten());
    let group = |id: &String| {
        let mut group = json!({ "value": id, "$ref": format!("{base}/Groups/{id}") });
        if let Some(name) = named(id) {
            group["display"] = name.into();
        }
        group
    };
    put("groups", groups.map(group).collect());
    let manager = refers(job, "manager").map(|id| {
        let mut manager = json!({ "value": id, "$ref": format!("{base}/Users/{id}") });
        if let Some(name) = named(&id) {
            manager["displayName"] = name.into();
        }
        manager
    });
    let mut enterprise = Map::new();
    for (name, value) in [
        ("employeeNumber", of["employee_number"].clone()),
        ("department", department.as_ref().and_then(named).into()),
        ("manager", manager.into()),
    ] {
        if !value.is_null() {
            enterprise.insert(name.to_owned(), value);
        }
    }
    let mut schemas = vec![USER];
    if !enterprise.is_empty() {
        schemas.push(ENTERPRISE);
        put(ENTERPRISE, Value::Object(enterprise));
    }
    put("schemas", json!(schemas));
    let changed = person.map_or(0, |person| person.row.updated_at).max(employee.row.updated_at);
    put(
        "meta",
        json!({
            "resourceType": "User", "location": format!("{base}/Users/{id}"),
            "created": rfc3339_micros(employee.row.created_at), "lastModified": rfc3339_micros(changed),
        }),
    );
    Value::Object(user)
}

/// The `userName`: an employee without a name to sign in with still needs one that is nobody else's.
pub(crate) fn name_of<'d>(employee: &'d Value, id: &'d str) -> &'d str {
    NAMES.iter().find_map(|field| employee[*field].as_str()).unwrap_or(id)
}

/// The parts of a name. A whole name that only repeats the name to sign in with was never said.
fn name(person: &Value, username: &str) -> Value {
    let said = |(scim, ours): (&str, &str)| {
        let part = person["name"][ours].as_str()?;
        (scim != "formatted" || part != username).then(|| (scim.to_owned(), Value::from(part)))
    };
    Value::Object(NAME.into_iter().filter_map(said).collect())
}

/// The person's addresses, and the one that the employer gave.
fn addresses(personal: &Value, field: &str, work: &Value) -> Value {
    let mut all = Vec::new();
    for entry in personal.as_array().into_iter().flatten() {
        let Some(value) = entry[field].as_str().or_else(|| entry["raw"].as_str()) else { continue };
        let mut told = json!({ "value": value });
        let kind = match entry["type"]["value"].as_str() {
            Some("OTHER") => entry["type"]["raw"].as_str().map_or_else(|| "other".to_owned(), str::to_owned),
            Some(kind) => kind.to_lowercase(),
            None => String::new(),
        };
        if !kind.is_empty() {
            told["type"] = kind.into();
        }
        if let Some(primary) = entry["is_primary"].as_bool() {
            told["primary"] = primary.into();
        }
        all.push(told);
    }
    if let Some(work) = work.as_str()
        && !all.iter().any(|known| known["value"].as_str().is_some_and(|value| value.eq_ignore_ascii_case(work)))
    {
        all.insert(0, json!({ "value": work, "type": "work" }));
    }
    Value::Array(all)
}

/// What a changed user means for the records.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) employee: Map<String, Value>,
    pub(crate) person: Map<String, Value>,
    /// The caller's own name, when it changes: `Some(None)` takes it away.
    pub(crate) external: Option<Option<String>>,
    /// Attributes that another system owns: they stay as they are.
    pub(crate) left: Vec<String>,
}

/// The connection that a field's value comes from; what was set here has none.
pub(crate) fn owner(document: &Value, pointer: &str) -> Option<String> {
    let meta = document["field_meta"].as_object()?;
    let about = |known: &str| {
        let inside = |one: &str, other: &str| one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'));
        known == pointer || inside(known, pointer) || inside(pointer, known)
    };
    let source = meta.iter().filter(|(known, _)| about(known)).find_map(|(_, meta)| meta["source"].as_u64())?;
    let connection = &document["sources"][usize::try_from(source).ok()?]["connection_id"];
    Some(connection.as_str().unwrap_or_default().to_owned())
}

/// Compares a user with what is wanted of it. `old` is null for a new one.
pub(crate) fn wanted(old: &Value, new: &Value, employee: &Value, person: &Value) -> Wanted {
    let mut wanted = Wanted::default();
    let differs = |name: &str| old.get(name) != new.get(name);
    if differs("externalId") {
        wanted.external = Some(new["externalId"].as_str().map(str::to_owned));
    }
    let mut set = |attribute: &str, entity: &str, pointer: &str, value: Value| {
        let (document, fields) =
            if entity == "person" { (person, &mut wanted.person) } else { (employee, &mut wanted.employee) };
        if owner(document, pointer).is_some() {
            if !wanted.left.iter().any(|known| known == attribute) {
                wanted.left.push(attribute.to_owned());
            }
            return;
        }
        let mut path = pointer.trim_start_matches('/').split('/');
        let (first, second) = (path.next().unwrap_or_default(), path.next());
        match second {
            Some(part) => fields.entry(first).or_insert_with(|| json!({}))[part] = value,
            None => {
                fields.insert(first.to_owned(), value);
            }
        }
    };
    for (attribute, entity, pointer) in [
        ("userName", "employee", "/username"),
        ("displayName", "employee", "/display_name"),
        ("nickName", "person", "/name/preferred"),
    ] {
        if differs(attribute) {
            set(attribute, entity, pointer, new[attribute].clone());
        }
    }
    let number = |of: &Value| of[ENTERPRISE]["employeeNumber"].clone();
    if number(old) != number(new) {
        set("employeeNumber", "employee", "/employee_number", number(new));
    }
    let active = new["active"].as_bool().or(old["active"].as_bool()).unwrap_or(true);
    if old["active"].as_bool() != Some(active) {
        let status = if active { "ACTIVE" } else { "SUSPENDED" };
        set("active", "employee", "/status", json!({ "value": status }));
    }
    for (scim, ours) in NAME {
        let before = &old["name"][scim];
        if *before != new["name"][scim] && scim != "formatted" {
            set(&format!("name.{scim}"), "person", &format!("/name/{ours}"), new["name"][scim].clone());
        }
    }
    let full = whole_name(new);
    if person["name"]["full"].as_str() != Some(&full) && (old["name"] != new["name"] || person.is_null()) {
        set("name.formatted", "person", "/name/full", full.into());
    }
    for (attribute, list, business, read) in [
        ("emails", "/emails", "/work_email", email as fn(&Value) -> Value),
        ("phoneNumbers", "/phones", "/work_phone", phone),
    ] {
        if differs(attribute) {
            let all: Vec<Value> = new[attribute].as_array().into_iter().flatten().cloned().collect();
            let listed = if all.is_empty() { Value::Null } else { all.iter().map(read).collect() };
            set(attribute, "person", list, listed);
            set(attribute, "employee", business, at_work(&all));
        }
    }
    wanted
}

/// The whole name: as it was said, else put together, else what others see.
fn whole_name(user: &Value) -> String {
    if let Some(said) = user["name"]["formatted"].as_str() {
        return said.to_owned();
    }
    let part = |name: &str| user["name"][name].as_str();
    match (part("familyName"), part("givenName")) {
        // Names in characters have the family name first, and no space.
        (Some(family), Some(given)) if !family.is_ascii() && !family.contains(' ') => format!("{family}{given}"),
        (Some(family), Some(given)) => format!("{given} {family}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => user["userName"].as_str().unwrap_or_default().to_owned(),
    }
}

/// The address to use at work.
fn at_work(all: &[Value]) -> Value {
    let work =
        || all.iter().filter(|entry| entry["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("work")));
    let found = work().find(|entry| entry["primary"].as_bool() == Some(true)).or_else(|| work().next());
    found.map_or(Value::Null, |entry| entry["value"].clone())
}

/// What an address is for; words that the model has no value for are kept.
fn kind(entry: &Value, into: &mut Value) {
    let Some(word) = entry["type"].as_str() else { return };
    into["type"] = match word {
        "work" | "home" | "mobile" => json!({ "value": word.to_uppercase() }),
        "other" => json!({ "value": "OTHER" }),
        _ => json!({ "value": "OTHER", "raw": word }),
    };
}

fn email(entry: &Value) -> Value {
    let value = entry["value"].as_str().unwrap_or_default();
    let address = value.rsplit_once('@').map(|(local, domain)| format!("{local}@{}", domain.to_lowercase()));
    let mut made = match address {
        Some(address) => json!({ "address": address }),
        None => json!({ "raw": value }),
    };
    kind(entry, &mut made);
    if let Some(primary) = entry["primary"].as_bool() {
        made["is_primary"] = primary.into();
    }
    made
}

fn phone(entry: &Value) -> Value {
    let value = entry["value"].as_str().unwrap_or_default();
    let digits = value.strip_prefix('+').unwrap_or_default();
    let whole = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let mut made = if whole { json!({ "e164": value }) } else { json!({ "raw": value }) };
    kind(entry, &mut made);
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_system_owns_stays_and_is_named() {
        let employee = json!({
            "display_name": "Mei Lin", "status": { "value": "ACTIVE" },
            "sources": [{ "connection_id": "erp" }],
            "field_meta": { "/display_name": { "source": 0, "rule": "x" }, "/username": { "rule": RULE } },
        });
        let old = json!({ "userName": "mei", "displayName": "Mei Lin", "active": true });
        let new = json!({ "userName": "mei.lin", "displayName": "Boss", "active": false });
        let wanted = wanted(&old, &new, &employee, &Value::Null);
        assert_eq!(wanted.left, ["displayName"]);
        assert_eq!(
            Value::Object(wanted.employee),
            json!({ "username": "mei.lin", "status": { "value": "SUSPENDED" } })
        );
        assert_eq!(owner(&employee, "/display_name").as_deref(), Some("erp"));
        assert_eq!(owner(&employee, "/username"), None);
    }

    #[test]
    fn a_field_inside_an_owned_one_is_owned_and_a_longer_name_is_not() {
        let person = json!({
            "sources": [{ "connection_id": "erp" }], "field_meta": { "/name": { "source": 0 } },
        });
        assert_eq!(owner(&person, "/name/family").as_deref(), Some("erp"));
        assert_eq!(owner(&person, "/name_plate"), None);
    }

    #[test]
    fn names_and_addresses_become_what_the_model_holds() {
        let new = json!({
            "userName": "mei", "name": { "familyName": "林", "givenName": "梅" },
            "emails": [{ "value": "Mei@CORP.example", "type": "work", "primary": true }],
            "phoneNumbers": [{ "value": "+8613900000000", "type": "mobile" }, { "value": "ext 7", "type": "desk" }],
        });
        let wanted = wanted(&Value::Null, &new, &Value::Null, &Value::Null);
        assert_eq!(wanted.person["name"], json!({ "family": "林", "given": "梅", "full": "林梅" }));
        assert_eq!(
            wanted.person["emails"],
            json!([{ "address": "Mei@corp.example", "type": { "value": "WORK" }, "is_primary": true }])
        );
        assert_eq!(
            wanted.person["phones"],
            json!([{ "e164": "+8613900000000", "type": { "value": "MOBILE" } },
                   { "raw": "ext 7", "type": { "value": "OTHER", "raw": "desk" } }])
        );
        assert_eq!(
            (&wanted.employee["work_email"], &wanted.employee["status"]),
            (&json!("Mei@CORP.example"), &json!({ "value": "ACTIVE" }))
        );
    }
}
