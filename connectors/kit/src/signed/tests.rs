use super::*;
use crate::manifest::{Auth, Manifest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use hub_tree::{Findings, Source};
use std::sync::Arc;
use url::Url;

fn connection(auth: &str) -> Result<Connection, String> {
    let text = format!(
        "version: 1\nvendor: kestrel\nname: Kestrel\nfamily: erp\ndriver: http\nbase_url: https://api.kestrel.example\n\
         egress: [api.kestrel.example]\nsettings: {{ app_key: {{}}, public_key: {{}} }}\nauth: {auth}\n\
         operations: {{ list: {{ get: /list }} }}\n"
    );
    let findings = Findings::new();
    match Manifest::compile("kestrel", &Source::new("m.yaml", &text), &findings) {
        Some(manifest) => Ok(Connection::without_settings("kestrel-main", Arc::new(manifest))),
        None => Err(findings.into_sorted().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

fn signing(auth: &str) -> (Connection, Signing) {
    let connection = connection(auth).unwrap();
    // A second reading gives the signing itself.
    let source = Source::new("a.yaml", auth);
    let findings = Findings::new();
    let root = hub_tree::yaml::read(&source, &findings).unwrap();
    let cx = hub_tree::yaml::Context::new(&source, &findings);
    let compiler = Compiler::new(&cx, &connection.manifest.settings);
    let mut fields = root.fields(&cx).unwrap();
    assert_eq!(fields.required_text("kind").as_deref(), Some("signed"));
    let signing = compiler.signing(&mut fields).unwrap();
    fields.finish();
    (connection, signing)
}

fn signed(auth: &str, moment: &Moment, body: &str) -> Result<Request, CallError> {
    let (connection, signing) = signing(auth);
    let mut request = Request {
        method: "POST".to_owned(),
        url: Url::parse("https://api.kestrel.example:8443/v1/people?b=2&a=1%2B1").unwrap(),
        headers: vec![("accept".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    let operation = connection.manifest.operation("list").unwrap();
    signing.apply(&connection, operation, Some("t-1"), moment, &mut request)?;
    Ok(request)
}

fn header<'r>(request: &'r Request, name: &str) -> Vec<&'r str> {
    request.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

fn at(text: &str) -> Moment {
    Moment { now: text.parse().unwrap(), nonce: "n-1".to_owned(), plain: false }
}

#[test]
fn a_signature_sees_all_of_a_request_and_earlier_values() {
    let auth = r#"{ kind: signed, let: {
        at: epoch_s(now),
        query: 'join(map(sort_by(entries(request.query), item.key), url_encode(item.key) & "=" & url_encode(item.value)), "&")',
        words: 'request.method & " " & request.host & request.path & "?" & query & " " & request.headers.accept & " " & sha256(request.body) & " " & text(at) & nonce & token' },
      headers: { X-Words: "{words}", Accept: "text/plain", X-None: "{settings.app_key}" }, query: { sign: "{at}+/=" } }"#;
    let auth = auth.replace('\n', " ");
    let request = signed(&auth, &at("2025-11-01T00:00:00Z"), "{\"n\":1.50}").unwrap();
    let words = header(&request, "x-words")[0];
    assert!(words.starts_with("POST api.kestrel.example:8443/v1/people?a=1%2B1&b=2 application/json "), "{words}");
    // The SHA-256 of the body's bytes.
    let body = "cc2502b0dcb47e2f236fb9aa2a83b13dbb185d1104c14b63f224520863bec784";
    assert!(words.ends_with(&format!("{body} 1761955200n-1t-1")), "{words}");
    // Its own header is replaced, one without a value left out, and the query is encoded once.
    assert_eq!(header(&request, "accept"), ["text/plain"]);
    assert!(header(&request, "x-none").is_empty());
    assert_eq!(request.url.query(), Some("b=2&a=1%2B1&sign=1761955200%2B%2F%3D"));
}

#[test]
fn what_a_request_is_called_by_does_not_change_with_time_and_chance() {
    let auth = r#"{ kind: signed, let: { sealed: { rsa: '"secret"', key: settings.public_key ?? "-", padding: '"pkcs1"' } }, headers: { x-at: "{epoch_s(now)}", x-nonce: "n{nonce}", x-sealed: "{sealed}" } }"#;
    let fixed = || signed(auth, &Moment::fixed(), "").unwrap();
    assert_eq!(fixed().headers, fixed().headers);
    assert_eq!(header(&fixed(), "x-at"), ["0"]);
    assert_eq!(header(&fixed(), "x-sealed"), ["pkcs1 - secret"]);
}

#[test]
fn text_under_a_key_is_opened_by_its_owner_block_by_block() {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(&private.public_key()).unwrap();
    let key = STANDARD.encode(der.as_ref());
    // Longer than one block holds.
    let text = "clear-secret-".repeat(30);
    let sealed = STANDARD.decode(seal(&text, &key, "oaep_sha256").unwrap()).unwrap();
    let owner = OaepPrivateDecryptingKey::new(private.clone()).unwrap();
    let mut out = Vec::new();
    for block in sealed.chunks(256) {
        let mut room = vec![0; 256];
        out.extend_from_slice(owner.decrypt(&OAEP_SHA256_MGF1SHA256, block, &mut room, None).unwrap());
    }
    assert_eq!(String::from_utf8(out).unwrap(), text);

    let pem = format!("-----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n");
    let sealed = STANDARD.decode(seal("short", &pem, "pkcs1").unwrap()).unwrap();
    let owner = Pkcs1PrivateDecryptingKey::new(private).unwrap();
    let mut room = vec![0; 256];
    assert_eq!(owner.decrypt(&sealed, &mut room).unwrap(), b"short");

    assert_eq!(seal("x", "no key", "pkcs1").unwrap_err(), "the public key is no base64");
    assert_eq!(seal("x", "AAAA", "pkcs1").unwrap_err(), "the public key is no RSA key of 2048 bits or more");
    assert_eq!(seal("x", &key, "none").unwrap_err(), "`padding` is neither `oaep_sha256` nor `pkcs1`");
}

#[test]
fn a_signature_by_a_private_key_is_shown_in_a_form_and_holds_under_the_public_one() {
    let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let key = STANDARD.encode(der.as_ref());
    let auth = format!(
        r#"{{ kind: signed, let: {{ head: 'base64_url(base64_encode("{{\"alg\":\"RS256\"}}"))', proof: {{ rsa_sha256: 'head & "." & text(epoch_s(now))', key: '"{key}"' }} }}, form: {{ assertion: "{{head}}.{{epoch_s(now)}}.{{base64_url(proof)}}" }} }}"#
    );
    let request = signed(&auth, &at("2025-11-01T00:00:00Z"), "grant_type=jwt").unwrap();
    let pairs: Vec<_> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    assert_eq!((pairs[0].0.as_str(), pairs[0].1.as_str()), ("grant_type", "jwt"));
    let (words, proof) = pairs[1].1.rsplit_once('.').unwrap();
    assert_eq!(words, "eyJhbGciOiJSUzI1NiJ9.1761955200");
    let proof = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(proof).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    assert!(public.verify(words.as_bytes(), &proof).is_ok());
    assert!(public.verify(b"other words", &proof).is_err());

    assert_eq!(sign("x", "no key").unwrap_err(), "the private key is no base64");
    assert_eq!(sign("x", "AAAA").unwrap_err(), "the private key is no RSA key of 2048 bits or more");
}

#[test]
fn problems_name_the_place() {
    let nothing = connection("{ kind: signed, let: { a: nonce } }").unwrap_err();
    assert!(
        nothing.contains("m.yaml:9:7: error: a signature is shown in `headers`, in the `query` or in the `form`"),
        "{nothing}"
    );
    let late = connection("{ kind: signed, let: { a: b, b: nonce }, headers: { x: \"{a}\" } }").unwrap_err();
    assert!(late.contains("m.yaml:9:33: error: unknown name `b`"), "{late}");
    let kinds = connection("[{ when: exists(settings.app_key), kind: basics }, { kind: none }]").unwrap_err();
    assert!(kinds.contains("unknown auth kind `basics`") && kinds.contains("did you mean `basic`?"), "{kinds}");
    let error = signed(
        "{ kind: signed, headers: { x: \"{1 + settings.app_key}{number(nonce)}\" } }",
        &at("2025-11-01T00:00:00Z"),
        "",
    );
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("HUB-C101 cannot build `list`: m.yaml:1:"), "{error}");
}

#[test]
fn an_operation_authenticates_in_its_own_way_and_only_in_one_that_there_is() {
    let text = |name: &str| {
        format!(
            "version: 1\nvendor: kestrel\nname: Kestrel\nfamily: erp\ndriver: http\nbase_url: https://api.kestrel.example\n\
             egress: [api.kestrel.example]\nauth: {{ kind: token, post: /token, token: payload.t, header: cookie }}\n\
             auths: {{ plain: {{ kind: basic, username: a, password: b }} }}\n\
             errors: [{{ when: payload.gone == true, means: absent }}]\n\
             operations: {{ list: {{ get: /list }}, other: {{ get: /other, auth: {name} }} }}\n"
        )
    };
    let read = |name: &str| {
        let findings = Findings::new();
        let manifest = Manifest::compile("kestrel", &Source::new("m.yaml", text(name)), &findings);
        manifest.ok_or_else(|| findings.into_sorted().iter().map(ToString::to_string).collect::<String>())
    };
    let manifest = read("plain").unwrap();
    let kind = |name: &str| manifest.auth_of(manifest.operation(name).unwrap());
    assert!(matches!(kind("list"), Auth::Token(_)) && matches!(kind("other"), Auth::Basic { .. }));
    assert_eq!((kind("list").has_token(), kind("other").has_token()), (true, false));
    assert_eq!(manifest.errors.len(), 1);
    let unknown = read("plian").unwrap_err();
    assert!(unknown.contains("unknown way to authenticate `plian`") && unknown.contains("`plain`"), "{unknown}");
}
