//! Signatures of requests that the hub sends: published and independently made examples, signed as manifests say.

use crate::vectors::connection;
use hub_kit::Connection;
use hub_kit::client::Request;
use hub_kit::manifest::{Auth, Manifest};
use hub_support::project_root;
use hub_tree::env::Environment;
use hub_tree::jiff::Timestamp;
use hub_tree::{Findings, Source};
use serde_json::Value;
use std::fs;
use std::sync::Arc;

fn vectors(vendor: &str) -> Vec<Value> {
    let text = fs::read_to_string(project_root().join("tests/golden/vectors/requests.json")).unwrap();
    let all: Vec<Value> = serde_json::from_str(&text).unwrap();
    let found: Vec<Value> = all.into_iter().filter(|vector| vector["vendor"] == vendor).collect();
    assert!(!found.is_empty(), "no vector of {vendor}");
    found
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Request {
    Request {
        method: method.to_owned(),
        url: url.parse().unwrap(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    }
}

/// Signs as the connection's manifest says: a call, or the request for a token (`token` is `None` then).
fn sign(connection: &Connection, token: Option<&str>, at: Timestamp, nonce: &str, mut request: Request) -> Request {
    let signing = match (&connection.manifest.auth, token) {
        (Auth::Signed(signing), _) => signing.as_ref(),
        (Auth::Token(auth), None) => auth.signed.as_ref().unwrap(),
        (Auth::Token(auth), Some(_)) => auth.calls.as_ref().unwrap(),
        _ => panic!("nothing is signed"),
    };
    signing.sign_at(connection, token, (at, nonce), &mut request).unwrap();
    request
}

fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    let name = name.to_lowercase();
    request.headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

fn millis(text: &str) -> Timestamp {
    Timestamp::from_millisecond(text.parse().unwrap()).unwrap()
}

#[test]
fn esign_cn_signs_method_media_types_digest_and_path() {
    for vector in vectors("esign_cn") {
        let (inputs, expect) = (&vector["inputs"], &vector["expect"]);
        let settings = format!("{{ app_id: \"{}\", app_secret: {} }}", text(inputs, "app_id"), inputs["secret"]);
        let url = format!("https://openapi.esign.cn{}", text(inputs, "path_and_query"));
        let asked = request(text(inputs, "method"), &url, &[], text(inputs, "body"));
        let signed = sign(&connection("esign-cn", &settings), None, millis(text(inputs, "timestamp_ms")), "n", asked);
        for (name, value) in expect["headers"].as_object().unwrap() {
            assert_eq!(header(&signed, name), value, "{}: {name}", vector["name"]);
        }
    }
}

#[test]
fn fadada_signs_sorted_parameters_with_a_key_of_the_moment() {
    for vector in vectors("fadada") {
        let params = &vector["inputs"]["params"];
        let secret = &vector["inputs"]["secret"];
        let settings =
            format!("{{ app_id: \"{}\", app_secret: {secret}, open_corp_id: c }}", text(params, "X-FASC-App-Id"));
        let content = params["bizContent"].as_str().unwrap_or_default();
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("bizContent", content).finish();
        let asked = request("POST", "https://api.fadada.com/api/v5/sign-task/cancel", &[], &body);
        let (at, nonce) = (millis(text(params, "X-FASC-Timestamp")), text(params, "X-FASC-Nonce"));
        let token = params.get("X-FASC-AccessToken").and_then(Value::as_str);
        let signed = sign(&connection("fadada", &settings), token, at, nonce, asked);
        assert_eq!(header(&signed, "X-FASC-Sign"), text(&vector["expect"], "X-FASC-Sign"), "{}", vector["name"]);
    }
}

#[test]
fn tencent_ess_signs_like_the_vendors_own_library() {
    for vector in vectors("tencent_ess") {
        let inputs = &vector["inputs"];
        let settings =
            format!("{{ secret_id: {}, secret_key: {}, operator_id: o }}", inputs["secret_id"], inputs["secret_key"]);
        let url = format!("https://{}/", text(inputs, "host"));
        let headers = [("content-type", text(inputs, "content_type")), ("x-tc-action", text(inputs, "action"))];
        let asked = request("POST", &url, &headers, text(inputs, "body"));
        let at = Timestamp::from_second(inputs["timestamp"].as_i64().unwrap()).unwrap();
        let signed = sign(&connection("tencent-ess", &settings), None, at, "n", asked);
        assert_eq!(header(&signed, "authorization"), text(&vector["expect"], "authorization"));
        assert_eq!(header(&signed, "x-tc-version"), text(inputs, "version"));
    }
}

/// A connection of a manifest that is not shipped: what a customer would write for a vendor of whom only this is known.
fn written(settings: &str, auth: &str) -> Connection {
    let text = format!(
        "version: 1\nvendor: own\nname: Own\nfamily: esign\ndriver: http\nsettings: {{ base_url: {{}}, client_id: {{}}, private_key: {{}} }}\n\
         auth: {auth}\noperations: {{ list: {{ get: /list }} }}\n"
    );
    let findings = Findings::new();
    let manifest = Manifest::compile("own", &Source::new("m.yaml", &text), &findings);
    let manifest = Arc::new(manifest.unwrap_or_else(|| panic!("{:?}", findings.into_sorted())));
    let findings = Findings::new();
    let source = Source::new("case.yaml", format!("id: case\nconnector: own\nsettings: {settings}\n"));
    let find = |_: &str| Some(Arc::clone(&manifest));
    let connection = Connection::compile(&source, &Environment::default(), find, &["own"], &findings);
    connection.unwrap_or_else(|| panic!("{:?}", findings.into_sorted()))
}

#[test]
fn the_words_of_bestsign_have_nothing_between_them() {
    let vector = &vectors("bestsign")[0];
    let inputs = &vector["inputs"];
    let auth = r#"{ kind: signed, let: { words: '"bestsign-client-id=" & settings.client_id & "bestsign-sign-timestamp=" & text(epoch_s(now)) & "bestsign-signature-type=RSA256request-body=" & hash("md5", request.body) & "uri=" & request.path & "?" & join(map(entries(request.query), item.key & "=" & item.value), "&")' }, headers: { x-words: "{words}" } }"#;
    let settings =
        format!("{{ base_url: \"https://api.bestsign.example\", client_id: \"{}\" }}", text(inputs, "client_id"));
    let url = format!("https://api.bestsign.example{}", text(inputs, "path_and_query"));
    let at = Timestamp::from_second(text(inputs, "timestamp").parse().unwrap()).unwrap();
    let signed = sign(&written(&settings, auth), None, at, "n", request("POST", &url, &[], text(inputs, "body")));
    assert_eq!(header(&signed, "x-words"), text(&vector["expect"], "string_to_sign"));
}

#[test]
fn mettl_signs_method_address_and_values_in_the_order_of_their_names() {
    let vector = &vectors("mettl")[0];
    let inputs = &vector["inputs"];
    let auth = r#"{ kind: signed, let: { words: 'join(concat([request.method & "https://" & request.host & request.path], map(sort_by(entries(request.query), item.key), item.value)), "\n")' }, headers: { x-sign: '{url_encode(base64_of_hex(hmac("sha256", words, settings.private_key)))}' } }"#;
    let settings = format!("{{ base_url: \"https://api.mettl.com\", private_key: {} }}", inputs["private_key"]);
    let mut url: url::Url = text(inputs, "url").parse().unwrap();
    for (name, value) in inputs["params"].as_object().unwrap().iter().rev() {
        url.query_pairs_mut().append_pair(name, value.as_str().unwrap());
    }
    let asked = request(text(inputs, "method"), url.as_str(), &[], "");
    let signed = sign(&written(&settings, auth), None, Timestamp::UNIX_EPOCH, "n", asked);
    assert_eq!(header(&signed, "x-sign"), text(&vector["expect"], "asgn"));
}
