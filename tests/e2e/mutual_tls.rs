//! Vendors with certificates of their own: an authority that only one connection trusts, and mutual TLS.

use hub_support::{Backends, Place, free_port, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A server that ends when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn call(place: &Place, connection: &str) -> (u16, Value) {
    let url = place.url(&format!("/v1/passthrough/{connection}/read"));
    let answer = place.http().post(url).bearer_auth(place.secret("HRHUB_ADMIN_KEY")).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

fn openssl(folder: &Path, args: &str) {
    let output = Command::new("openssl").args(args.split(' ')).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const MUTUAL: &str = "version: 1\nvendor: plover-erp\nname: Plover ERP\nfamily: erp\ndriver: http\nbase_url: https://localhost\n\
    egress: [localhost]\noperations: { read: { get: /answer.json } }\n";

#[test]
fn a_vendor_with_an_authority_of_its_own_knows_the_hub_by_its_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    openssl(folder, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
    for (name, more) in [("server", "subjectAltName=DNS:localhost"), ("hub", "extendedKeyUsage=clientAuth")] {
        openssl(folder, &format!("req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"));
        fs::write(folder.join("more"), more).unwrap();
        let signed = format!("x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -days 2 -extfile more -out {name}.pem");
        openssl(folder, &signed);
    }
    fs::write(folder.join("answer.json"), r#"{"who":"张伟"}"#).unwrap();
    let port = free_port();
    let args = format!(
        "s_server -accept {port} -cert server.pem -key server.key -CAfile ca.pem -Verify 1 -verify_return_error -WWW"
    );
    let mut server = Command::new("openssl");
    server.args(args.split(' ')).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Server(server.spawn().unwrap());
    let place = Place::new(Backends::Embedded);
    let file = |name: &str| folder.join(name).display().to_string();
    let write = |id: &str, settings: &str| {
        let text = format!(
            "id: {id}\nconnector: plover-erp\nsettings: {{ base_url: \"https://localhost:{port}\"{settings} }}\n"
        );
        fs::write(place.config().join(format!("connections/{id}.yaml")), text).unwrap();
    };
    fs::create_dir_all(place.config().join("connectors/plover-erp")).unwrap();
    fs::write(place.config().join("connectors/plover-erp/manifest.yaml"), MUTUAL).unwrap();
    let ca = format!(", ca_file: \"{}\"", file("ca.pem"));
    let cert = format!(", client_cert_file: \"{}\", client_key_file: \"{}\"", file("hub.pem"), file("hub.key"));
    write("stranger", "");
    write("unknown", &ca);
    write("known", &format!("{ca}{cert}"));
    write("half", &format!(", client_cert_file: \"{}\"", file("hub.pem")));
    write(
        "lost",
        &format!("{ca}, client_cert_file: \"{}\", client_key_file: \"{}\"", file("none.pem"), file("hub.key")),
    );
    let _hub = place.serve();
    let read = |id: &str| call(&place, id);
    let answer = wait_until(Duration::from_secs(20), || {
        let answer = read("known");
        if answer.0 == 200 { Ok(answer.1) } else { Err(answer.1.to_string()) }
    });
    assert_eq!(answer, json!({ "who": "张伟" }));
    // An authority that nobody knows is not believed, and who shows no certificate gets nothing.
    for id in ["stranger", "unknown"] {
        let refused = read(id);
        assert_ne!(refused.0, 200, "{id}: {}", refused.1);
        assert_eq!(refused.1["party"], "NETWORK", "{id}: {}", refused.1);
    }
    for (id, wanted) in [("half", "go together"), ("lost", "`client_cert_file` cannot be read")] {
        let broken = read(id);
        assert_eq!((broken.0, &broken.1["party"]), (502, &json!("CONFIG")), "{id}: {}", broken.1);
        assert!(broken.1["detail"].as_str().unwrap().contains(wanted), "{id}: {}", broken.1);
    }
}
