//! Offers that are signed: one flow, five vendors, each with its own calls, proofs and callbacks.

use crate::outgoing::act;
use crate::trust::{made, reference, send};
use hub_support::{Backends, Candidate, Place, wait_until};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(240);

/// A private key of RSA on one line.
fn private_key() -> String {
    let made = Command::new("openssl").args(["genrsa", "2048"]).output().unwrap();
    let pem = String::from_utf8(made.stdout).unwrap();
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn place(vendor: &str) -> Place {
    let place = Place::new(Backends::Embedded);
    let base = format!("http://127.0.0.1:{}/{vendor}", place.sandbox_port);
    let settings = match vendor {
        "docusign" => format!(
            "account_id: 96bfbc88-de80-40a4-9fb7-f047e656eaaf, integration_key: ik-sandbox, user_id: user-sandbox, auth_url: \"{base}\", private_key: \"{}\", webhook_secret: sandbox-docusign-key",
            private_key()
        ),
        "dropbox-sign" => "api_key: sandbox-dropbox-key, webhook_secret: sandbox-dropbox-key".to_owned(),
        "esign-cn" => "app_id: \"7438800001\", app_secret: sandbox-esign-secret, webhook_secret: sandbox-esign-secret".to_owned(),
        "fadada" => "app_id: \"00000477\", app_secret: SANDBOXFASCSECRET, open_corp_id: corp-1, webhook_secret: SANDBOXFASCSECRET".to_owned(),
        _ => "secret_id: AKIDsandbox, secret_key: sandbox-ess-key, operator_id: op-1, organization: 某某科技有限公司, webhook_secret: sandbox-ess-token, callback_key: 0123456789abcdefFEDCBA9876543210".to_owned(),
    };
    let text = format!("id: sign-main\nconnector: {vendor}\nsettings: {{ base_url: \"{base}\", {settings} }}\n");
    fs::write(place.config().join("connections/sign-main.yaml"), text).unwrap();
    let flow = "flows:\n  signing: { sign: sign-main, template: tpl-offer, company_signer: 周主管, company_email: zhou@example.com, company_phone: \"+8613800009999\", chat: dingtalk-main, people: [petra.osei], signed_to_stage: \"71418\" }\n";
    place.edit("hub.yaml", |text| text.replacen("flows:\n", flow, 1));
    place
}

/// Waits for the envelope of an offer to be as wanted.
fn envelope(place: &Place, offer: &str, status: &str) -> Value {
    wait_until(LIMIT, || {
        let found = place.get(&format!("/v1/signature-envelopes?subject={offer}"));
        match found["data"].as_array().map(Vec::as_slice) {
            Some([one]) if one["status"]["value"] == status => Ok(one.clone()),
            _ => Err(format!("not {status}: {found:#} {:#}", place.get("/v1/parked"))),
        }
    })
}

/// Has the simulated Greenhouse tell of an application before any interview; its hub id.
fn applied(place: &Place, number: u32) -> String {
    let Candidate { first, last, email, phone, .. } = Candidate::new(number, "strong.example");
    let with = json!({ "application_id": number, "candidate_id": 900_000 + number, "first_name": first,
        "last_name": last, "email": email, "phone": phone, "stage_id": 71415 });
    assert_eq!(act(place, "greenhouse", "move_candidate", &with).0, 200);
    let path = format!("/v1/applications?connection=greenhouse-main&remote_id={number}");
    wait_until(LIMIT, || match place.get(&path)["data"][0]["id"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => Err("it is not there".to_owned()),
    })
}

fn approved(place: &Place, application: &str) -> String {
    let offer = json!({ "application": reference("application", application), "status": "DRAFT" });
    let id = made(place, "/v1/offers", &offer);
    let (status, changed) = send(place, "PATCH", &format!("/v1/offers/{id}"), &json!({ "status": "APPROVED" }));
    assert_eq!(status, 200, "{changed}");
    id
}

fn told(place: &Place, about: &str) -> String {
    wait_until(LIMIT, || {
        let all = place.get(&format!("/v1/messages?about={about}"));
        match all["data"].as_array().map(Vec::as_slice) {
            Some([one]) if one["status"]["value"] == "SENT" => Ok(one["body"].as_str().unwrap().to_owned()),
            _ => Err(format!("{all:#} {:#}", place.get("/v1/parked"))),
        }
    })
}

/// Waits until the vendor has so many envelopes, and the hub knows that of an offer by the vendor's id.
fn sent(place: &Place, vendor: &str, offer: &str, status: &str, count: usize) -> Value {
    wait_until(LIMIT, || {
        let found = envelope(place, offer, status);
        let there = place.effects().iter().filter(|(name, _)| name.starts_with(&format!("{vendor} envelope"))).count();
        let known = found["sources"][0]["remote_id"].is_string() && there == count;
        if known { Ok(found) } else { Err(format!("{found:#} {:#}", place.get("/v1/parked"))) }
    })
}

/// An approved offer is sent once, signed by two in order, told and moved; another one is declined.
fn is_signed_by(vendor: &str) {
    let place = place(vendor);
    let _sandbox = place.sandbox();
    let _hub = place.serve();
    // Each callback comes twice.
    let dial = json!({ "duplicates": 1, "vendors": [vendor] });
    assert!(place.http().put(place.sandbox_url("/_sandbox/dial")).json(&dial).send().unwrap().status().is_success());
    let application = applied(&place, 86_001);
    let offer = approved(&place, &application);
    let first = if vendor == "tencent-ess" { "DRAFT" } else { "SENT" };
    let made = sent(&place, vendor, &offer, first, 1);
    let id = made["id"].as_str().unwrap();
    let remote = made["sources"][0]["remote_id"].as_str().unwrap().to_owned();
    let sign = |order: u32, remote: &str, decline: Option<&str>| {
        let mut with = json!({ "envelope_id": remote, "order": order });
        if let Some(reason) = decline {
            with["decline"] = json!(reason);
        }
        assert_eq!(act(&place, vendor, "sign", &with).0, 200);
    };
    sign(1, &remote, None);
    let begun = envelope(&place, &offer, "IN_PROGRESS");
    assert_eq!(begun["id"], made["id"], "it is the same envelope: {begun:#}");
    let states = |record: &Value| -> Vec<String> {
        let signers = record["signers"].as_array().unwrap_or_else(|| panic!("{record:#}"));
        signers.iter().map(|signer| signer["status"]["value"].as_str().unwrap_or("-").to_owned()).collect()
    };
    wait_until(LIMIT, || {
        let record = place.get(&format!("/v1/signature-envelopes/{id}"));
        let states = states(&record);
        if states.len() == 2 && states[0] == "SIGNED" && states[1] != "SIGNED" {
            Ok(())
        } else {
            Err(format!("{record:#}"))
        }
    });
    sign(2, &remote, None);
    let done = envelope(&place, &offer, "COMPLETED");
    assert_eq!(done["id"], made["id"]);
    assert!(done["completed_at"].is_string(), "{done:#}");
    assert!(told(&place, id).contains("已全部签署"));
    wait_until(LIMIT, || {
        let moved = place.get(&format!("/v1/applications/{application}"));
        if moved["stage"]["display"] == "Offer" {
            Ok(())
        } else {
            Err(format!("{moved:#} {:#}", place.get("/v1/parked")))
        }
    });

    let application = applied(&place, 86_002);
    let offer = approved(&place, &application);
    let other = sent(&place, vendor, &offer, first, 2);
    let remote = other["sources"][0]["remote_id"].as_str().unwrap();
    sign(1, remote, Some("薪资不符"));
    envelope(&place, &offer, "DECLINED");
    assert!(told(&place, other["id"].as_str().unwrap()).contains("拒签"));
    let effects = place.effects();
    assert!(effects.iter().all(|(_, count)| *count == 1), "each thing happened once: {effects:?}");
    assert_eq!(place.get("/v1/parked")["data"], json!([]));
}

#[test]
fn docusign_signs_an_offer() {
    is_signed_by("docusign");
}

#[test]
fn dropbox_sign_signs_an_offer() {
    is_signed_by("dropbox-sign");
}

#[test]
fn esign_cn_signs_an_offer() {
    is_signed_by("esign-cn");
}

#[test]
fn fadada_signs_an_offer() {
    is_signed_by("fadada");
}

#[test]
fn tencent_ess_signs_an_offer() {
    is_signed_by("tencent-ess");
}
