//! `hrhub connector import-wsdl`: what it writes passes every check, and what is wrong is said with its place.

use hub_support::{Backends, Place, project_root, run_hrhub, said};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    project_root().join("tests/golden/wsdl").join(name)
}

fn import(place: &Place, from: &Path, name: &str) -> (bool, Value) {
    let config = place.config();
    let from = from.to_str().unwrap();
    let args =
        ["connector", "import-wsdl", from, "--name", name, "--into", config.to_str().unwrap(), "--format", "json"];
    let output = run_hrhub(args);
    let (found, beside) = said(&output);
    (output.status.success(), serde_json::from_str(&found).unwrap_or_else(|_| Value::from(format!("{found}{beside}"))))
}

#[test]
fn every_description_becomes_a_connector_that_passes_the_check() {
    let place = Place::new(Backends::Embedded);
    for (file, name, operations) in [
        ("hr-erp.wsdl", "hr-erp", vec!["get_employee", "list_employees", "get_salary_band", "sync_payroll_result"]),
        (
            "split/hr-erp-service.wsdl",
            "hr-split",
            vec!["get_employee", "list_employees", "get_salary_band", "sync_payroll_result"],
        ),
        ("hub-push.wsdl", "our-push", vec!["push_employees", "push_payroll_result", "get_push_status"]),
        ("legacy-rpc-encoded.wsdl", "old-erp", vec!["login"]),
    ] {
        let (good, found) = import(&place, &golden(file), name);
        assert!(good, "{file}: {found:#}");
        let names: Vec<&str> =
            found["operations"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, operations, "{file}");
        assert!(place.config().join(format!("connectors/{name}/manifest.yaml")).is_file());
    }
    let config = place.config();
    let output = run_hrhub(["check", config.to_str().unwrap()]);
    assert!(output.status.success(), "{:?}", said(&output));
    let (again, found) = import(&place, &golden("hr-erp.wsdl"), "hr-erp");
    assert!(!again && found.to_string().contains("there already"), "{found}");
}

#[test]
fn what_is_wrong_is_said_with_file_and_line_and_nothing_is_written() {
    let place = Place::new(Backends::Embedded);
    let text = fs::read_to_string(golden("hr-erp.wsdl")).unwrap();
    for (bad, wanted) in [
        (text.replace("type=\"tns:OrgRef\"", "type=\"tns:OrgReff\""), "there is no type `OrgReff`"),
        (format!("{}\n", text.replace("<wsdl:definitions", "<!DOCTYPE a><wsdl:definitions")), "DOCTYPE"),
        (
            text.replace("<wsdl:types>", "<wsdl:import location=\"../../etc/x.wsdl\"/><wsdl:types>"),
            "outside of the folder",
        ),
    ] {
        let file = place.folder().join("bad.wsdl");
        fs::write(&file, bad).unwrap();
        let (good, found) = import(&place, &file, "bad");
        assert!(!good, "{found:#}");
        let one = &found[0];
        assert!(one["message"].as_str().is_some_and(|message| message.contains(wanted)), "{found:#}");
        assert!(one["line"].as_u64().is_some_and(|line| line > 1), "{found:#}");
        assert!(!place.config().join("connectors/bad").exists());
    }
}
