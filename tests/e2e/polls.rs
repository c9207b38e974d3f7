//! What a callback leaves out is fetched; what a vendor does not tell is read in rounds, page by page and branch by
//! branch, and what a complete round does not name is gone. The vendor of these tests is data alone.

use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

const MANIFEST: &str = r#"version: 1
vendor: kestrel-oa
name: Kestrel OA
family: chat
driver: http
base_url: http://127.0.0.1:1
egress: [127.0.0.1]
settings: { webhook_secret: { secret: true } }
webhook:
  verify: { kind: hmac_sha256, header: signature, prefix: "sha256 " }
  event: payload.event
  dedupe: text(payload.id)
  events:
    joined: { fetch: [{ operation: get_person, each: payload.people, with: { id: item } }] }
    left: left
operations:
  get_person:
    get: /people/{args.id}
    reply: person
    errors: [{ when: status == 404, means: absent }]
  list_departments:
    post: /departments
    body: args
    reads: true
    reply: department
    then:
      - { operation: list_departments, each: payload.items, with: { under: item.id } }
      - { operation: list_people, each: payload.items, with: { department: item.id, after: 0 } }
  list_people:
    get: /departments/{args.department}/people
    query: { after: "{args.after}" }
    reply: people
    then: [{ operation: list_people, when: exists(payload.next), with: { department: args.department, after: payload.next } }]
  read_cards:
    post: /cards
    body: args
    reads: true
polls:
  directory:
    every: 1h
    begin: [{ operation: list_departments, with: { under: '"root"' } }]
    complete_for: [department, employee]
    at_most_gone: 40
  cards:
    every: 1h
    begin: [{ operation: read_cards, over: employee, batch: 2, with: { ids: item } }]
"#;

const SANDBOX: &str = r#"version: 1
vendor: kestrel-oa
settings: { webhook_secret: kestrel }
seed:
  departments:
    d1: { id: d1, under: root, name: 总部 }
    d2: { id: d2, under: d1, name: 研发部 }
    d3: { id: d3, under: d1, name: 人事部 }
  people:
    "1": { id: 1, department: d2, name: 何沐阳 }
    "2": { id: 2, department: d2, name: 苏晨 }
    "3": { id: 3, department: d2, name: 林晓雨 }
    "4": { id: 4, department: d3, name: 方启明 }
    "5": { id: 5, department: d3, name: 高睿 }
routes:
  - post: /departments
    let: { all: { in: departments }, trouble: { in: troubles, key: '"departments"' } }
    refuse: [{ when: exists(trouble) and trouble.on, status: 403, body: { error: forbidden } }]
    answer: { body: { items: "{where(all, item.under == body.under and not (item.gone ?? false))}" } }
  - get: /departments/{id}/people
    let:
      all: { in: people }
      here: where(all, item.department == path.id and not (item.gone ?? false) and item.id > number(query.after))
      one: first(here)
    effect: { page: 'path.id & "/" & query.after' }
    answer: { body: { items: "{take(here, 1)}", next: "{if(count(here) > 1, one.id, null)}" } }
  - get: /people/{id}
    let: { one: { in: people, key: path.id } }
    refuse: [{ when: not exists(one), status: 404, body: { error: nobody } }]
    effect: { read: path.id }
    answer: { body: "{one}" }
  - post: /cards
    effect: { cards: 'join(body.ids, "+")' }
    answer: { body: { ok: true } }
actions:
  person: { keep: [{ in: people, key: text(body.id), set: { id: "{body.id}", department: "{body.department}", name: "{body.name}", gone: "{body.gone ?? false}" } }], answer: { body: { ok: true } } }
  department: { keep: [{ in: departments, key: body.id, set: { id: "{body.id}", under: "{body.under}", name: "{body.name}", gone: "{body.gone ?? false}" } }], answer: { body: { ok: true } } }
  trouble: { keep: [{ in: troubles, key: '"departments"', set: { on: "{body.on}" } }], answer: { body: { ok: true } } }
"#;

const DEPARTMENT: &str = "version: 1\nfrom: kestrel-oa/department\nemit:\n  - { to: department, each: payload.items, \
    key: item.id, fields: { name: { path: item.name } } }\n";
const PEOPLE: &str = "version: 1\nfrom: kestrel-oa/people\nemit:\n  - { to: employee, each: payload.items, \
    key: text(item.id), fields: { display_name: { path: item.name } } }\n";
const PERSON: &str = "version: 1\nfrom: kestrel-oa/person\nemit:\n  - { to: employee, key: text(payload.id), \
    fields: { display_name: { path: payload.name } } }\n";
const LEFT: &str = "version: 1\nfrom: kestrel-oa/left\nemit:\n  - { to: employee, each: payload.people, key: text(item), \
    deleted: true, fields: { } }\n";

fn place(backends: Backends) -> Place {
    let place = Place::new(backends);
    let write = |file: &str, text: &str| {
        let path = place.config().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("connectors/kestrel-oa/manifest.yaml", MANIFEST);
    write("connectors/kestrel-oa/sandbox.yaml", SANDBOX);
    write("mappings/kestrel-oa/department.in.yaml", DEPARTMENT);
    write("mappings/kestrel-oa/people.in.yaml", PEOPLE);
    write("mappings/kestrel-oa/person.in.yaml", PERSON);
    write("mappings/kestrel-oa/left.in.yaml", LEFT);
    let connection = format!(
        "id: oa\nconnector: kestrel-oa\npolls: [directory, cards]\nsettings: {{ webhook_secret: kestrel, base_url: \
         \"http://127.0.0.1:{}/kestrel-oa\" }}\nretry: {{ first_ms: 50, tries: 3 }}\n",
        place.sandbox_port
    );
    write("connections/oa.yaml", &connection);
    place
}

fn names(place: &Place, collection: &str) -> Vec<String> {
    let records = place.get(&format!("/v1/{collection}?connection=oa&limit=100"));
    let field = if collection == "departments" { "name" } else { "display_name" };
    let name = |record: &Value| record[field].as_str().unwrap_or_else(|| panic!("{record:#}")).to_owned();
    let mut names: Vec<String> = records["data"].as_array().unwrap().iter().map(name).collect();
    names.sort();
    names
}

fn rounds(place: &Place, poll: &str) -> Vec<Value> {
    let polls = place.get("/v1/connections/oa/polls");
    let found = polls["data"].as_array().unwrap().iter().find(|known| known["name"] == poll).cloned();
    found.unwrap()["rounds"].as_array().unwrap().clone()
}

/// Waits until so many rounds have ended, and gives the last one.
fn ended(place: &Place, poll: &str, count: usize) -> Value {
    wait_until(LIMIT, || {
        let rounds = rounds(place, poll);
        let open = rounds.iter().any(|round| round["state"] == "open");
        if rounds.len() == count && !open { Ok(rounds[0].clone()) } else { Err(format!("{count} rounds: {rounds:#?}")) }
    })
}

fn run(place: &Place, poll: &str) {
    let url = place.url(&format!("/v1/connections/oa/polls/{poll}:run"));
    let answer = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    assert_eq!(answer.status(), 202, "{:?}", answer.text());
}

fn act(place: &Place, action: &str, body: &Value) {
    let url = place.sandbox_url(&format!("/_sandbox/kestrel-oa/{action}"));
    assert!(place.http().post(url).body(body.to_string()).send().unwrap().status().is_success());
}

fn person(place: &Place, id: u32, name: &str, gone: bool) {
    act(place, "person", &json!({ "id": id, "department": "d2", "name": name, "gone": gone }));
}

fn hook(place: &Place, body: &Value) {
    hook_at(place, "oa", body);
}

fn hook_at(place: &Place, connection: &str, body: &Value) {
    let text = body.to_string();
    let digest = hub_kit::verify::hmac_sha256(b"kestrel", &[text.as_bytes()]);
    let signature = format!("sha256 {}", hex::encode(digest));
    let request =
        place.http().post(place.url(&format!("/hooks/{connection}"))).header("content-type", "application/json");
    assert_eq!(request.header("signature", signature).body(text).send().unwrap().status(), 200);
}

fn parked(place: &Place) -> Vec<Value> {
    place.get("/v1/parked")["data"].as_array().unwrap().clone()
}

fn rounds_keep_in_step(backends: Backends) {
    let place = place(backends);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    let first = ended(&place, "directory", 1);

    assert_eq!((&first["state"], &first["failed_calls"], &first["gone"]), (&json!("complete"), &json!(0), &json!(0)));
    // Four levels of departments, one page for d1, three for d2, two for d3.
    assert_eq!(first["calls"], json!(4 + 1 + 3 + 2), "{first:#}");
    assert_eq!(names(&place, "departments"), ["人事部", "总部", "研发部"]);
    assert_eq!(names(&place, "employees"), ["何沐阳", "方启明", "林晓雨", "苏晨", "高睿"]);

    // Somebody has left, somebody is called otherwise, somebody is new.
    person(&place, 1, "何沐阳", true);
    person(&place, 2, "苏晨晨", false);
    person(&place, 6, "周子墨", false);
    let before = place.get("/v1/employees?connection=oa");
    run(&place, "directory");
    let second = ended(&place, "directory", 2);
    assert_eq!((&second["state"], &second["gone"]), (&json!("complete"), &json!(1)), "{second:#}");
    assert_eq!(names(&place, "employees"), ["周子墨", "方启明", "林晓雨", "苏晨晨", "高睿"]);
    // What is as it was has no new version.
    let version = |records: &Value, name: &str| {
        let found = records["data"].as_array().unwrap().iter().find(|record| record["display_name"] == name).cloned();
        found.unwrap()["version"].clone()
    };
    assert_eq!(version(&place.get("/v1/employees?connection=oa"), "高睿"), version(&before, "高睿"));

    // Batches of those who are there, in one call each.
    run(&place, "cards");
    wait_until(LIMIT, || {
        let effects = place.effects();
        let cards: Vec<_> = effects.iter().map(|(name, _)| name).filter(|name| name.contains("cards")).collect();
        if cards.iter().any(|name| name.contains("2+3")) && cards.iter().any(|name| name.ends_with(" 6")) {
            Ok(())
        } else {
            Err(format!("{cards:?}"))
        }
    });
}

#[test]
fn rounds_read_pages_and_branches_and_keep_in_step() {
    rounds_keep_in_step(Backends::Embedded);
}

#[test]
fn rounds_read_pages_and_branches_and_keep_in_step_on_rabbitmq_and_postgresql() {
    rounds_keep_in_step(Backends::Servers);
}

#[test]
fn a_round_that_failed_half_way_deletes_nobody_and_one_that_misses_many_asks() {
    let place = place(Backends::Embedded);
    let _sandbox = place.sandbox();
    let hub = place.serve();
    ended(&place, "directory", 1);

    // A department may not be read any more: that says nothing about its people.
    act(&place, "trouble", &json!({ "on": true }));
    run(&place, "directory");
    let failed = ended(&place, "directory", 2);
    assert_eq!((&failed["state"], &failed["gone"]), (&json!("failed"), &json!(0)), "{failed:#}");
    assert_eq!(names(&place, "employees").len(), 5);
    assert_eq!(parked(&place)[0]["kind"], "call");

    // The vendor shows nearly nobody: a person is asked, and nobody is deleted meanwhile.
    act(&place, "trouble", &json!({ "on": false }));
    for (id, name) in [(1, "何沐阳"), (2, "苏晨"), (3, "林晓雨")] {
        person(&place, id, name, true);
    }
    for count in [3, 4] {
        run(&place, "directory");
        let held = ended(&place, "directory", count);
        assert_eq!((&held["state"], &held["gone"]), (&json!("held"), &json!(3)), "{held:#}");
        assert_eq!(names(&place, "employees").len(), 5);
    }
    let open: Vec<Value> = parked(&place).into_iter().filter(|parked| parked["kind"] == "round").collect();
    assert_eq!(open.len(), 1, "a newer round takes the place of an older one: {open:#?}");
    assert_eq!(open[0]["code"], "MASS_DELETION");
    let reason = open[0]["reason"].as_str().unwrap();
    assert!(reason.contains("3 of 5 employees") && reason.contains("40 %"), "{reason}");
    assert!(open[0]["place"].as_str().unwrap().contains("manifest.yaml:"), "{:#}", open[0]);

    // Somebody comes back before the decision.
    act(&place, "person", &json!({ "id": 3, "department": "d2", "name": "林小雨", "gone": false }));
    hook(&place, &json!({ "id": 1, "event": "joined", "people": [3] }));
    wait_until(LIMIT, || {
        let found = names(&place, "employees");
        if found.contains(&"林小雨".to_owned()) { Ok(()) } else { Err(format!("{found:?}")) }
    });

    let body = json!({ "ids": [open[0]["id"]] });
    let url = place.url("/v1/parked:redrive");
    let answer = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).json(&body).send().unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().unwrap());
    wait_until(LIMIT, || {
        let left = names(&place, "employees");
        if left == ["方启明", "林小雨", "高睿"] { Ok(()) } else { Err(format!("{left:?}")) }
    });
    assert!(hub.stop().success());
}

#[test]
fn what_a_callback_leaves_out_is_fetched_once_and_who_is_gone_bothers_nobody() {
    let place = place(Backends::Embedded);
    place.edit("connections/oa.yaml", |text| text.replace("polls: [directory, cards]\n", ""));
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    for id in [7, 7, 8] {
        hook(&place, &json!({ "id": id, "event": "joined", "people": [1, 4, 99] }));
    }
    wait_until(LIMIT, || {
        let found = names(&place, "employees");
        if found == ["何沐阳", "方启明"] { Ok(()) } else { Err(format!("{found:?}")) }
    });
    // Both events have been followed up; what is read later would be news.
    wait_until(LIMIT, || {
        let reads: u64 = place.effects().iter().filter(|(name, _)| name.contains(" read ")).map(|(_, n)| n).sum();
        if reads == 4 { Ok(()) } else { Err(format!("{reads} of 4 reads")) }
    });
    hook(&place, &json!({ "id": 9, "event": "left", "people": [1] }));
    wait_until(LIMIT, || {
        let found = names(&place, "employees");
        if found == ["方启明"] { Ok(()) } else { Err(format!("{found:?}")) }
    });
    assert_eq!(parked(&place), Vec::<Value>::new());
    // The journey says what was read, and that one of them is not there.
    let traces = place.get("/v1/journeys?limit=50");
    let details: Vec<String> = traces["data"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|journey| {
            let steps = place.get(&format!("/v1/journeys/{}", journey["trace_id"].as_str().unwrap()))["steps"].clone();
            steps.as_array().unwrap().iter().map(|step| step["detail"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    let about = |text: &str| details.iter().filter(|detail| detail.contains(text)).count();
    assert_eq!(about("what it leaves out is read by get_person"), 6, "{details:#?}");
    assert_eq!(about("get_person: HUB-C206 not there (HTTP 404)"), 2, "{details:#?}");
}

#[test]
fn a_round_goes_on_where_it_was_when_the_hub_was_killed() {
    let place = place(Backends::Embedded);
    let _sandbox = place.sandbox();
    place.turn(&json!({ "slow_ms": 300 }));
    let hub = place.serve();
    wait_until(LIMIT, || {
        let calls = rounds(&place, "directory").first().map(|round| round["calls"].clone());
        if calls.as_ref().and_then(Value::as_i64) > Some(3) { Ok(()) } else { Err(format!("{calls:?} calls")) }
    });
    hub.kill();
    place.turn(&json!({}));
    let _hub = place.serve();
    let round = ended(&place, "directory", 1);
    assert_eq!((&round["state"], &round["calls"]), (&json!("complete"), &json!(10)), "{round:#}");
    assert_eq!(names(&place, "employees").len(), 5);
}

/// The vendor with tokens: each is good until somebody withdraws all that there are.
fn with_tokens(backends: Backends) -> Place {
    let place = place(backends);
    place.edit("connectors/kestrel-oa/manifest.yaml", |text| {
        let auth = "auth: { kind: token, post: /token, json: { app: \"{settings.client_id}\" }, token: payload.token, \
                    expires_in: '3600', header: authorization, prefix: \"Bearer \" }\n";
        text.replace("webhook:\n", &format!("{auth}webhook:\n"))
    });
    place.edit("connectors/kestrel-oa/sandbox.yaml", |text| {
        let guard = r#"guard:
  let:
    token: { in: tokens, key: 'headers.authorization ?? ""' }
    since: { in: rules, key: '"since"' }
  refuse: [{ when: 'not exists(token) or token.id < (since.id ?? 0)', status: 401, body: { error: token } }]
routes:
  - post: /token
    open: true
    effect: { token: body.app }
    keep: [{ in: tokens, key: '"Bearer " & fresh.token', set: { id: "{fresh.id}" } }]
    answer: { body: { token: "{fresh.token}" } }
"#;
        let withdraw =
            "actions:\n  withdraw: { keep: [{ in: rules, key: '\"since\"', set: { id: \"{fresh.id}\" } }] }\n";
        text.replace("routes:\n", guard).replace("actions:\n", withdraw)
    });
    place.edit("connections/oa.yaml", |text| {
        text.replace("polls: [directory, cards]\n", "")
            .replace("webhook_secret: kestrel,", "webhook_secret: kestrel, client_id: app-1,")
    });
    place
}

/// How often each app asked for a token.
fn tokens(place: &Place) -> Vec<(String, u64)> {
    place.effects().into_iter().filter(|(name, _)| name.contains("kestrel-oa token")).collect()
}

#[test]
fn one_token_serves_all_processes_and_all_connections_of_an_app_and_another_app_has_its_own() {
    let place = with_tokens(Backends::Servers);
    // A second connection of the same app, and one of another.
    let text = fs::read_to_string(place.config().join("connections/oa.yaml")).unwrap();
    fs::write(place.config().join("connections/oa-2.yaml"), text.replace("id: oa\n", "id: oa-2\n")).unwrap();
    let other = text.replace("id: oa\n", "id: oa-3\n").replace("app-1", "app-2");
    fs::write(place.config().join("connections/oa-3.yaml"), other).unwrap();
    let _sandbox = place.sandbox();
    let _edge = place.serve_as("edge", "edge", place.port);
    let _workers: Vec<_> =
        (1..=3).map(|n| place.serve_as("worker", &format!("worker-{n}"), hub_support::free_port())).collect();
    let everybody_asks = |from: i64, reads: u64| {
        for id in from..from + 20 {
            for connection in ["oa", "oa-2", "oa-3"] {
                hook_at(&place, connection, &json!({ "id": id, "event": "joined", "people": [1, 2, 3, 4, 5] }));
            }
        }
        wait_until(LIMIT, || {
            assert_eq!(parked(&place), Vec::<Value>::new());
            let effects = place.effects();
            let read: u64 = effects.iter().filter(|(name, _)| name.contains(" read ")).map(|(_, count)| count).sum();
            if read == reads { Ok(()) } else { Err(format!("{read} of {reads} reads")) }
        });
    };
    everybody_asks(0, 300);
    let once =
        |count: u64| vec![("kestrel-oa token app-1".to_owned(), count), ("kestrel-oa token app-2".to_owned(), count)];
    assert_eq!(tokens(&place), once(1));
    act(&place, "withdraw", &json!({}));
    everybody_asks(1_000, 600);
    assert_eq!(tokens(&place), once(2));
}

#[test]
fn a_vendor_sees_no_more_calls_than_it_takes_however_many_workers_there_are() {
    let place = place(Backends::Servers);
    place.edit("connections/oa.yaml", |text| text.replace("polls: [directory, cards]\n", ""));
    let text = fs::read_to_string(place.config().join("connections/oa.yaml")).unwrap();
    fs::write(place.config().join("connections/oa-2.yaml"), text.replace("id: oa\n", "id: oa-2\n")).unwrap();
    // Of ten a day two may come at once.
    place.edit("connections/oa.yaml", |text| format!("{text}limits: {{ each: {{ per_day: 10 }} }}\n"));
    let _sandbox = place.sandbox();
    let _edge = place.serve_as("edge", "edge", place.port);
    let _workers: Vec<_> =
        (1..=2).map(|n| place.serve_as("worker", &format!("worker-{n}"), hub_support::free_port())).collect();
    let joined = json!({ "id": 1, "event": "joined", "people": [1, 2, 3, 4, 5] });
    hook_at(&place, "oa", &joined);
    let known = |connection: &str| {
        place.get(&format!("/v1/employees?connection={connection}"))["data"].as_array().unwrap().len()
    };
    let until = |connection: &str, count: usize| {
        wait_until(LIMIT, || if known(connection) == count { Ok(()) } else { Err(format!("{}", known(connection))) });
    };
    until("oa", 2);
    // The others wait, and nobody else with them.
    hook_at(&place, "oa-2", &joined);
    until("oa-2", 5);
    assert_eq!(known("oa"), 2);
    assert_eq!(parked(&place), Vec::<Value>::new());
}
