//! Answers that are longer than memory should be are read part by part, and a broken one is none at all.

use hub_support::{Backends, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const MANIFEST: &str = r#"version: 1
vendor: osprey-erp
name: Osprey ERP
family: erp
driver: http
base_url: http://127.0.0.1:1
egress: [127.0.0.1]
operations:
  list_people:
    post: /people
    xml: 'object("ask", object("page", args.page))'
    reads: true
    reply: people
    split: { list: data.worker, size: 50 }
    then: [{ operation: list_people, when: number(payload.pages) > number(args.page), with: { page: number(args.page) + 1 } }]
polls:
  people: { every: 1h, begin: [{ operation: list_people, with: { page: "1" } }], complete_for: [employee], at_most_gone: 90 }
"#;

const PEOPLE: &str = "version: 1\nfrom: osprey-erp/people\nemit:\n  - { to: employee, each: payload.data.worker, \
    key: item.no, fields: { display_name: { path: item.name }, employee_number: { path: item.no } } }\n";

/// People on the first page; the second has one.
const PEOPLE_ON_A_PAGE: usize = 2_000;

/// The same vendor over SOAP, whose declaration is right and whose charset is not.
const SOAP: [(&str, &str); 2] = [
    ("driver: http", "driver: soap"),
    (
        "    xml: 'object(\"ask\", object(\"page\", args.page))'\n",
        "    soap: { action: \"urn:people\", element: { name: ask, namespace: \"urn:osprey\" }, qualified: false, reply: r }\n    \
         body: 'object(\"page\", args.page)'\n",
    ),
];

/// The body of a page: the first has `PEOPLE_ON_A_PAGE` workers of 20 kB each, and ends early if `cut`.
fn send_page(stream: &mut TcpStream, page: usize, (soap, cut): (bool, bool)) {
    let count = if page == 1 { PEOPLE_ON_A_PAGE } else { 1 };
    let (before, behind) = match soap {
        true => (
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header/><s:Body><o:r xmlns:o=\"urn:osprey\">",
            "</o:r></s:Body></s:Envelope>",
        ),
        false => ("<r>", "</r>"),
    };
    let head = format!("<?xml version=\"1.0\" encoding=\"GBK\"?>{before}<pages>2</pages><data><!-- {page} -->");
    let (foot, note) = (format!("</data><sum>和</sum>{behind}"), "n".repeat(20_000));
    let foot = encoding_rs::GBK.encode(&foot).0.into_owned();
    let worker = |number: usize| {
        let number = page * 10_000 + number;
        let text = format!("<worker><no>{number}</no><name>员工{number}</name><note>{note}</note></worker>");
        encoding_rs::GBK.encode(&text).0.into_owned()
    };
    let each = worker(0).len();
    let length = head.len() + count * each + foot.len();
    let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: text/xml; charset=GBK\r\nconnection: close\r\n");
    // One that ends early says nothing of its length.
    if !cut {
        let _ = write!(stream, "content-length: {length}\r\n");
    }
    let _ = write!(stream, "\r\n{head}");
    for number in 0..count {
        if stream.write_all(&worker(number)).is_err() || (cut && number + 1 == count) {
            return;
        }
    }
    let _ = stream.write_all(&foot);
}

/// A vendor whose first answer is cut off. Counts what it was asked.
fn vendor(soap: bool) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).is_ok_and(|count| count > 2) {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let page = if body.windows(14).any(|bytes| bytes == b"<page>2</page>") { 2 } else { 1 };
            let before = counter.fetch_add(1, Ordering::SeqCst);
            send_page(reader.get_mut(), page, (soap, before == 0));
        }
    });
    (base, asked)
}

fn place(base: &str, soap: bool) -> Place {
    let place = Place::new(Backends::Embedded);
    let write = |file: &str, text: &str| {
        let path = place.config().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let changes = SOAP.iter().filter(|_| soap);
    let manifest = changes.fold(MANIFEST.to_owned(), |text, (from, to)| text.replace(from, to));
    write("connectors/osprey-erp/manifest.yaml", &manifest);
    write("mappings/osprey-erp/people.in.yaml", PEOPLE);
    let connection = format!(
        "id: erp\nconnector: osprey-erp\npolls: [people]\nsettings: {{ base_url: \"{base}\" }}\nretry: {{ first_ms: 50 }}\n"
    );
    write("connections/erp.yaml", &connection);
    place
}

fn last_round(place: &Place) -> Value {
    wait_until(Duration::from_secs(240), || {
        let polls = place.get("/v1/connections/erp/polls");
        let rounds = polls["data"][0]["rounds"].as_array().unwrap().clone();
        match rounds.first() {
            Some(round) if round["state"] != "open" => Ok(round.clone()),
            other => Err(format!("{other:?}")),
        }
    })
}

/// The most memory that a process had, in MB.
fn peak(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}

#[test]
fn an_envelope_of_forty_megabytes_is_read_part_by_part_too() {
    forty_megabytes(true);
}

#[test]
fn an_answer_of_forty_megabytes_is_read_part_by_part_in_less_memory_than_it_is_long() {
    forty_megabytes(false);
}

fn forty_megabytes(soap: bool) {
    let (base, asked) = vendor(soap);
    let place = place(&base, soap);
    let hub = place.serve();
    let before = peak(hub.id());
    let round = last_round(&place);
    assert_eq!((&round["state"], &round["failed_calls"]), (&json!("complete"), &json!(0)), "{round:#}");
    // The one that was cut off was no answer: it was asked for again, and then came the second page.
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    // A part holds nine such people: 223 parts, beside the two calls.
    assert!(round["calls"].as_i64().unwrap() > 100, "{round:#}");
    let (mut cursor, mut numbers) = (String::new(), Vec::new());
    loop {
        let page = place.get(&format!("/v1/employees?connection=erp&limit=200{cursor}"));
        let number = |record: &Value| record["employee_number"].as_str().unwrap().parse::<usize>().unwrap();
        numbers.extend(page["data"].as_array().unwrap().iter().map(number));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    numbers.sort_unstable();
    let expected: Vec<usize> = (0..PEOPLE_ON_A_PAGE).map(|number| 10_000 + number).chain([20_000]).collect();
    assert_eq!(numbers, expected);
    let one = place.get("/v1/employees?connection=erp&remote_id=10007");
    assert_eq!(one["data"][0]["display_name"], "员工10007");
    // It is explained by the part that it came in.
    let id = one["data"][0]["id"].as_str().unwrap();
    let explained = place.get(&format!("/v1/employees/{id}/explain?field=display_name"));
    assert!(explained.to_string().contains("data.worker"), "{explained:#}");
    let more = peak(hub.id()) - before;
    assert!(more < 64, "{more} MB for an answer of 40 MB");
}
