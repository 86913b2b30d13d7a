//! Every officer route with every role and with none (threat 24): who is let in is this table, and nothing else.

use std::collections::BTreeSet;

use idcheck_tests::{Console, Demo, Officer};
use serde_json::{Value, json};

const READ: &[&str] = &["reviewer", "supervisor", "auditor"];
const WORK: &[&str] = &["reviewer", "supervisor"];
const AUDIT: &[&str] = &["auditor"];
const ADMIN: &[&str] = &["admin"];
const ALL: &[&str] = &["reviewer", "supervisor", "auditor", "admin"];
const CONFIRM: &[&str] = &["supervisor"];
const USERS: [(&str, &str); 4] =
    [("reviewer", "reviewer1"), ("supervisor", "supervisor1"), ("auditor", "auditor1"), ("admin", "admin1")];

/// Method, path as the document has it, who may.
const ROUTES: &[(&str, &str, &[&str])] = &[
    ("get", "/officer/applications", READ),
    ("get", "/officer/applications/{id}", READ),
    ("post", "/officer/applications/{id}/claim", WORK),
    ("post", "/officer/applications/{id}/release", WORK),
    ("post", "/officer/applications/{id}/clarification", WORK),
    ("post", "/officer/applications/{id}/approve", WORK),
    ("post", "/officer/applications/{id}/reject", WORK),
    ("get", "/officer/organisations/{ubn}", READ),
    ("post", "/officer/organisations/{ubn}/revoke", WORK),
    ("post", "/officer/organisations/{ubn}/suspend", WORK),
    ("post", "/officer/organisations/{ubn}/lift", WORK),
    ("post", "/officer/organisations/{ubn}/lift-user", WORK),
    ("get", "/officer/worklist", WORK),
    ("post", "/officer/applications/{id}/propose-approval", WORK),
    ("post", "/officer/applications/{id}/return-to-review", WORK),
    ("get", "/officer/suspended-users", READ),
    ("get", "/officer/dormant", READ),
    ("get", "/officer/usage", READ),
    ("get", "/officer/templates", ALL),
    ("post", "/officer/templates", ADMIN),
    ("post", "/officer/templates/{id}", ADMIN),
    ("post", "/officer/applications/{id}/preview", WORK),
    ("get", "/officer/revocations", READ),
    ("post", "/officer/revocations/{id}/confirm", CONFIRM),
    ("post", "/officer/revocations/{id}/decline", WORK),
    ("get", "/officer/plans", READ),
    ("post", "/officer/plans/{id}/approve", WORK),
    ("post", "/officer/plans/{id}/reject", WORK),
    ("get", "/officer/notices", READ),
    ("get", "/officer/notices/{id}", READ),
    ("get", "/officer/notices/{id}/attachments", READ),
    ("get", "/officer/applications/{id}/attachments", READ),
    ("get", "/officer/attachments/{id}", READ),
    ("post", "/officer/notices/{id}/send", WORK),
    ("post", "/officer/notices/{id}/accept", WORK),
    ("post", "/officer/notices/{id}/dismiss", WORK),
    ("get", "/officer/sweeps", READ),
    ("post", "/officer/sweeps", WORK),
    ("get", "/officer/sweeps/{id}", READ),
    ("post", "/officer/sweeps/{id}/confirm", CONFIRM),
    ("post", "/officer/sweeps/{id}/items/{ubn}/confirm", CONFIRM),
    ("post", "/officer/sweeps/{id}/items/{ubn}/keep", WORK),
    ("get", "/officer/audit", AUDIT),
    ("get", "/officer/audit/chain", AUDIT),
    ("get", "/officer/accounts", ADMIN),
    ("post", "/officer/accounts", ADMIN),
    ("post", "/officer/accounts/{username}/role", ADMIN),
    ("post", "/officer/accounts/{username}/close", ADMIN),
    ("post", "/officer/accounts/{username}/open", ADMIN),
    ("post", "/officer/accounts/{username}/reset", ADMIN),
    ("get", "/officer/accounts/{username}/sessions", ADMIN),
    ("delete", "/officer/accounts/{username}/sessions/{session}", ADMIN),
    ("get", "/officer/mail/dead-letters", READ),
    ("post", "/officer/mail/dead-letters/{id}/send", WORK),
];

/// A body that each of these routes reads, so that only the role decides.
fn body(path: &str) -> Option<Value> {
    let step = path.rsplit('/').next().unwrap();
    let template = json!({"use": "reject", "title": "x", "text": "y", "state": "inUse"});
    Some(match (step, path.contains("/mail/")) {
        ("claim" | "release" | "sweeps" | "close" | "open", _) | ("send", true) => return None,
        ("confirm", _) if path.contains("/sweeps/") => return None,
        ("templates", _) => template,
        ("accounts", _) => json!({"username": "nobody-yet", "role": "auditor"}),
        ("role", _) => json!({"role": "auditor"}),
        ("reset", _) => json!({}),
        ("{id}", _) if path.contains("/templates/") => {
            let mut changed = template;
            changed["version"] = json!(1);
            changed
        }
        ("preview", _) => json!({"step": "approve", "version": 1}),
        ("keep", _) => json!({"reason": "查明"}),
        ("clarification", _) => json!({"question": "請補充"}),
        ("revoke", _) => json!({"ground": "abuse", "reason": "試探"}),
        ("lift-user", _) => json!({"userId": "teller7"}),
        ("suspend" | "lift", _) => json!({"reason": "來函"}),
        ("send", false) => json!({"message": "請說明", "days": 3, "version": 1}),
        ("reject" | "decline" | "dismiss", _) => json!({"reason": "不足", "version": 1}),
        _ => json!({"version": 1}),
    })
}

fn filled(path: &str) -> String {
    let path = path.strip_prefix("/officer").unwrap();
    path.replace("{id}", "01a20947-c02a-7d0d-ba79-6c400c7f8e91")
        .replace("{ubn}", "04595257")
        .replace("{username}", "nobody")
        .replace("{session}", "00")
}

async fn status(officer: &Officer, method: &str, path: &str) -> u16 {
    match method {
        "get" => officer.get(&filled(path)).await.0,
        "delete" => officer.delete(&filled(path)).await.0,
        _ => officer.post(&filled(path), body(path)).await.0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_with_every_role_and_with_none() {
    let demo = Demo::start().await;
    let document = reqwest::get(format!("{}/api/v1/openapi.json", demo.base_url)).await.unwrap();
    let document: Value = serde_json::from_slice(&document.bytes().await.unwrap()).unwrap();
    let calls = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        let path = path.trim_start_matches("/api/v1");
        methods.as_object().unwrap().keys().map(move |method| (method.clone(), path.to_owned()))
    });
    let own = ["/officer/session", "/officer/sessions", "/officer/sessions/{session}"];
    let calls: BTreeSet<_> =
        calls.filter(|(_, path)| path.starts_with("/officer/") && !own.contains(&path.as_str())).collect();
    let table: BTreeSet<_> =
        ROUTES.iter().map(|(m, path, _)| ((*m).to_owned(), (*path).to_owned())).collect();
    assert_eq!(calls, table, "a route is not in the table");

    let nobody = Officer::nobody(&demo.base_url);
    for (method, path, _) in ROUTES {
        assert_eq!(status(&nobody, method, path).await, 401, "nobody: {method} {path}");
    }
    for (role, user) in USERS {
        let officer = Officer::of(&demo, user).await;
        for (method, path, may) in ROUTES {
            let status = status(&officer, method, path).await;
            let let_in = matches!(status, 200 | 201 | 404 | 409);
            assert_eq!(let_in, may.contains(&role), "{role}: {method} {path} {status}");
            assert!(let_in || status == 403, "{role}: {method} {path} {status}");
        }
    }
}

/// Nobody ends another's sessions, and every role its own.
#[tokio::test(flavor = "multi_thread")]
async fn signing_out_everywhere_ends_one_s_own_sessions() {
    let demo = Demo::start().await;
    let (lin, wang) = (Officer::of(&demo, "reviewer1").await, Officer::of(&demo, "auditor1").await);
    assert_eq!(Officer::nobody(&demo.base_url).sign_out_everywhere().await, 401);
    assert_eq!(lin.sign_out_everywhere().await, 204);
    assert_eq!(lin.get("/applications").await.0, 401);
    assert_eq!(wang.get("/applications").await.0, 200);
}

/// The queue tells a deadline as a date and in words, not by colour alone.
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_tells_how_many_working_days_are_left() {
    let demo = Demo::start().await;
    let applicant = idcheck_tests::Applicant::of(&demo, "company", "valid", 0);
    applicant.done("apply", &idcheck_tests::Applicant::application()).await;
    let queue = Console::of(&demo, "auditor1").await.get("/officer/applications").await;
    // Just received: five working days, whatever day it is.
    assert!(queue.text.contains("尚餘 5 個工作日"), "{}", queue.text);
}

/// What is typed into a form, by field.
type Typed = &'static [(&'static str, &'static str)];

const VERSION: Typed = &[("version", "1")];
const DECISION: Typed = &[("version", "1"), ("step", "reject"), ("text", "不足")];
const ONE: Typed = &[("id", "{id}"), ("version", "1")];
const ONE_WITH_TEXT: Typed = &[("id", "{id}"), ("version", "1"), ("text", "不足"), ("days", "3")];
const TEMPLATE: Typed = &[("use", "reject"), ("title", "x"), ("text", "y"), ("version", "1")];

/// Pages and forms: path as the router has it, a query, what is typed, who may.
const PAGES: &[(&str, &str, Option<Typed>, &[&str])] = &[
    ("/officer", "", None, ALL),
    ("/officer/applications", "", None, READ),
    ("/officer/applications/:id", "", None, READ),
    ("/officer/applications/:id/claim", "", None, ALL),
    ("/officer/applications/:id/release", "", None, ALL),
    ("/officer/applications/:id/decide", "", None, ALL),
    ("/officer/applications/:id/claim", "", Some(VERSION), WORK),
    ("/officer/applications/:id/release", "", Some(VERSION), WORK),
    ("/officer/applications/:id/decide", "", Some(DECISION), WORK),
    ("/officer/organisations/:ubn", "", None, READ),
    ("/officer/organisations/:ubn/revoke", "", Some(&[("ground", "abuse"), ("text", "試探")]), WORK),
    ("/officer/organisations/:ubn/suspend", "", Some(&[("text", "來函")]), WORK),
    ("/officer/organisations/:ubn/lift", "", Some(&[("text", "來函")]), WORK),
    ("/officer/organisations/:ubn/lift-user", "", Some(&[("user", "teller7")]), WORK),
    ("/officer/organisations/:ubn/confirm", "", Some(ONE), CONFIRM),
    ("/officer/organisations/:ubn/decline", "", Some(ONE_WITH_TEXT), WORK),
    ("/officer/organisations/:ubn/approve-plan", "", Some(ONE), WORK),
    ("/officer/organisations/:ubn/reject-plan", "", Some(ONE_WITH_TEXT), WORK),
    ("/officer/organisations/:ubn/send-notice", "", Some(ONE_WITH_TEXT), WORK),
    ("/officer/organisations/:ubn/accept-notice", "", Some(ONE), WORK),
    ("/officer/organisations/:ubn/dismiss-notice", "", Some(ONE_WITH_TEXT), WORK),
    ("/officer/organisations/:ubn/withdraw-notice", "", Some(ONE_WITH_TEXT), WORK),
    ("/officer/notices", "", None, READ),
    ("/officer/waiting", "", None, READ),
    ("/officer/sweeps", "", None, READ),
    ("/officer/sweeps", "", Some(&[]), WORK),
    ("/officer/sweeps/:id", "", None, READ),
    ("/officer/sweeps/:id/confirm-all", "", Some(&[]), CONFIRM),
    ("/officer/sweeps/:id/confirm", "", Some(&[("ubn", "04595257")]), CONFIRM),
    ("/officer/sweeps/:id/keep", "", Some(&[("ubn", "04595257"), ("text", "查明")]), WORK),
    ("/officer/templates", "", None, ALL),
    ("/officer/templates", "", Some(TEMPLATE), ADMIN),
    ("/officer/templates/:id", "", Some(TEMPLATE), ADMIN),
    ("/officer/guide", "", None, ALL),
    ("/officer/usage", "", None, READ),
    ("/officer/usage", "?ubn=04595257", None, READ),
    ("/officer/usage/export", "?table=organisations", None, READ),
    ("/officer/audit", "", None, AUDIT),
    ("/officer/audit/export", "", None, AUDIT),
    ("/officer/audit/:seq", "", None, AUDIT),
    ("/officer/account", "", None, ALL),
    ("/officer/account", "", Some(&[("session", "00")]), ALL),
    ("/officer/account/passkeys", "", Some(&[("name", "x")]), ALL),
    ("/officer/account/passkeys/remove", "", Some(&[("id", "")]), ALL),
    ("/officer/accounts", "", None, ADMIN),
    ("/officer/accounts", "", Some(&[("username", "somebody-new"), ("role", "auditor")]), ADMIN),
    ("/officer/accounts/:username", "", None, ADMIN),
    ("/officer/accounts/:username/role", "", Some(&[("role", "auditor")]), ADMIN),
    ("/officer/accounts/:username/close", "", Some(&[]), ADMIN),
    ("/officer/accounts/:username/open", "", Some(&[]), ADMIN),
    ("/officer/accounts/:username/reset", "", Some(&[]), ADMIN),
    ("/officer/accounts/:username/end-session", "", Some(&[("session", "00")]), ADMIN),
    ("/officer/mail", "", None, READ),
    ("/officer/mail/:id", "", Some(&[]), WORK),
];

/// Pages that anybody sees: those through which one becomes an officer, and ends to be one.
const OPEN: [&str; 7] = [
    "sign-in",
    "sign-in/passkey",
    "sign-in/provider",
    "sign-in/callback",
    "sign-out",
    "sign-out-everywhere",
    "invitation",
];

#[test]
fn every_page_of_the_console_is_in_the_table() {
    let open: BTreeSet<_> = OPEN.iter().map(|name| format!("/officer/{name}")).collect();
    let pages = idcheck_http::officer_pages().into_iter().filter(|(_, path)| !open.contains(path));
    let table = PAGES
        .iter()
        .map(|(path, _, typed, _)| (if typed.is_some() { "post" } else { "get" }, (*path).to_owned()));
    assert_eq!(pages.collect::<BTreeSet<_>>(), table.collect::<BTreeSet<_>>(), "a page is not in the table");
}

/// Signing out ends the session of this browser; everywhere, those of all.
#[tokio::test(flavor = "multi_thread")]
async fn signing_out_of_the_console() {
    let demo = Demo::start().await;
    let [here, there, elsewhere] = [
        Console::of(&demo, "reviewer1").await,
        Console::of(&demo, "supervisor1").await,
        Console::of(&demo, "auditor1").await,
    ];
    let seen = async |console: &Console| console.get("/officer/applications").await.status;
    assert_eq!(here.submit("/officer/applications", "/officer/sign-out", &[]).await.status, 303);
    assert_eq!([seen(&here).await, seen(&there).await, seen(&elsewhere).await], [303, 200, 200]);
    assert_eq!(there.submit("/officer/applications", "/officer/sign-out-everywhere", &[]).await.status, 303);
    assert_eq!([seen(&there).await, seen(&elsewhere).await], [303, 200]);
}

async fn page(console: &Console, csrf: &str, (path, query): (&str, &str), typed: Option<Typed>) -> u16 {
    let id = "01a20947-c02a-7d0d-ba79-6c400c7f8e91";
    let path = path
        .replace(":id", id)
        .replace(":ubn", "04595257")
        .replace(":seq", "1")
        .replace(":username", "nobody")
        + query;
    let Some(typed) = typed else { return console.get(&path).await.status };
    let mut typed: Vec<_> =
        typed.iter().map(|(name, value)| (*name, if *value == "{id}" { id } else { *value })).collect();
    typed.push(("csrf", csrf));
    console.post(&path, &typed).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_with_every_role_and_with_none() {
    let demo = Demo::start().await;
    let nobody = Console::nobody(&demo.base_url).await;
    let csrf = nobody.get("/officer/sign-in").await.hidden("csrf");
    for (path, query, typed, _) in PAGES {
        assert_eq!(page(&nobody, &csrf, (path, query), *typed).await, 303, "nobody: {path}");
    }
    for (role, user) in USERS {
        let console = Console::of(&demo, user).await;
        let csrf = console.get("/officer/sign-in").await.hidden("csrf");
        for (path, query, typed, may) in PAGES {
            let status = page(&console, &csrf, (path, query), *typed).await;
            let let_in = matches!(status, 200 | 303 | 404 | 409);
            assert_eq!(let_in, may.contains(&role), "{role}: {path} {status}");
            assert!(let_in || status == 403, "{role}: {path} {status}");
        }
    }
}

/// An officer's life: invited, at work in two browsers, another role, closed, opened, reset.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_is_invited_watched_and_closed() {
    const PASSWORD: &str = "七個字也可以記得住很久喔";
    let demo = Demo::start().await;
    let admin = Console::of(&demo, "admin1").await;
    let step = async |step: &str, typed: &[(&str, &str)]| {
        let path = format!("/officer/accounts/chen.2/{step}");
        admin.submit("/officer/accounts", &path, typed).await
    };
    let invite = async |username: &str| {
        let typed = [("username", username), ("role", "auditor")];
        admin.submit("/officer/accounts", "/officer/accounts", &typed).await
    };
    let code = |page: &str| {
        let (_, after) =
            page.split_once("<dd class=\"mono\">").unwrap_or_else(|| panic!("no code in {page}"));
        after.split('<').next().unwrap().to_owned()
    };
    // What is typed stays where it is refused.
    let refused = invite("Chen 2").await;
    assert!(refused.status == 422 && refused.text.contains("value=\"Chen 2\""), "{}", refused.text);
    assert_eq!(invite("reviewer1").await.status, 409);
    let invited = code(&invite("chen.2").await.text);

    let mut chen = Console::nobody(&demo.base_url).await;
    assert_eq!(chen.take_up("chen.2", "AAAAA-AAAAA-AAAAA-AAAAA", PASSWORD).await.status, 401);
    assert_eq!(chen.take_up("chen.2", &invited, "short").await.status, 422);
    assert_eq!(chen.take_up("chen.2", &invited.to_lowercase(), PASSWORD).await.status, 303);
    assert_eq!(chen.get("/officer/audit").await.status, 200);
    let mut again = Console::nobody(&demo.base_url).await;
    assert_eq!(
        again.take_up("chen.2", &invited, PASSWORD).await.status,
        401,
        "an invitation was taken up twice"
    );

    // A role counts from the next page on, and a session ends when an admin ends it.
    assert_eq!(step("role", &[("role", "reviewer")]).await.status, 303);
    assert_eq!(
        [chen.get("/officer/audit").await.status, chen.get("/officer/notices").await.status],
        [403, 200]
    );
    let account = admin.get("/officer/accounts/chen.2").await;
    let session = account.hidden("session");
    assert_eq!(step("end-session", &[("session", &session)]).await.status, 303);
    assert_eq!(chen.get("/officer/notices").await.status, 303);
    assert_eq!(step("end-session", &[("session", &session)]).await.status, 404);

    // Reset, for a lost telephone: a new code, and the old password is nothing.
    let code = code(&step("reset", &[]).await.text);
    assert_eq!(chen.take_up("chen.2", &code, PASSWORD).await.status, 303);
    assert_eq!(step("close", &[]).await.status, 303);
    assert_eq!(chen.get("/officer/notices").await.status, 303);
    assert!(admin.get("/officer/accounts").await.text.contains("已關閉"));

    // Nobody locks themselves out.
    for (step, typed) in [("role", [("role", "auditor")]), ("close", [("", "")]), ("reset", [("", "")])] {
        let path = format!("/officer/accounts/admin1/{step}");
        assert_eq!(admin.submit("/officer/accounts", &path, &typed).await.status, 409, "{step}");
    }
    let auditor = Officer::of(&demo, "auditor1").await;
    let log = auditor.get("/audit?limit=100").await.1.to_string();
    for action in
        ["officer.add", "officer.accept", "officer.role", "session.end", "officer.reset", "officer.close"]
    {
        assert!(log.contains(action), "{action}");
    }
    assert!(!log.contains(&code) && !log.contains(&invited));
}

/// Everybody sees and ends their own sessions, one by one.
#[tokio::test(flavor = "multi_thread")]
async fn one_s_own_sessions_are_listed_and_ended() {
    let demo = Demo::start().await;
    let here = Officer::of(&demo, "reviewer1").await;
    let there = Console::of(&demo, "reviewer2").await;
    let (status, listed) = here.get("/sessions").await;
    let sessions = listed["sessions"].as_array().unwrap();
    assert_eq!((status, sessions.len(), &sessions[0]["current"]), (200, 1, &json!(true)), "{listed}");
    assert_eq!(sessions[0]["address"], "127.0.0.1");
    let others = there.get("/officer/account").await.hidden("session");
    assert_eq!(here.delete(&format!("/sessions/{others}")).await.0, 404, "another's session");
    assert_eq!(here.delete(&format!("/sessions/{}", sessions[0]["id"].as_str().unwrap())).await.0, 204);
    assert_eq!(here.get("/sessions").await.0, 401);
    assert_eq!(
        there.submit("/officer/account", "/officer/account", &[("session", &others)]).await.status,
        303
    );
    assert_eq!(there.get("/officer/account").await.status, 303);
}

/// A form that was not made for this browser is read by no page, whoever is signed in.
#[tokio::test(flavor = "multi_thread")]
async fn no_page_takes_a_form_of_another_site() {
    let demo = Demo::start().await;
    let (_, user) = USERS.into_iter().find(|(role, _)| *role == "supervisor").unwrap();
    let console = Console::of(&demo, user).await;
    let forms = PAGES.iter().filter(|(.., typed, may)| typed.is_some() && may.contains(&"supervisor"));
    let mut tried = 0;
    for (path, query, typed, _) in forms {
        assert_eq!(page(&console, &"0".repeat(64), (path, query), *typed).await, 403, "{path}");
        tried += 1;
    }
    assert!(tried > 15, "{tried}");
}
