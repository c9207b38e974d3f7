//! The pages of imports, without a script: upload, columns, preview, apply, undo, in both languages.

use super::{Caller, HEAD, LIMIT, STAFF};
use crate::road::sign_in;
use hub_support::{Backends, Place, wait_for};

/// Somebody with a session.
struct Visitor<'p> {
    place: &'p Place,
    cookie: String,
}

impl Visitor<'_> {
    fn open(&self, path: &str) -> String {
        let answer = self.place.http().get(self.place.url(path)).header("cookie", &self.cookie).send().unwrap();
        let status = answer.status();
        let text = answer.text().unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        text
    }

    /// Sends a form; where it leads.
    fn send(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let request = self.place.http().post(self.place.url(path)).header("cookie", &self.cookie).form(fields);
        self.led(request)
    }

    fn led(&self, request: reqwest::blocking::RequestBuilder) -> (u16, String) {
        let answer = request.send().unwrap();
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        (status, location.unwrap_or_else(|| answer.text().unwrap()))
    }

    fn upload(&self, proof: &str, file: &[u8]) -> (u16, String) {
        let mut body = Vec::new();
        for (name, value) in [("proof", proof), ("as", "employee"), ("mode", "upsert")] {
            body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes());
        }
        body.extend("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"花名册.csv\"\r\n\r\n".bytes());
        body.extend(file);
        body.extend(b"\r\n--b--\r\n");
        let request = self.place.http().post(self.place.url("/console/imports")).header("cookie", &self.cookie);
        self.led(request.header("content-type", "multipart/form-data; boundary=b").body(body))
    }

    /// The page once the hub is not at it any more.
    fn settled(&self, path: &str) -> String {
        wait_for("the page to stand still", LIMIT, || {
            let answer = self.place.http().get(self.place.url(path)).header("cookie", &self.cookie).send().unwrap();
            let moves = answer.headers().contains_key("refresh");
            (!moves).then(|| answer.text().unwrap())
        })
    }
}

fn proof(page: &str) -> String {
    let rest = page.split("name=\"proof\" value=\"").nth(1).unwrap_or_else(|| panic!("no form: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[test]
fn a_person_uploads_looks_applies_and_undoes_without_a_script() {
    let place = Place::new(Backends::Embedded);
    let _hub = place.serve();
    let visitor = Visitor { place: &place, cookie: sign_in(&place) };
    let page = visitor.open("/console/imports?lang=zh");
    assert!(page.contains("导入") && page.contains("type=\"file\"") && !page.contains("<script"), "{page}");
    let proof = proof(&page);
    assert_eq!(visitor.upload("wrong", b"x").0, 401);
    let (status, refused) = visitor.upload(&proof, b"%PDF-1.7");
    assert!(status == 422 && refused.contains("role=\"alert\""), "{refused}");
    let file = format!("{HEAD},内部备注\n{STAFF}A0104,王芳,,12345,2021-02-03,1,<b>x</b>\n");
    let (status, address) = visitor.upload(&proof, file.as_bytes());
    assert!(status == 303 && address.starts_with("/console/imports/"), "{address}");
    // The columns come first, with what their headings seem to mean.
    let page = visitor.open(&format!("{address}?lang=en"));
    assert!(page.contains("These columns are right") && page.contains("name=\"column.A\""), "{page}");
    let said = [("proof", proof.as_str()), ("column.A", "employee_number"), ("column.B", "legal_name")];
    let rest =
        [("column.C", "id_number"), ("column.D", "mobile"), ("column.E", "hire_date"), ("column.F", "base_salary")];
    let fields: Vec<(&str, &str)> = said.into_iter().chain(rest).chain([("column.G", "remark")]).collect();
    assert_eq!(visitor.send(&format!("{address}/columns"), &fields).0, 303);
    let page = visitor.settled(&address);
    assert!(page.contains("•••") && !page.contains("11019919910101000X"), "restricted values are masked: {page}");
    assert!(page.contains("cell-bad") && page.contains("PHONE") && page.contains("&lt;b&gt;x"), "{page}");
    let bad = visitor.open(&format!("{address}?rows=bad"));
    assert!(bad.contains("王芳") && !bad.contains("刘洋"), "{bad}");
    let apply = [("proof", proof.as_str()), ("rows", "good")];
    assert_eq!(
        visitor.send(&format!("{address}/apply"), &[("rows", "good")]).0,
        401,
        "only from a page of the session"
    );
    assert_eq!(visitor.send(&format!("{address}/apply"), &apply).0, 303);
    let page = visitor.settled(&format!("{address}?lang=zh"));
    assert!(page.contains("已写入") && page.contains("撤销此次导入"), "{page}");
    let admin = Caller::admin(&place);
    assert_eq!(admin.list("/v1/employees").len(), 3);
    let ask = visitor.open(&format!("{address}/undo?lang=en"));
    assert!(ask.contains("Undo this import?") && ask.contains("method=\"post\""), "{ask}");
    assert_eq!(visitor.send(&format!("{address}/undo"), &[("proof", &proof)]).0, 303);
    let page = visitor.settled(&address);
    assert!(page.contains("undone") && page.contains("Who did what"), "{page}");
    assert_eq!(admin.list("/v1/employees").len(), 0);
    let again = visitor.send(&format!("{address}/undo"), &[("proof", &proof)]);
    assert!(again.0 == 409 && again.1.contains("role=\"alert\""), "{again:?}");
    assert!(visitor.open("/console/imports").contains("花名册.csv"), "the history names it");
}
