//! Invented people, pair by pair: what the table says about them, against what is true.
//!
//! The people are made by rule, so that there are enough of them; what makes each kind of pair hard is written beside it.
//! `cargo test -p hub-flow invented_people -- --nocapture` prints how many were found.

use super::facts::Facts;
use super::judge::judge;
use super::rules::Rules;
use hub_tree::{Arena, Limits, json};
use std::collections::BTreeSet;

/// One record: its entity and its fields.
type Said = (&'static str, serde_json::Value);

struct Pair {
    kind: &'static str,
    /// Whether it is one human.
    same: bool,
    a: Said,
    b: Said,
}

const FAMILY: [&str; 6] = ["王", "李", "张", "刘", "陈", "杨"];
const GIVEN: [&str; 6] = ["伟", "秀英", "晓梅", "建国", "雨桐", "志强"];
const LATIN: [(&str, &str); 6] = [
    ("Katarina", "Nowak"),
    ("Tomasz", "Zielinski"),
    ("Miguel", "Fernandez"),
    ("Aisha", "Rahman"),
    ("Jonathan", "Whitfield"),
    ("Ingrid", "Halvorsen"),
];

fn person(name: &str) -> serde_json::Value {
    serde_json::json!({ "name": { "full": name } })
}

/// `with(&person("张伟"), "/birth_date", …)`: the same with one more field.
fn with(of: &serde_json::Value, field: &str, value: serde_json::Value) -> serde_json::Value {
    let mut made = of.clone();
    made[field] = value;
    made
}

fn phone(raw: &str) -> serde_json::Value {
    serde_json::json!([{ "raw": raw }])
}

fn email(address: &str) -> serde_json::Value {
    serde_json::json!([{ "address": address }])
}

fn resident(number: &str) -> serde_json::Value {
    serde_json::json!([{ "type": { "value": "CN_RESIDENT_ID" }, "country": "CN", "number": number }])
}

/// A number in the form of a resident's, of nobody.
fn number(n: usize) -> String {
    format!("99000019900101{:03}X", 100 + n)
}

fn mobile(n: usize) -> String {
    format!("1990000{n:04}")
}

fn pairs() -> Vec<Pair> {
    let mut all = Vec::new();
    let mut add = |kind, same, a: Said, b: Said| all.push(Pair { kind, same, a, b });
    let mut n = 0;
    for family in FAMILY {
        for given in GIVEN {
            n += 1;
            let name = format!("{family}{given}");
            let own = person(&name);
            let born = format!("199{}-0{}-1{}", n % 10, 1 + n % 9, n % 9);
            let mail = format!("someone{n}@mail.example");
            // Hired again: two person records with one identity number.
            let id = with(&own, "national_ids", resident(&number(n)));
            add("hired again", true, ("person", with(&id, "birth_date", born.clone().into())), ("person", id.clone()));
            // An applicant and an employee's person, the telephone written in two ways.
            let plain = with(&own, "phones", phone(&mobile(n)));
            let coded = with(&own, "phones", phone(&format!("+86 {}", mobile(n))));
            add("forms of a telephone number", true, ("candidate", plain.clone()), ("person", coded));
            // Two humans of one name: common in China.
            let other = with(&own, "birth_date", "1971-11-23".into());
            add(
                "one name, two humans",
                false,
                ("person", with(&own, "birth_date", born.clone().into())),
                ("person", other),
            );
            add("one name, nothing else", false, ("candidate", own.clone()), ("person", own.clone()));
            // Twins: born on one day, one home, one telephone; names and numbers differ.
            let twin = person(&format!("{family}{}", if given == "伟" { "磊" } else { "伟" }));
            let home = |of: &serde_json::Value, id: usize| {
                let of = with(of, "national_ids", resident(&number(500 + id)));
                with(&with(&of, "birth_date", born.clone().into()), "phones", phone(&mobile(n)))
            };
            add("twins", false, ("person", home(&own, 2 * n)), ("person", home(&twin, 2 * n + 1)));
            // A parent's telephone in a child's application.
            let parent = with(&person(&format!("{family}国栋")), "phones", phone(&mobile(n)));
            add("a family's telephone", false, ("candidate", plain), ("person", parent));
            // The number was mistyped into somebody else's.
            let stranger = with(&person("赵一鸣"), "national_ids", resident(&number(n)));
            add("somebody else's identity number", false, ("person", id), ("person", stranger));
            // The same address in two systems.
            let one = with(&own, "emails", email(&mail.to_uppercase()));
            add("one address", true, ("candidate", one.clone()), ("person", with(&own, "emails", email(&mail))));
            // A family name that changed with a marriage.
            if given.chars().count() == 2 {
                let now = person(&format!("孙{given}"));
                let born = |of: &serde_json::Value| with(of, "birth_date", "1993-04-05".into());
                let (before, now) =
                    (with(&born(&own), "phones", phone(&mobile(n))), with(&born(&now), "phones", phone(&mobile(n))));
                add("a changed family name", true, ("person", before), ("person", now));
            }
        }
    }
    for (index, (given, family)) in LATIN.into_iter().enumerate() {
        let (own, mail) = (person(&format!("{given} {family}")), format!("{given}.{family}@mail.example"));
        let reach = |of: serde_json::Value| with(&of, "emails", email(&mail));
        let slip: String = format!("{given} {}", family.replacen(family.chars().nth(2).unwrap(), "x", 1));
        add("a slip of the keyboard", true, ("candidate", reach(own.clone())), ("person", reach(person(&slip))));
        let turned = person(&format!("{}, {given}", family.to_uppercase()));
        add("names turned round", true, ("candidate", reach(own.clone())), ("person", reach(turned)));
        let sibling = person(&format!("Benedikta {family}"));
        let call = |of: &serde_json::Value| with(of, "phones", phone(&format!("+4822555010{index}")));
        add("brother and sister, one telephone", false, ("candidate", call(&own)), ("candidate", call(&sibling)));
        let account = serde_json::json!({ "display_name": format!("{given} {family}"), "work_email": mail });
        let chat = serde_json::json!({ "display_name": given, "work_email": mail.to_lowercase() });
        add("accounts of one employee", true, ("employee", account), ("employee", chat));
        let numbered =
            |name: &str| serde_json::json!({ "display_name": name, "employee_number": format!("e-{index}") });
        let name = format!("{given} {family}");
        add("one number and name", true, ("employee", numbered(&name)), ("employee", numbered(&name)));
        add(
            "a number given to the next one",
            false,
            ("employee", numbered(&name)),
            ("employee", numbered("Zoltan Kertesz")),
        );
    }
    all
}

fn facts((entity, said): &Said) -> Facts {
    let (arena, text) = (Arena::new(), said.to_string());
    Facts::of(Rules::embedded(), entity, json::read(&arena, text.as_bytes(), Limits::default()).unwrap())
}

/// The share as a percentage, without fractions of a binary kind.
fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(100)
}

#[test]
fn invented_people_are_never_linked_wrongly_and_mostly_found() {
    let (rules, all) = (Rules::embedded(), pairs());
    let (mut right, mut wrong, mut missed, mut automatic) = (0, 0, 0, 0);
    for pair in &all {
        let (a, b) = (facts(&pair.a), facts(&pair.b));
        // Found at all: by a key that both have.
        let keys: BTreeSet<_> = a.keys().into_iter().collect();
        let met = b.keys().iter().any(|key| keys.contains(key));
        let judged = judge(rules, &a, &b, &BTreeSet::new()).filter(|_| met);
        assert_eq!(judged, judge(rules, &b, &a, &BTreeSet::new()).filter(|_| met), "{}: from both ends", pair.kind);
        match (&judged, pair.same) {
            (Some(judged), true) => {
                right += 1;
                automatic += usize::from(judged.automatic);
            }
            (Some(judged), false) => {
                wrong += 1;
                assert!(!judged.automatic, "{}: linked without asking", pair.kind);
                assert!(!judged.contradictions.is_empty(), "{}: proposed without saying what is odd", pair.kind);
            }
            (None, true) => missed += 1,
            (None, false) => {}
        }
    }
    let (precision, recall) = (percent(right, right + wrong), percent(right, right + missed));
    println!(
        "{} pairs: {right} found ({automatic} linked at once), {missed} missed, {wrong} others proposed; \
         precision {precision} %, recall {recall} %; false automatic links: 0",
        all.len()
    );
    assert!(all.len() >= 200, "{}", all.len());
    assert!(automatic == 36 && recall == 100 && precision >= 80, "precision {precision} %, recall {recall} %");
}

#[test]
fn a_value_that_too_many_have_in_common_is_no_reason() {
    let (a, b) = (
        facts(&("person", with(&person("张伟"), "phones", phone("02155500000")))),
        facts(&("candidate", with(&person("张伟"), "phones", phone("021-5550-0000")))),
    );
    let rules = Rules::embedded();
    assert!(judge(rules, &a, &b, &BTreeSet::new()).is_some());
    let shared = BTreeSet::from([("phone", "02155500000".to_owned())]);
    assert_eq!(judge(rules, &a, &b, &shared), None);
}

#[test]
fn what_speaks_against_an_identity_number_is_named_and_a_person_is_asked() {
    let id = |name: &str, born: &str| {
        with(&with(&person(name), "national_ids", resident(&number(1))), "birth_date", born.into())
    };
    let rules = Rules::embedded();
    let judged = |a: serde_json::Value, b: serde_json::Value| {
        judge(rules, &facts(&("person", a)), &facts(&("person", b)), &BTreeSet::new()).unwrap()
    };
    let odd = judged(id("李娜", "1990-01-01"), id("李娜", "1990-01-10"));
    assert_eq!((odd.automatic, odd.contradictions), (false, vec!["birth_date"]));
    assert_eq!(odd.evidence.iter().map(|(method, _)| method.as_str()).collect::<Vec<_>>(), ["NATIONAL_ID"]);
    let sound = judged(id("李娜", "1990-01-01"), id("李娜", "1990-01-01"));
    assert!(sound.automatic && sound.contradictions.is_empty());
}
