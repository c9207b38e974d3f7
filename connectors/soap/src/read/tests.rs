use super::*;
use hub_kit::Party;
use hub_tree::json;
use proptest::prelude::*;

const SOAP11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP12: &str = "http://www.w3.org/2003/05/soap-envelope";
const XSI: &str = "xmlns:i='http://www.w3.org/2001/XMLSchema-instance' xmlns:d='http://www.w3.org/2001/XMLSchema' \
    xmlns:c='http://schemas.xmlsoap.org/soap/encoding/'";

fn enveloped(namespace: &str, header: &str, body: &str) -> String {
    format!("<e:Envelope xmlns:e='{namespace}' {XSI}>{header}<e:Body>{body}</e:Body></e:Envelope>")
}

fn read_bytes(body: &[u8], content_type: Option<&str>) -> Result<String, (&'static str, String)> {
    let arena = Arena::new();
    let message = Message { body, content_type, content_encoding: None };
    match read(&arena, &message, &Rules::server()) {
        Ok(envelope) => Ok(json::to_string(&envelope.payload)),
        Err(refusal) => Err((refusal.reason.word(), refusal.message)),
    }
}

fn tree(text: &str) -> Result<String, (&'static str, String)> {
    read_bytes(text.as_bytes(), None)
}

#[test]
fn the_payload_is_the_content_of_the_only_element_in_both_versions() {
    for namespace in [SOAP11, SOAP12] {
        let text = enveloped(
            namespace,
            "<e:Header/>",
            "<!-- x -->\n<t:Hire xmlns:t='urn:t'><name>李<![CDATA[娜]]></name></t:Hire>",
        );
        let arena = Arena::new();
        let message = Message { body: text.as_bytes(), content_type: None, content_encoding: None };
        let envelope = read(&arena, &message, &Rules::server()).unwrap();
        assert_eq!(envelope.version.namespace(), namespace);
        assert_eq!(envelope.element, Some(("urn:t", "Hire")));
        assert_eq!(json::to_string(&envelope.payload), r#"{"name":"李娜"}"#);
    }
}

#[test]
fn marks_of_the_writer_are_left_out_and_types_of_the_document_stay() {
    for (body, wanted) in [
        ("<r><a i:type='d:string'>x</a></r>", r#"{"a":"x"}"#),
        ("<r xmlns:o='urn:o'><a i:type='o:Boss'><n>x</n></a></r>", r#"{"a":{"@type":"Boss","n":"x"}}"#),
        ("<r i:schemaLocation='urn:x file:///etc/passwd'>x</r>", r#""x""#),
        ("<r><a c:arrayType='d:string[2]' i:type='c:Array'><x>1</x><y>2</y></a></r>", r#"{"a":["1","2"]}"#),
        ("<r><a c:arrayType='d:string[1]'><x>1</x></a><b c:arrayType='d:int[0]'/></r>", r#"{"a":["1"],"b":[]}"#),
        ("<r><a i:nil='1' i:type='d:date'/></r>", r#"{"a":null}"#),
        (
            "<r e:encodingStyle='http://schemas.xmlsoap.org/soap/encoding/'><a href='#1'/></r><m id='1' c:root='0' i:type='c:Array' c:arrayType='d:int[1]'><i href='#2'/></m><m id='2'>7</m>",
            r#"{"a":["7"]}"#,
        ),
        (
            "<r><ID id='1'/><ID id='1'/><x href='#9'>y</x></r>",
            r##"{"ID":[{"@id":"1"},{"@id":"1"}],"x":{"@href":"#9","#text":"y"}}"##,
        ),
    ] {
        assert_eq!(tree(&enveloped(SOAP11, "", body)).as_deref(), Ok(wanted), "{body}");
    }
}

#[test]
fn what_is_no_message_is_refused_with_a_word_that_stays() {
    let header = |attributes: &str| format!("<e:Header><x:Own xmlns:x='urn:x' {attributes}/></e:Header>");
    let body = |text: &str| enveloped(SOAP11, "", text);
    let deep = body(&"<a>".repeat(30_000));
    let attributes: String = (0..300).map(|i| format!(" a{i}=''")).collect();
    let blocks = format!("<e:Header>{}</e:Header>", "<b/>".repeat(1001));
    for (text, wanted) in [
        (String::new(), "empty"),
        (" \n".to_owned(), "not_xml"),
        ("{\"a\":1}".to_owned(), "not_xml"),
        ("<html><body/></html>".to_owned(), "not_envelope"),
        ("<Envelope><Body><a/></Body></Envelope>".to_owned(), "version"),
        (enveloped("urn:other", "", "<a/>"), "version"),
        (body(""), "empty_body"),
        (body("<a/><b/>"), "many_elements"),
        (body("text"), "structure"),
        (format!("<e:Envelope xmlns:e='{SOAP11}'/>"), "structure"),
        (format!("<e:Envelope xmlns:e='{SOAP11}'><e:Body><a/></e:Body><e:Header/></e:Envelope>"), "structure"),
        (
            format!("<e:Envelope xmlns:e='{SOAP11}'><e:Body><a/></e:Body><e:Body><a/></e:Body></e:Envelope>"),
            "structure",
        ),
        (format!("<e:Envelope xmlns:e='{SOAP12}'><e:Body><a/></e:Body><x:y xmlns:x='u'/></e:Envelope>"), "structure"),
        (enveloped(SOAP11, &header("e:mustUnderstand='1'"), "<a/>"), "must_understand"),
        (
            enveloped(
                SOAP12,
                &header("e:mustUnderstand='true' e:role='http://www.w3.org/2003/05/soap-envelope/role/next'"),
                "<a/>",
            ),
            "must_understand",
        ),
        (enveloped(SOAP11, &header("e:mustUnderstand='yes'"), "<a/>"), "structure"),
        (enveloped(SOAP11, &blocks, "<a/>"), "header_blocks"),
        (format!("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>{}", body("<a>&b;</a>")), "doctype"),
        (body("<a>&b;</a>"), "entity"),
        (body("<a>\u{1}</a>"), "character"),
        (body("<q:a/>"), "namespace"),
        (body("<a xmlns:p='u' xmlns:q='u' p:x='' q:x=''/>"), "malformed"),
        (body("<a><b></a>"), "malformed"),
        (body("<a>").replace("</e:Body></e:Envelope>", ""), "truncated"),
        (deep, "depth"),
        (body(&format!("<a{attributes}/>")), "attributes"),
        (body(&format!("<a b='{}'/>", "x".repeat(70_000))), "length"),
        (format!("{}x", body("<a/>")), "malformed"),
        (
            body(
                "<a e:encodingStyle='http://schemas.xmlsoap.org/soap/encoding/'><b href='#1'/></a><m id='1'><c href='#1'/></m>",
            ),
            "reference",
        ),
        (body("<a><x:Include xmlns:x='http://www.w3.org/2004/08/xop/include' href='http://x/'/></a>"), "attachment"),
    ] {
        let Err((word, message)) = tree(&text) else { panic!("taken: {}", text.get(..200).unwrap_or(&text)) };
        assert_eq!(word, wanted, "{message}: {}", text.get(..200).unwrap_or(&text));
    }
    for fine in [header("e:mustUnderstand='0'"), header("e:mustUnderstand='1' e:actor='urn:another'")] {
        assert!(tree(&enveloped(SOAP11, &fine, "<a/>")).is_ok(), "{fine}");
    }
}

#[test]
fn a_doctype_is_refused_in_every_encoding_and_gb_names_come_whole() {
    let wide: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain("<!DOCTYPE a []><a/>".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(read_bytes(&wide, Some("text/xml")).unwrap_err().0, "doctype");
    let text = enveloped(SOAP11, "", "<a>@</a>");
    let (before, behind) = text.split_once('@').unwrap();
    // 镕, which GB 2312 does not have.
    let gbk = [b"<?xml version='1.0' encoding='gb2312'?>", before.as_bytes(), b"\xE9\x46", behind.as_bytes()].concat();
    for content_type in [None, Some("text/xml"), Some("text/xml; charset=GBK"), Some("text/xml; charset=cp936")] {
        assert_eq!(read_bytes(&gbk, content_type).as_deref(), Ok("\"镕\""), "{content_type:?}");
    }
    assert_eq!(read_bytes(&gbk, Some("text/xml; charset=utf-8")).unwrap_err().0, "encoding");
}

#[test]
fn parts_beside_the_envelope_stand_in_its_tree() {
    let envelope = enveloped(
        SOAP12,
        "",
        "<a><photo><x:Include xmlns:x='http://www.w3.org/2004/08/xop/include' href='cid:p%40x'/></photo><file href='cid:p@x'/></a>",
    );
    let message = |envelope: &str| {
        format!(
            "--b\r\nContent-Type: application/xop+xml; charset=utf-8\r\nContent-ID: <r@x>\r\n\r\n{envelope}\r\n--b\r\nContent-ID: <p@x>\r\n\r\n\0PNG\r\n--b--"
        )
    };
    let content_type = "multipart/related; boundary=b; start=\"<r@x>\"; type=\"application/xop+xml\"";
    let read = |envelope: &str| read_bytes(message(envelope).as_bytes(), Some(content_type));
    assert_eq!(read(&envelope).as_deref(), Ok(r#"{"photo":"AFBORw==","file":"AFBORw=="}"#));
    for bad in ["cid:q@x", "http://x/", "file:///etc/passwd"] {
        assert_eq!(read(&envelope.replace("cid:p%40x", bad)).unwrap_err().0, "attachment", "{bad}");
    }
}

fn fault(text: &str) -> (String, Option<String>, &'static str, bool, String) {
    let arena = Arena::new();
    let message = Message { body: text.as_bytes(), content_type: Some("text/plain"), content_encoding: None };
    let envelope = read(&arena, &message, &Rules::client()).unwrap();
    let fault = envelope.fault.unwrap();
    let class = fault.class();
    (fault.code.clone(), fault.vendor_code(), class.party.word(), class.retryable, fault.reason.clone())
}

#[test]
fn faults_of_both_versions_say_whom_they_are_for() {
    let old = |code: &str, text: &str, detail: &str| {
        fault(&enveloped(
            SOAP11,
            "",
            &format!("<e:Fault><faultcode>{code}</faultcode><faultstring>{text}</faultstring>{detail}</e:Fault>"),
        ))
    };
    let detail = |code: &str| format!("<detail><t:F xmlns:t='u'><t:errorCode>{code}</t:errorCode></t:F></detail>");
    for (found, wanted) in [
        (old("e:Client", "", ""), ("Client", None, "CALLER", false)),
        (old("unbound:Client.validationError", "", ""), ("Client", Some("validationError"), "CALLER", false)),
        (old("e:Client.authenticationError", "", ""), ("Client", Some("authenticationError"), "CREDENTIAL", false)),
        (
            old("e:Server", "INVALID_SESSION", &detail("INVALID_SESSION")),
            ("Server", Some("INVALID_SESSION"), "CREDENTIAL", false),
        ),
        (
            old("e:Server.userException", "x: 会话已失效,请重新登录", ""),
            ("Server", Some("userException"), "CREDENTIAL", false),
        ),
        (old("e:Server", "", &detail("COE_USER_LOCKED")), ("Server", Some("COE_USER_LOCKED"), "REMOTE", true)),
        (old("Server", "oops", ""), ("Server", None, "REMOTE", true)),
        (
            old("e:Server", "", "<detail><f><retryable>false</retryable></f></detail>"),
            ("Server", None, "REMOTE", false),
        ),
        (old("e:VersionMismatch", "", ""), ("VersionMismatch", None, "CONFIG", false)),
        (old("w:FailedAuthentication", "", ""), ("FailedAuthentication", None, "CREDENTIAL", false)),
        (old("a:ActionNotSupported", "", ""), ("ActionNotSupported", None, "CONFIG", false)),
    ] {
        let found = (found.0.as_str(), found.1.as_deref(), found.2, found.3);
        assert_eq!(found, wanted);
    }
    let new = "<e:Fault><e:Code><e:Value>e:Receiver</e:Value><e:Subcode><e:Value xmlns:t='u'>t:BUSY</e:Value><e:Subcode><e:Value>DB</e:Value></e:Subcode></e:Subcode></e:Code>\
        <e:Reason><e:Text xml:lang='en'>busy</e:Text><e:Text xml:lang='zh-CN'>系统<!-- x -->繁忙</e:Text></e:Reason><e:Role/><e:Detail/></e:Fault>";
    let found = fault(&enveloped(SOAP12, "", new));
    assert_eq!(found, ("Receiver".to_owned(), Some("DB".to_owned()), "REMOTE", true, "系统繁忙".to_owned()));
}

#[test]
fn whoever_must_act_depends_on_the_side_that_reads() {
    let arena = Arena::new();
    let refused = |text: &str| {
        let message = Message { body: text.as_bytes(), ..Message::default() };
        let refusal =
            read(&arena, &Message { body: arena.bytes(message.body), ..message }, &Rules::client()).unwrap_err();
        (refusal.party_of_request(), refusal.party_of_answer())
    };
    assert_eq!(refused("<html/>"), (Party::Caller, Party::Remote));
    assert_eq!(refused("<a><b>"), (Party::Caller, Party::Remote));
    assert_eq!(refused(&format!("<e:Envelope xmlns:e='{SOAP11}'><e:Body><a>")), (Party::Caller, Party::Network));
    assert_eq!(refused(&enveloped("urn:x", "", "<a/>")), (Party::Config, Party::Config));
}

proptest! {
    #[test]
    fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300), content_type in proptest::sample::select(vec![
        "text/xml", "text/xml; charset=utf-16", "application/soap+xml", "multipart/related; boundary=b", "text/xml; charset=gbk",
    ])) {
        let _ = read_bytes(&bytes, Some(content_type));
    }

    #[test]
    fn any_markup_ends(pieces in proptest::collection::vec(proptest::sample::select(MARKUP.to_vec()), 0..24)) {
        let text = pieces.concat();
        for namespace in [SOAP11, SOAP12] {
            let _ = tree(&enveloped(namespace, "", &text));
            let _ = tree(&format!("<e:Envelope xmlns:e='{namespace}' {XSI}>{text}</e:Envelope>"));
        }
        let _ = read_bytes(text.as_bytes(), Some("multipart/related; boundary=b"));
    }
}

/// Pieces that make and break messages.
const MARKUP: [&str; 28] = [
    "<e:Header>",
    "</e:Header>",
    "<e:Body>",
    "</e:Body>",
    "<e:Fault>",
    "</e:Fault>",
    "<faultcode>",
    "</faultcode>",
    "<e:Code>",
    "</e:Code>",
    "<e:Value>",
    "</e:Value>",
    "<detail>",
    "</detail>",
    "<a>",
    "</a>",
    "<a id='1'>",
    "<a href='#1'/>",
    "<a href='cid:x'/>",
    "<a i:nil='true'/>",
    "<a c:arrayType='d:int[1]'>",
    "text",
    "&amp;",
    "<!-- -->",
    "\r\n--b\r\n\r\n",
    "\r\n--b--",
    "\r\n",
    "<x:Include xmlns:x='http://www.w3.org/2004/08/xop/include' href='cid:x'/>",
];
