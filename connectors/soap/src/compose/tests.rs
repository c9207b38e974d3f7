use super::*;
use hub_kit::manifest::Manifest;
use hub_tree::{Findings, Limits, Source, json};

/// A manifest with one operation, and what its request holds.
fn composed(types: &str, soap: &str, content: &str) -> Result<String, String> {
    let text = format!(
        "version: 1\nvendor: erp\nname: ERP\nfamily: erp\ndriver: soap\nnamespaces: {{ t: 'urn:one', c: 'urn:two' }}\n{types}\
         operations:\n  ask: {{ soap: {soap}, reads: true }}\n"
    );
    let findings = Findings::new();
    let manifest = Manifest::compile("erp", &Source::new("manifest.yaml", text), &findings);
    let manifest = manifest.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()));
    let soap = manifest.operations[0].request.soap.as_ref().unwrap();
    let arena = Arena::new();
    let content = json::read(&arena, content.as_bytes(), Limits::default()).unwrap();
    compose(Version::V11, soap, &manifest.types, &content).map(|composed| composed.xml)
}

#[test]
fn content_without_a_description_is_written_as_it_is_given() {
    for (soap, content, wanted) in [
        (
            "{ element: { name: Ask, namespace: 'urn:x' } }",
            r#"{"a":"1<2","b":[1,2]}"#,
            r#"<Ask xmlns="urn:x"><a>1&lt;2</a><b>1</b><b>2</b></Ask>"#,
        ),
        (
            "{ element: { name: Ask, namespace: 'urn:x' }, style: rpc }",
            r#"{"a":"1"}"#,
            r#"<ns1:Ask xmlns:ns1="urn:x"><a>1</a></ns1:Ask>"#,
        ),
        ("{ element: { name: Ask } }", "null", "<Ask/>"),
        (
            "{ element: { name: Ask, namespace: 'urn:x' }, qualified: false }",
            r#"{"@xmlns:y":"urn:y","y:a":"1"}"#,
            r#"<ns1:Ask xmlns:ns1="urn:x" xmlns:y="urn:y"><y:a>1</y:a></ns1:Ask>"#,
        ),
    ] {
        assert_eq!(composed("", soap, content).as_deref(), Ok(wanted), "{soap}");
    }
    let encoded =
        composed("", "{ element: { name: login, namespace: 'urn:x' }, style: encoded }", r#"{"user":"hub","n":1}"#)
            .unwrap();
    assert!(
        encoded.contains(r#"<user xsi:type="xsd:string">hub</user><n xsi:type="xsd:int">1</n></ns1:login>"#),
        "{encoded}"
    );
    assert!(encoded.contains(" soapenv:encodingStyle="), "{encoded}");
    assert!(composed("", "{ element: { name: Ask } }", r#"{"a":[[1]]}"#).unwrap_err().contains("list in a list"));
}

const TYPES: &str = "types:\n  Ask: { fields: { person: Person, page: int?, asOf: date? } }\n  \
    Person: { qualified: false, fields: { no: No, name: string, c:left: date? nil, tag: string*, photo: base64?, more: any? }, attributes: { change: string? } }\n  \
    No: { base: string, max_length: 5 }\n  Sum: { text: decimal, attributes: { currency: string } }\n  \
    Lines: { fields: { all: Items, sum: Sum? } }\n  Items: { array: Line }\n  Line: { qualified: false, fields: { n: int } }\n";

#[test]
fn a_described_message_has_the_order_the_namespaces_and_the_values_of_its_type() {
    let ask = |content: &str| composed(TYPES, "{ type: Ask }", content);
    assert_eq!(
        ask(
            r#"{"asOf":"","page":2,"person":{"tag":["x","y"],"left":null,"name":"A & 李","no":"007","@change":"new"}}"#
        )
        .as_deref(),
        Ok(concat!(
            r#"<t:Ask xmlns:t="urn:one" xmlns:c="urn:two" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">"#,
            r#"<t:person change="new"><no>007</no><name>A &amp; 李</name><c:left xsi:nil="true"/><tag>x</tag><tag>y</tag></t:person>"#,
            "<t:page>2</t:page></t:Ask>"
        ))
    );
    for (content, wanted) in [
        ("{}", "`person` is missing"),
        (r#"{"person":{"no":"1","name":"x"},"pgae":1}"#, "`pgae` is not described"),
        (r#"{"person":{"no":"123456","name":"x"}}"#, "`person.no` is longer"),
        (r#"{"person":{"no":"1","name":"x"},"asOf":"31.12.2025"}"#, "`asOf` is no value of the type date"),
        (r#"{"person":{"no":"1","name":null}}"#, "`person.name` has no value"),
        (r#"{"person":{"no":"1","name":["x","y"]}}"#, "`person.name` is a list"),
        (r#"{"person":{"no":"1","name":{"a":1}}}"#, "`person.name` must be one value"),
        (r#"{"person":"x"}"#, "`person` is one value where"),
    ] {
        let error = ask(content).unwrap_err();
        assert!(error.contains(wanted), "{content}: {error}");
    }
}

#[test]
fn encoded_arrays_say_their_types_and_length() {
    let text = composed(
        TYPES,
        "{ type: Lines, style: encoded }",
        r##"{"all":[{"n":1},{"n":2}],"sum":{"#text":1.50,"@currency":"CNY"}}"##,
    )
    .unwrap();
    for wanted in [
        r#"<t:all xsi:type="soapenc:Array" soapenc:arrayType="t:Line[2]"><item xsi:type="t:Line"><n xsi:type="xsd:int">1</n></item>"#,
        r#"<t:sum currency="CNY" xsi:type="t:Sum""#,
        r#"xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/""#,
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
}

#[test]
fn large_bytes_stand_beside_the_envelope_when_asked() {
    let photo = STANDARD.encode([7; 3000]);
    let content = format!(r#"{{"person":{{"no":"1","name":"x","photo":"{photo}"}}}}"#);
    let inside = composed(TYPES, "{ type: Ask }", &content).unwrap();
    assert!(inside.contains(&photo));
    let beside = composed(TYPES, "{ type: Ask, mtom: true }", &content).unwrap();
    assert!(beside.contains(r#"<photo><xop:Include href="cid:part-1@hub"/></photo>"#), "{beside}");
}
