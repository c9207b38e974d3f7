//! `kill -9` while a file is applied, and while it is undone: each row counts once, and nothing of it stays.

use hub_support::{Backends, Node, Place, free_port, wait_for};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(300);
const ROWS: i64 = 2_000;

/// The processes of a hub: one that takes requests, and one that works; on the embedded default they are one.
struct Hub<'p> {
    place: &'p Place,
    servers: bool,
    worker_port: u16,
    edge: Option<Node>,
    worker: Option<Node>,
}

impl<'p> Hub<'p> {
    fn start(place: &'p Place, backends: Backends) -> Self {
        let servers = backends == Backends::Servers;
        let mut hub = Self { place, servers, worker_port: free_port(), edge: None, worker: None };
        if servers {
            hub.edge = Some(place.serve_as("edge", "edge", place.port));
        }
        hub.work();
        hub
    }

    fn work(&mut self) {
        let (role, port) = if self.servers { ("worker", self.worker_port) } else { ("all", self.place.port) };
        self.worker = Some(self.place.serve_as(role, role, port));
    }

    /// Kills who works at a moment that `ready` names, and starts it again.
    fn kill_when(&mut self, what: &str, mut ready: impl FnMut() -> bool) {
        wait_for(what, LIMIT, || ready().then_some(()));
        if let Some(worker) = self.worker.take() {
            worker.running.kill();
        }
        self.work();
    }
}

fn post(place: &Place, path: &str, body: Vec<u8>) -> Value {
    let request = place.http().post(place.url(path)).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).body(body);
    let answer = request.send().unwrap();
    let (status, body): (u16, Value) = (answer.status().as_u16(), answer.json().unwrap());
    assert!(status < 300, "{path}: {status} {body}");
    body
}

fn settled(place: &Place, path: &str, state: &str) -> Value {
    wait_for(state, LIMIT, || {
        let found = place.get(path);
        assert_ne!(found["state"], "FAILED", "{found}");
        (found["state"] == state).then_some(found)
    })
}

/// Version and whether it is deleted of every employee, by number.
fn employees(place: &Place) -> BTreeMap<String, (i64, bool)> {
    let (mut all, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let page = place.get(&format!("/v1/employees?limit=500&include_deleted=true{cursor}"));
        for one in page["data"].as_array().unwrap() {
            let number = one["employee_number"].as_str().unwrap().to_owned();
            let known = all.insert(number, (one["version"].as_i64().unwrap(), !one["deleted_at"].is_null()));
            assert_eq!(known, None, "an employee is there twice");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn each_row_counts_once(backends: Backends) {
    let place = Place::new(backends);
    let mut hub = Hub::start(&place, backends);
    let mut file = "工号,姓名,手机,入职日期,基本工资\n".to_owned();
    for n in 0..ROWS {
        // Every hundredth is bad.
        let pay = if n % 100 == 99 { "面议" } else { "8000.50" };
        file.push_str(&format!("A{n:05},李娜,199{n:08},2020-01-02,{pay}\n"));
    }
    let begun = post(&place, "/v1/imports?as=employee&file_name=staff.csv", file.into_bytes());
    let id = begun["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/imports/{id}");
    let checked = settled(&place, &path, "CHECKED");
    let good = ROWS - ROWS / 100;
    assert_eq!(checked["rows"]["good"], good, "{checked}");
    post(&place, &format!("{path}:apply"), Vec::new());
    let at_work = |state: &str, of: [&str; 2], from: i64| {
        let found = place.get(&path);
        assert_eq!(found["state"], state, "it ended before it could be killed: {found}");
        found[of[0]][of[1]].as_i64().unwrap() >= from
    };
    for from in [100, 700] {
        hub.kill_when("rows to be applied", || at_work("APPLYING", ["rows", "applied"], from));
    }
    let applied = settled(&place, &path, "APPLIED");
    assert_eq!(applied["rows"]["applied"], good, "{applied}");
    let made = employees(&place);
    assert_eq!(made.len() as i64, good);
    assert!(made.values().all(|one| *one == (1, false)), "a row was applied twice");
    assert!(!made.contains_key("A00099"), "a bad row was applied");
    post(&place, &format!("{path}:undo"), Vec::new());
    hub.kill_when("records to be undone", || at_work("UNDOING", ["records", "undone"], 500));
    let undone = settled(&place, &path, "UNDONE");
    assert_eq!((&undone["records"]["kept"], &undone["records"]["undone"]), (&0.into(), &applied["records"]["created"]));
    let gone = employees(&place);
    assert!(gone.len() as i64 == good && gone.values().all(|one| *one == (2, true)), "a record was not undone once");
}

#[test]
fn each_row_counts_once_when_the_hub_is_killed_on_the_embedded_default() {
    each_row_counts_once(Backends::Embedded);
}

#[test]
fn each_row_counts_once_when_a_worker_is_killed_on_rabbitmq_and_postgresql() {
    each_row_counts_once(Backends::Servers);
}
