//! DingTalk's Stream mode: frames of JSON text whose `data` is JSON in text again. An event becomes the body that the HTTP
//! push would bring, so that one mapping reads both and a repetition on the other road is known.

use hub_kit::stream::Frame;
use hub_tree::{Arena, Limits, Value, json};

/// What a frame says.
pub(crate) fn read(frame: &str) -> Frame {
    let arena = Arena::new();
    let Ok(tree) = json::read(&arena, frame.as_bytes(), Limits::default()) else { return Frame::Nothing };
    let headers = tree.get("headers");
    let header = |name: &str| headers.get(name).as_text().filter(|text| !text.is_empty());
    let (kind, id) = (tree.get("type").as_text().unwrap_or_default(), header("messageId"));
    let data = tree.get("data").as_text().unwrap_or_default();
    match (kind, header("topic").unwrap_or_default(), id) {
        // `ping` wants its data back; `disconnect` wants another connection.
        ("SYSTEM", "ping", Some(id)) => Frame::Answered(answer(id, data)),
        ("SYSTEM", "disconnect", id) => Frame::Leave(id.map(|id| answer(id, data))),
        ("EVENT" | "CALLBACK", topic, Some(id)) => {
            let arena = Arena::new();
            let inner = json::read(&arena, data.as_bytes(), Limits::default()).unwrap_or_default();
            let mut body = vec![("EventType", Value::Text(header("eventType").unwrap_or(topic)))];
            let born = header("eventBornTime").or(header("time")).unwrap_or_default();
            if !born.is_empty() && born.bytes().all(|byte| byte.is_ascii_digit()) {
                body.push(("EventTime", Value::Number(born)));
            }
            body.extend(header("eventCorpId").map(|corp| ("CorpId", Value::Text(corp))));
            // A frame without an event id is known by its own.
            body.push(("eventId", Value::Text(header("eventId").unwrap_or(id))));
            for (name, value) in inner.entries() {
                if !body.iter().any(|(known, _)| known == name) {
                    body.push((name, *value));
                }
            }
            Frame::Event { id: id.to_owned(), body: json::to_string(&arena.map(&body)).into_bytes() }
        }
        _ => Frame::Nothing,
    }
}

/// The answer to an event: it is safe, or is to come again.
pub(crate) fn event_answer(id: &str, taken: bool) -> String {
    answer(id, if taken { r#"{"status":"SUCCESS","message":""}"# } else { r#"{"status":"LATER","message":""}"# })
}

fn answer(id: &str, data: &str) -> String {
    let arena = Arena::new();
    let headers = arena.map(&[("contentType", Value::Text("application/json")), ("messageId", Value::Text(id))]);
    json::to_string(&arena.map(&[
        ("code", Value::Number("200")),
        ("headers", headers),
        ("message", Value::Text("OK")),
        ("data", Value::Text(data)),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"specVersion":"1.0","type":"EVENT","headers":{"appId":"5f0c","connectionId":"c-71","contentType":"application/json","messageId":"a1f04d","time":"1795244400123","topic":"*","eventId":"2c1f9e0d7b","eventType":"user_add_org","eventBornTime":"1795244399800","eventCorpId":"dinga17c"},"data":"{\"timeStamp\":\"1795244399800\",\"userId\":[\"0153221044\"]}"}"#;

    #[test]
    fn an_event_is_the_body_that_the_push_would_bring() {
        let Frame::Event { id, body } = read(EVENT) else { panic!("no event") };
        assert_eq!(id, "a1f04d");
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"EventType":"user_add_org","EventTime":1795244399800,"CorpId":"dinga17c","eventId":"2c1f9e0d7b","timeStamp":"1795244399800","userId":["0153221044"]}"#
        );
        assert_eq!(
            event_answer("a1f04d", true),
            r#"{"code":200,"headers":{"contentType":"application/json","messageId":"a1f04d"},"message":"OK","data":"{\"status\":\"SUCCESS\",\"message\":\"\"}"}"#
        );
        assert!(event_answer("a1f04d", false).contains("LATER"));
        // Data cannot pass itself off as the event's own words.
        let forged = EVENT.replace("\\\"timeStamp\\\":", "\\\"EventType\\\":");
        assert_ne!(forged, EVENT);
        let Frame::Event { body, .. } = read(&forged) else { panic!("no event") };
        assert!(String::from_utf8(body).unwrap().starts_with(r#"{"EventType":"user_add_org""#));
    }

    #[test]
    fn a_ping_gets_its_data_back_and_a_disconnect_is_heard() {
        let system = |topic: &str| {
            format!(
                r#"{{"type":"SYSTEM","headers":{{"topic":"{topic}","messageId":"m1"}},"data":"{{\"opaque\":\"x\"}}"}}"#
            )
        };
        let back = r#"{"code":200,"headers":{"contentType":"application/json","messageId":"m1"},"message":"OK","data":"{\"opaque\":\"x\"}"}"#;
        assert_eq!(read(&system("ping")), Frame::Answered(back.to_owned()));
        assert_eq!(read(&system("disconnect")), Frame::Leave(Some(back.to_owned())));
        for nothing in
            [&system("CONNECTED"), &system("KEEPALIVE"), "", "{", "[]", "null", r#"{"type":"EVENT"}"#, r#"{"type":1}"#]
        {
            assert_eq!(read(nothing), Frame::Nothing, "{nothing}");
        }
    }

    #[test]
    fn an_event_whose_data_cannot_be_read_is_kept_with_what_its_headers_say() {
        for data in ["", "{", "[1]", "null", "plain"] {
            let frame = EVENT.split("\"data\":").next().unwrap().to_owned() + &format!("\"data\":\"{data}\"}}");
            let Frame::Event { body, .. } = read(&frame) else { panic!("no event in {frame}") };
            assert!(String::from_utf8(body).unwrap().contains(r#""eventId":"2c1f9e0d7b""#), "{data}");
        }
    }
}
