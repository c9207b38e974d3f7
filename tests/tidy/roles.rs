//! What each role may do is a reviewed list: every operation of the API, asked by a key of every role.

use crate::check_list;
use hub_support::{Backends, Place, hrhub, said};
use std::process::Command;

const ROLES: [&str; 6] = ["admin", "mapping_editor", "approver", "operator", "auditor", "app"];

/// An address of an operation, with ids that there are not.
fn address(path: &str) -> String {
    let part = |part: &str| match part.split_once('{') {
        None => part.to_owned(),
        Some((before, rest)) => {
            let (name, after) = rest.split_once('}').unwrap();
            let value = match name {
                "collection" => "applications".to_owned(),
                "name" => "distribution".to_owned(),
                "trace_id" => "a".repeat(32),
                _ => "01900000-0000-7000-8000-000000000000".to_owned(),
            };
            format!("{before}{value}{after}")
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn what_each_role_may_do_is_a_reviewed_list() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let config = place.config();
    let key = |role: &str| {
        let mut command = Command::new(hrhub());
        command.args(["apps", "create", "--name", role, "--roles", role, "--config", config.to_str().unwrap()]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{:?}", said(&output));
        said(&output).0.trim().to_owned()
    };
    let keys: Vec<(&str, String)> = ROLES.iter().map(|role| (*role, key(role))).collect();
    let (mut list, mut asked) = (String::new(), 0);
    for (path, method, needs) in hub_api::spec::operations() {
        if needs.is_empty() {
            continue;
        }
        let mut may = Vec::new();
        for (role, key) in &keys {
            let (http, url) = (place.http(), place.url(&address(path)));
            let request = match method {
                "GET" => http.get(url),
                "POST" => http.post(url),
                "PUT" => http.put(url),
                "PATCH" => http.patch(url),
                "DELETE" => http.delete(url),
                other => panic!("{other} is not asked"),
            };
            let answer = request.bearer_auth(key).send().unwrap();
            let status = answer.status().as_u16();
            assert!(status != 401 && status < 500, "{role}: {method} {path}: {status}");
            if status != 403 {
                may.push(*role);
            }
            asked += 1;
        }
        let may = if may.len() == ROLES.len() { "everybody".to_owned() } else { may.join(", ") };
        list.push_str(&format!("{method} {path}: {may}\n"));
    }
    assert!(asked > 200, "only {asked} were asked");
    check_list("roles.txt", &list);
}
