//! `hrhub connector import-wsdl`: what it writes passes every check, and what is wrong is said with its place.

use crate::callbacks::peers::{python, run};
use hub_support::{Backends, Place, project_root, run_hrhub, said};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

#[test]
fn an_independent_library_sees_the_same_operations_and_reads_our_examples_as_its_messages() {
    let place = Place::new(Backends::Embedded);
    let odd = place.folder().join("odd");
    fs::create_dir_all(odd.join("parts")).unwrap();
    fs::write(odd.join("odd.wsdl"), ODD).unwrap();
    fs::write(odd.join("parts/common.xsd"), COMMON).unwrap();
    let files = ["hr-erp.wsdl", "split/hr-erp-service.wsdl", "hub-push.wsdl"].map(golden);
    for (number, file) in files.into_iter().chain([odd.join("odd.wsdl")]).enumerate() {
        let name = format!("erp-{number}");
        let (good, found) = import(&place, &file, &name);
        assert!(good, "{}: {found:#}", file.display());
        let listed = place.folder().join("listed.json");
        fs::write(&listed, found.to_string()).unwrap();
        let samples = place.config().join(format!("connectors/{name}/samples"));
        let script = project_root().join("tests/e2e/peers/wsdl.py");
        let said = run(Command::new(python()).arg(script).arg(&file).arg(samples).arg(&listed));
        assert_eq!(said.trim(), found["operations"].as_array().unwrap().len().to_string());
    }
}

/// A chameleon include, a base of another namespace, unqualified elements, groups, references, attributes.
const COMMON: &str = r#"<x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">
  <x:include schemaLocation="../parts/common.xsd"/>
  <x:complexType name="Ref"><x:sequence><x:element name="code" type="Code"/></x:sequence><x:attribute name="kind" type="x:string"/></x:complexType>
  <x:simpleType name="Code"><x:restriction base="x:string"><x:enumeration value="A"/><x:enumeration value="B"/></x:restriction></x:simpleType>
</x:schema>"#;
// The library gives unprefixed names of an included part the default namespace of whoever includes it: there is none.
const ODD: &str = r#"<w:definitions xmlns:w="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:odd" xmlns:u="urn:other" targetNamespace="urn:odd" name="Odd">
  <w:types>
    <x:schema targetNamespace="urn:other"><x:include schemaLocation="parts/common.xsd"/>
      <x:element name="mark" type="u:Ref"/></x:schema>
    <x:schema targetNamespace="urn:odd" elementFormDefault="qualified"><x:import namespace="urn:other"/>
      <x:include schemaLocation="parts/common.xsd"/>
      <x:group name="Both"><x:sequence><x:element name="from" type="x:date"/><x:element name="to" type="x:date" minOccurs="0"/></x:sequence></x:group>
      <x:complexType name="Base"><x:sequence><x:element name="id" type="x:int"/><x:element name="plain" type="x:string" form="unqualified"/></x:sequence></x:complexType>
      <x:complexType name="Wide"><x:complexContent><x:extension base="t:Base"><x:sequence><x:group ref="t:Both"/><x:element ref="u:mark" maxOccurs="2"/><x:element name="own" type="t:Ref"/></x:sequence></x:extension></x:complexContent></x:complexType>
      <x:element name="AskWide"><x:complexType><x:sequence><x:element name="wide" type="t:Wide"/><x:element name="amount"><x:complexType><x:simpleContent><x:extension base="x:decimal"><x:attribute name="currency" type="x:string" use="required"/></x:extension></x:simpleContent></x:complexType></x:element></x:sequence></x:complexType></x:element>
      <x:element name="AskWideResponse"><x:complexType><x:sequence><x:element name="ok" type="x:boolean"/></x:sequence></x:complexType></x:element>
    </x:schema>
  </w:types>
  <w:message name="In"><w:part name="parameters" element="t:AskWide"/></w:message>
  <w:message name="Out"><w:part name="parameters" element="t:AskWideResponse"/></w:message>
  <w:portType name="P"><w:operation name="AskWide"><w:input message="t:In"/><w:output message="t:Out"/></w:operation></w:portType>
  <w:binding name="B" type="t:P"><soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
    <w:operation name="AskWide"><soap:operation soapAction="urn:ask"/><w:input><soap:body use="literal"/></w:input><w:output><soap:body use="literal"/></w:output></w:operation></w:binding>
  <w:service name="S"><w:port name="Q" binding="t:B"><soap:address location="http://localhost:8080/odd"/></w:port></w:service>
</w:definitions>"#;
