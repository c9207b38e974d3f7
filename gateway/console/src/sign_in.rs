//! Signing in with an account at a vendor, such as a chat platform.
//!
//! The way there sets a sealed cookie that holds what the vendor must bring back: so the way back works only in the
//! browser that set out, for the connection that it set out for, within ten minutes, and once. Where it leads is always
//! the same page. Who comes back and is not named in `hub.yaml` is told so, and nothing else.

use crate::page::{Page, denied, language};
use crate::session::{Session, TENANT, enter};
use crate::words::{Lang, cookie};
use crate::{Console, Shared};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hub_flow::access::Denied;
use hub_flow::audit::Entry;
use hub_kit::{CallError, Connection};
use hub_store::job;
use hub_tree::random;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const COOKIE: &str = "hrhub_sign_in";
/// Under which the cookie is sealed.
const CONTEXT: &str = "console-sign-in";
/// How long the way there and back may take, µs.
const LASTS_MICROS: i64 = 600_000_000;
/// Letters and digits, few enough for every vendor: 200 random bits.
const STATE: usize = 40;
/// No vendor's code is longer.
const LONGEST_CODE: usize = 2048;

/// What the browser that set out keeps.
#[derive(Serialize, Deserialize)]
struct Way {
    /// What the vendor must bring back.
    state: String,
    connection: String,
    until: i64,
}

impl Way {
    async fn to_cookie(&self, shared: &Shared) -> Result<HeaderValue, Denied> {
        let keyring = shared.hub.store.keyring();
        keyring.ensure(&shared.hub.store, &shared.hub.clock, TENANT).await?;
        let text = serde_json::to_vec(self).unwrap_or_default();
        let sealed = URL_SAFE_NO_PAD.encode(keyring.seal(TENANT, CONTEXT, &text)?.0);
        Ok(set_cookie(&sealed, LASTS_MICROS / 1_000_000, shared.secure()))
    }

    fn of(shared: &Shared, headers: &HeaderMap) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie(headers, COOKIE)?).ok()?;
        let text = shared.hub.store.keyring().open(TENANT, CONTEXT, &sealed).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

fn set_cookie(value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    // The way back comes from the vendor's site: Lax lets it bring the cookie, and no form or picture.
    let text = format!("{COOKIE}={value}; Path=/console/login; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The connection, if people sign in with its accounts.
fn known(shared: &Shared, connection: &str) -> Option<Arc<Connection>> {
    let found = shared.hub.connection(connection).filter(|_| shared.keys.people.knows(connection))?;
    found.manifest.sign_in.is_some().then_some(found)
}

/// The ways to sign in without a key, for the login page.
pub(crate) fn choices(shared: &Shared, lang: Lang) -> Markup {
    let all: Vec<Arc<Connection>> = shared.keys.people.connections().filter_map(|id| known(shared, id)).collect();
    let same = |one: &Arc<Connection>| all.iter().filter(|other| other.manifest.vendor == one.manifest.vendor).count();
    html! {
        @if !all.is_empty() {
            ul.ways {
                @for one in &all {
                    li {
                        a.button href=(format!("/console/login/{}", one.id)) {
                            (lang.say("Sign in with ", "使用以下账号登录：")) (one.manifest.name)
                            @if same(one) > 1 { " (" (one.id) ")" }
                        }
                    }
                }
            }
            p.or { span { (lang.say("or", "或")) } }
        }
    }
}

fn back_address(shared: &Shared, connection: &str) -> String {
    format!("{}/console/login/{connection}/back", shared.hub.public_url())
}

/// Sends somebody to the vendor's page.
pub(crate) async fn begin(
    State(console): State<Console>,
    Path(connection): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let shared = &console.0;
    let lang = language(query.as_deref(), &headers);
    let Some(connection) = known(shared, &connection) else { return Trouble::NoSuchWay.page(shared, lang, "") };
    let state = random::token(STATE);
    let way = Way { state, connection: connection.id.clone(), until: shared.hub.clock.micros() + LASTS_MICROS };
    let page = shared.hub.sign_in_page(&connection.id, &way.state, &back_address(shared, &connection.id));
    let page = match page {
        Ok(page) => page,
        Err(error) => {
            tracing::error!(connection.id = %connection.id, error = %error, "nobody can be sent to the vendor's page");
            return Trouble::NoAnswer.page(shared, lang, &connection.id);
        }
    };
    match way.to_cookie(shared).await {
        Ok(cookie) => ([(header::SET_COOKIE, cookie)], Redirect::to(&page)).into_response(),
        Err(error) => denied(lang, None, "/console/login", &error),
    }
}

/// Takes somebody in who comes back from the vendor's page.
pub(crate) async fn back(
    State(console): State<Console>,
    Path(connection): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let shared = &console.0;
    let query = query.unwrap_or_default();
    let mut response = match who_comes(shared, &connection, &query, &headers).await {
        Ok(session) => enter(&console, &session, &headers).await,
        Err(trouble) => {
            if !matches!(trouble, Trouble::Store(_)) {
                let reason = trouble.reason();
                tracing::warn!(connection.id = %connection, reason, "a sign-in was refused");
                shared.hub.audit_stranger(Entry::by_stranger("console.signed_in").detail("reason", reason)).await;
            }
            // The page is asked for by its way back once: a change of language begins anew.
            trouble.page(shared, language(None, &headers), &connection)
        }
    };
    response.headers_mut().append(header::SET_COOKIE, set_cookie("", 0, shared.secure()));
    response
}

async fn who_comes(shared: &Shared, connection: &str, query: &str, headers: &HeaderMap) -> Result<Session, Trouble> {
    let connection = known(shared, connection).ok_or(Trouble::NoSuchWay)?;
    let sign_in = connection.manifest.sign_in.as_ref().ok_or(Trouble::NoSuchWay)?;
    let given = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let now = shared.hub.clock.micros();
    let way = Way::of(shared, headers).ok_or(Trouble::OtherBrowser)?;
    let own = hub_flow::access::same(&way.state, &given("state")) && way.connection == connection.id;
    if !own {
        return Err(Trouble::OtherBrowser);
    }
    if way.until <= now {
        return Err(Trouble::TooLate);
    }
    let code = given(&sign_in.code);
    if code.is_empty() || code.len() > LONGEST_CODE {
        return Err(Trouble::NotAgreed);
    }
    let (name, until) = (format!("sign-in/{}", way.state), way.until);
    let first = shared.hub.store.write(job!(|tx| { tx.use_once(&name, now, until).await })).await;
    if !first.map_err(|error| Trouble::Store(error.into()))? {
        return Err(Trouble::Again);
    }
    let _turn = shared.exchanges.try_acquire().map_err(|_| Trouble::Busy)?;
    let found = shared.hub.signed_in(&connection.id, &code, &back_address(shared, &connection.id)).await;
    let user = found.map_err(|error| {
        tracing::warn!(connection.id = %connection.id, error = %error, "a code did not say who it is");
        match error {
            CallError::Refused { .. } => Trouble::Refused,
            _ => Trouble::NoAnswer,
        }
    })?;
    let who = shared.keys.people.find(&connection.id, &user).ok_or(Trouble::Stranger(user))?;
    let told = shared.hub.audit(Entry::by(&who, "console.signed_in").about("connection", &connection.id)).await;
    told.map_err(|error| Trouble::Store(error.into()))?;
    tracing::warn!(connection.id = %connection.id, by = %who.name, "somebody signed in to the console");
    Ok(Session::of_person(shared, who))
}

/// Why somebody is not signed in.
enum Trouble {
    NoSuchWay,
    OtherBrowser,
    TooLate,
    Again,
    NotAgreed,
    Busy,
    Refused,
    NoAnswer,
    /// The vendor's id of somebody who is not named in `hub.yaml`.
    Stranger(String),
    Store(Denied),
}

impl Trouble {
    /// For the log: without ids of people.
    fn reason(&self) -> &'static str {
        match self {
            Self::NoSuchWay => "no_such_way",
            Self::OtherBrowser => "state_of_another_browser",
            Self::TooLate => "state_too_old",
            Self::Again => "state_used_before",
            Self::NotAgreed => "no_code",
            Self::Busy => "too_many_at_once",
            Self::Refused => "code_refused",
            Self::NoAnswer => "vendor_away",
            Self::Stranger(_) => "not_named",
            Self::Store(_) => "store_away",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchWay => StatusCode::NOT_FOUND,
            Self::OtherBrowser | Self::TooLate | Self::Again | Self::NotAgreed => StatusCode::BAD_REQUEST,
            Self::Refused | Self::Stranger(_) => StatusCode::FORBIDDEN,
            Self::Busy | Self::NoAnswer | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn page(&self, shared: &Shared, lang: Lang, connection: &str) -> Response {
        let (title, text) = match self {
            Self::Store(denied_by) => return denied(lang, None, "/console/login", denied_by),
            Self::NoSuchWay => (
                lang.say("No such way to sign in", "没有这种登录方式"),
                lang.say("Nobody signs in with this connection.", "该连接未开放登录。"),
            ),
            Self::OtherBrowser => (
                lang.say("Not signed in", "登录未完成"),
                lang.say(
                    "This sign-in was not begun in this browser. Begin again here.",
                    "此次登录不是从当前浏览器发起的，请在此重新登录。",
                ),
            ),
            Self::TooLate => (
                lang.say("Not signed in", "登录未完成"),
                lang.say("It took longer than ten minutes. Begin again.", "登录已超过十分钟，请重新登录。"),
            ),
            Self::Again => (
                lang.say("Not signed in", "登录未完成"),
                lang.say("This sign-in was used before. Begin again.", "此次登录已被使用，请重新登录。"),
            ),
            Self::NotAgreed => (
                lang.say("Not signed in", "登录未完成"),
                lang.say(
                    "The platform sent no code: perhaps you did not agree.",
                    "平台未返回授权码，可能尚未同意授权。",
                ),
            ),
            Self::Refused => (
                lang.say("Not signed in", "登录未完成"),
                lang.say(
                    "The platform did not confirm who you are. Only members of the organisation can sign in.",
                    "平台未能确认您的身份，仅组织成员可以登录。",
                ),
            ),
            Self::Busy | Self::NoAnswer => (
                lang.say("Not available", "暂不可用"),
                lang.say("The platform cannot be asked now. Try again in a moment.", "暂时无法连接平台，请稍后再试。"),
            ),
            Self::Stranger(_) => (
                lang.say("No access", "没有访问权限"),
                lang.say(
                    "The platform knows you, but you have no role here. Give an admin of the hub this line:",
                    "平台已确认您的身份，但您在此没有角色。请将下面这一行交给管理员：",
                ),
            ),
        };
        let name = known(shared, connection).map(|connection| connection.manifest.name.clone());
        let body = html! {
            section.card.narrow {
                h1 { (title) }
                p { (text) }
                @if let Self::Stranger(user) = self { p { code { (connection) ": " (user) } } }
                div.actions {
                    @if let (Some(name), false) = (name, matches!(self, Self::Stranger(_))) {
                        a.button href=(format!("/console/login/{connection}")) {
                            (lang.say("Sign in with ", "使用以下账号登录：")) (name)
                        }
                    }
                    a href="/console/login" { (lang.say("Other ways to sign in", "其他登录方式")) }
                }
            }
        };
        Page { lang, title, here: "/console/login", who: None, body }.render(self.status())
    }
}
