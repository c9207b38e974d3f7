//! Signing in to the console with an account at a chat platform.

use hub_support::{Backends, Place, Running};
use reqwest::blocking::Response;
use serde_json::{Value, json};

/// A hub whose console lets two people of the simulated platform in, the hub itself, and the platform.
struct Door {
    place: Place,
    hub: Running,
    _sandbox: Running,
}

const USERS: &str = "{ hx0009: ops, hx0002: [admin], hx0417: read }";

fn door() -> Door {
    let place = Place::new(Backends::Embedded);
    let platform = place.sandbox_url("/dingtalk");
    place.edit("connections/dingtalk-main.yaml", |text| format!("{text}\n  login_url: {platform}\n"));
    let section = format!("console: {{ sign_in: [ {{ connection: dingtalk-main, users: {USERS} }} ] }}");
    place.edit("hub.yaml", |text| format!("{text}\n{section}\n"));
    let sandbox = place.sandbox();
    let hub = place.serve();
    Door { place, hub, _sandbox: sandbox }
}

/// What one browser keeps and sees.
#[derive(Default)]
struct Browser {
    cookies: Vec<(String, String)>,
}

impl Browser {
    fn get(&mut self, place: &Place, url: &str) -> Response {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = place.http().get(url).header("cookie", cookies.join("; ")).send().unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let (name, rest) = set.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    fn has(&self, name: &str) -> bool {
        self.cookies.iter().any(|(known, _)| known == name)
    }

    /// Goes to the platform and comes back as whoever is signed in there: the address that leads back to the hub.
    fn way_back(&mut self, place: &Place) -> String {
        let there = location(&self.get(place, &place.url("/console/login/dingtalk-main")));
        assert!(there.starts_with(&place.sandbox_url("/dingtalk/oauth2/auth?")), "{there}");
        // The platform's cookies are its own.
        let back = location(&place.http().get(there).send().unwrap());
        assert!(back.starts_with(&place.url("/console/login/dingtalk-main/back?")), "{back}");
        back
    }

    fn sign_in(&mut self, place: &Place) -> Response {
        let back = self.way_back(place);
        self.get(place, &back)
    }
}

fn location(answer: &Response) -> String {
    assert_eq!(answer.status(), if answer.url().path().starts_with("/dingtalk") { 302 } else { 303 });
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// Whose browser it is at the platform.
fn platform_knows(place: &Place, person: &Value) {
    let answer = place.http().post(place.sandbox_url("/_sandbox/dingtalk/sign_in_as")).json(person).send().unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().unwrap());
}

fn member(user: &str) -> Value {
    json!({ "userid": user })
}

#[test]
fn who_is_named_signs_in_with_their_account_and_may_do_what_the_role_says() {
    let Door { place, hub, _sandbox } = door();
    let mut stranger = Browser::default();
    let page = stranger.get(&place, &place.url("/console/login")).text().unwrap();
    assert!(page.contains("href=\"/console/login/dingtalk-main\"") && page.contains("钉钉 DingTalk"), "{page}");

    platform_knows(&place, &member("hx0009"));
    let mut browser = Browser::default();
    let answer = browser.sign_in(&place);
    assert_eq!(location(&answer), "/console/journeys");
    let cookies: Vec<&str> = answer.headers().get_all("set-cookie").iter().map(|set| set.to_str().unwrap()).collect();
    let session = cookies.iter().find(|set| set.starts_with("hrhub_session=")).unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Lax") && session.contains("Path=/console"));
    assert!(!browser.has("hrhub_sign_in"), "what was kept for the way back is gone");
    let page = browser.get(&place, &place.url("/console/journeys"));
    assert_eq!(page.status(), 200);
    let page = page.text().unwrap();
    assert!(page.contains("hx0009@dingtalk-main"), "{page}");

    // Signing out ends it.
    let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let out = place.http().post(place.url("/console/logout")).header("cookie", cookies.join("; ")).send().unwrap();
    assert!(out.headers()["set-cookie"].to_str().unwrap().starts_with("hrhub_session=; "));

    // Another role sees less.
    platform_knows(&place, &member("hx0417"));
    let mut reader = Browser::default();
    assert_eq!(reader.sign_in(&place).status(), 303);
    assert_eq!(reader.get(&place, &place.url("/console/journeys")).status(), 403);
    let log = hub.log();
    assert!(log.contains("somebody signed in to the console") && log.contains("hx0009@dingtalk-main"), "{log}");
    assert!(!log.contains("authCode") && !log.contains("uT5nVdY4hK7qC"), "{log}");
}

#[test]
fn who_is_not_named_gets_a_page_that_says_so_and_nothing_else() {
    let Door { place, hub, _sandbox } = door();
    // A member of the organisation without a role, somebody from outside, and nobody who agreed.
    platform_knows(&place, &member("hx0311"));
    let mut browser = Browser::default();
    let answer = browser.sign_in(&place);
    assert_eq!(answer.status(), 403);
    let page = answer.text().unwrap();
    assert!(page.contains("you have no role here") && page.contains("dingtalk-main: hx0311"), "{page}");
    assert!(!browser.has("hrhub_session"));
    let mut chinese = Browser { cookies: vec![("hrhub_lang".to_owned(), "zh".to_owned())] };
    assert!(chinese.sign_in(&place).text().unwrap().contains("没有访问权限"));

    platform_knows(&place, &json!({}));
    let mut guest = Browser::default();
    let answer = guest.sign_in(&place);
    assert_eq!(answer.status(), 403);
    assert!(answer.text().unwrap().contains("Only members of the organisation"));
    assert!(!guest.has("hrhub_session"));

    let mut nobody = Browser::default();
    let back = nobody.way_back(&place);
    let without_code = back.replace("authCode=", "error=");
    assert_eq!(nobody.get(&place, &without_code).status(), 400);
    let log = hub.log();
    for reason in ["not_named", "code_refused", "no_code"] {
        assert!(log.contains(reason), "{reason} is missing in {log}");
    }
    assert!(!log.contains("hx0311"), "{log}");

    // A connection that signs nobody in, and one that there is not.
    for other in ["greenhouse-main", "nowhere", "dingtalk-main%2F..", "x"] {
        let answer = place.http().get(place.url(&format!("/console/login/{other}"))).send().unwrap();
        assert_eq!(answer.status(), 404, "{other}");
    }
}

#[test]
fn a_way_back_counts_once_in_the_browser_that_set_out_and_for_its_own_state() {
    let Door { place, hub, _sandbox } = door();
    platform_knows(&place, &member("hx0002"));

    // Somebody is lured to a way back that another browser began.
    let mut attacker = Browser::default();
    let back = attacker.way_back(&place);
    let mut victim = Browser::default();
    assert_eq!(victim.get(&place, &back).status(), 400);
    assert!(!victim.has("hrhub_session"));
    let _ = victim.get(&place, &place.url("/console/login/dingtalk-main"));
    assert_eq!(victim.get(&place, &back).status(), 400, "their own beginning does not help");

    // A state that was changed, or is missing.
    let mut browser = Browser::default();
    let back = browser.way_back(&place);
    let (start, state) = back.split_once("state=").unwrap();
    let kept = browser.cookies.clone();
    for wrong in [format!("{start}state={}", &state[1..]), format!("{start}state="), start.to_owned()] {
        browser.cookies.clone_from(&kept);
        assert_eq!(browser.get(&place, &wrong).status(), 400, "{wrong}");
        assert!(!browser.has("hrhub_session"));
    }

    // The right one works once, even for who kept the cookie.
    browser.cookies.clone_from(&kept);
    assert_eq!(location(&browser.get(&place, &back)), "/console/journeys");
    browser.cookies.clone_from(&kept);
    assert_eq!(browser.get(&place, &back).status(), 400);
    assert!(hub.log().contains("state_used_before"));
    assert_eq!(place.effects().iter().filter(|(name, _)| name.contains("sign_in")).map(|(_, n)| n).sum::<u64>(), 1);

    // Where it leads to cannot be chosen.
    let mut browser = Browser::default();
    let back = browser.way_back(&place);
    let answer = browser.get(&place, &format!("{back}&next=https://evil.example&redirect_uri=https://evil.example"));
    assert_eq!(location(&answer), "/console/journeys");
}

#[test]
fn taking_a_person_out_of_the_file_ends_their_session_and_a_wrong_file_lets_nobody_in() {
    let Door { place, hub, _sandbox } = door();
    platform_knows(&place, &member("hx0009"));
    let mut browser = Browser::default();
    assert_eq!(browser.sign_in(&place).status(), 303);
    assert_eq!(browser.get(&place, &place.url("/console/journeys")).status(), 200);
    assert!(hub.stop().success());
    place.edit("hub.yaml", |text| text.replace("hx0009: ops, ", ""));
    let hub = place.serve();
    assert_eq!(location(&browser.get(&place, &place.url("/console/journeys"))), "/console/login");
    assert!(hub.stop().success());

    place.edit("hub.yaml", |text| {
        text.replace("[admin]", "[root]").replace("dingtalk-main, users", "greenhouse-main, users")
    });
    let check = hub_support::run_hrhub(["check", place.config().to_str().unwrap()]);
    let (found, _) = hub_support::said(&check);
    assert_eq!(check.status.code(), Some(1));
    for wanted in [
        "`root` is no scope",
        "`greenhouse-main` is a connection of greenhouse, which signs nobody in",
        "dingtalk-main",
    ] {
        assert!(found.contains(wanted), "{wanted} is missing in {found}");
    }
}

#[test]
fn other_platforms_sign_people_in_the_same_way() {
    for (vendor, settings, user, person) in [
        (
            "feishu",
            "app_id: cli_a6f1d2c3b4e5500d, app_secret: a-secret-of-feishu",
            "hx0009",
            json!({ "user_id": "hx0009" }),
        ),
        (
            "wecom",
            "corp_id: ww7f3a1c9e5b2d4086, secret: a-secret-of-wecom, agent_id: \"1000014\"",
            "lin.ke",
            json!({ "userid": "lin.ke" }),
        ),
    ] {
        let place = Place::new(Backends::Embedded);
        let platform = place.sandbox_url(&format!("/{vendor}"));
        let connection = format!(
            "id: {vendor}-main\nconnector: {vendor}\nsettings: {{ {settings}, base_url: \"{platform}\", login_url: \"{platform}\" }}\n"
        );
        std::fs::write(place.config().join(format!("connections/{vendor}-main.yaml")), connection).unwrap();
        let section = format!("console: {{ sign_in: [ {{ connection: {vendor}-main, users: {{ {user}: ops }} }} ] }}");
        place.edit("hub.yaml", |text| format!("{text}\n{section}\n"));
        let _sandbox = place.sandbox();
        let hub = place.serve();
        let come = |person: &Value| {
            let url = place.sandbox_url(&format!("/_sandbox/{vendor}/sign_in_as"));
            assert_eq!(place.http().post(url).json(person).send().unwrap().status(), 200);
            let mut browser = Browser::default();
            let there = location(&browser.get(&place, &place.url(&format!("/console/login/{vendor}-main"))));
            let there = place.http().get(there).send().unwrap();
            assert_eq!(there.status(), 302);
            let back = there.headers()["location"].to_str().unwrap().to_owned();
            (browser.get(&place, &back), browser)
        };
        let (answer, mut browser) = come(&person);
        assert_eq!(location(&answer), "/console/journeys", "{vendor}: {}", hub.log());
        let page = browser.get(&place, &place.url("/console/journeys")).text().unwrap();
        assert!(page.contains(&format!("{user}@{vendor}-main")), "{page}");
        let (answer, browser) = come(&json!({}));
        assert_eq!(answer.status(), 403, "{vendor}: {}", hub.log());
        assert!(!browser.has("hrhub_session"));
    }
}
