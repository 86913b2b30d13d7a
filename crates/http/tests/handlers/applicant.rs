//! Challenges and proofs.

use chrono::TimeDelta;
use idcheck_usecases::ports::Clock as _;
use poem::{http::StatusCode, test::TestResponse};
use serde_json::{Value, json};

use crate::support::{COMPANY, Service};

async fn ask(service: &Service, body: &Value) -> TestResponse {
    service.http.post("/api/v1/challenges").header("accept-language", "en").body_json(body).send().await
}

async fn value(response: TestResponse) -> Value {
    serde_json::from_str(&response.0.into_body().into_string().await.unwrap()).unwrap()
}

fn apply() -> Value {
    json!({
        "act": "apply", "unifiedBusinessNumber": COMPANY,
        "content": {
            "companyName": "測試股份有限公司", "hostAddresses": ["8.8.8.8"],
            "contact": {"name": "王小明", "mobile": "0912345678", "email": "it@example.com"},
            "purpose": {"authority": "金管會", "rule": "防制洗錢辦法", "description": "開戶"},
            "consent": {"noticeVersion": "108-06", "conductVersion": "108-06"}
        }
    })
}

/// Every broken field is told at once, each by its place in the body.
#[tokio::test]
async fn broken_fields_are_told_by_their_place() {
    let service = Service::start().await;
    let mut body = apply();
    body["content"]["hostAddresses"] = json!(["10.0.0.1"]);
    body["content"]["contact"] = json!({"name": "", "email": "x"});
    body["content"]["more"] = json!(1);
    let response = ask(&service, &body).await;
    response.assert_status(StatusCode::UNPROCESSABLE_ENTITY);
    response.assert_content_type("application/problem+json");
    let problem = value(response).await;
    let told: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|v| v["pointer"].as_str().unwrap()).collect();
    for pointer in ["hostAddresses/0", "contact/name", "contact/email", "contact/landline", "more"]
        .map(|end| format!("/content/{end}"))
    {
        assert!(told.contains(&pointer.as_str()), "{pointer} is missing in {problem}");
    }
}

/// What is no request at all: each with its own status and a problem.
#[tokio::test]
async fn what_is_no_request_is_refused() {
    let service = Service::start().await;
    for (body, kind, status) in [
        ("{", "application/json", StatusCode::BAD_REQUEST),
        ("[]", "application/json", StatusCode::UNPROCESSABLE_ENTITY),
        (r#"{"act":"apply","act":"suspend"}"#, "application/json", StatusCode::UNPROCESSABLE_ENTITY),
        ("act=apply", "application/x-www-form-urlencoded", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let request = service.http.post("/api/v1/challenges").content_type(kind).body(body);
        let response = request.send().await;
        response.assert_status(status);
        response.assert_content_type("application/problem+json");
    }
    let large = format!(r#"{{"act":"{}"}}"#, "a".repeat(300 * 1024));
    let request = service.http.post("/api/v1/challenges").content_type("application/json").body(large);
    request.send().await.assert_status(StatusCode::PAYLOAD_TOO_LARGE);
}

/// A challenge is signed once, by the card; what it filed is found by its session and by an officer.
#[tokio::test]
async fn from_challenge_to_case() {
    let service = Service::start().await;
    let response = ask(&service, &apply()).await;
    response.assert_status(StatusCode::CREATED);
    let challenge = value(response).await;
    let proof = format!("/api/v1/challenges/{}/proof", challenge["id"].as_str().unwrap());
    let prove = async |signature: &str| {
        service.http.post(&proof).body_json(&json!({"signature": signature})).send().await
    };
    prove("%").await.assert_status(StatusCode::UNPROCESSABLE_ENTITY);
    // "refused", and any other bytes, in base64.
    let refused = prove("cmVmdXNlZA==").await;
    refused.assert_status(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(value(refused).await["type"].as_str().unwrap().ends_with("card-revoked"));
    let proven = prove("Y21z").await;
    proven.assert_status_is_ok();
    let case = value(proven).await["result"]["application"].clone();
    assert_eq!((&case["kind"], &case["state"]), (&json!("apply"), &json!("received")));
    prove("Y21z").await.assert_status(StatusCode::CONFLICT);
    let officer = service.signed_in("chen").await;
    let path = format!("/api/v1/officer/applications/{}", case["id"].as_str().unwrap());
    let found = service.http.get(&path).header("authorization", &officer).send().await;
    found.assert_status_is_ok();
    assert_eq!(value(found).await["application"]["caseNumber"], case["caseNumber"]);
    assert_eq!(service.database.number("SELECT count(*) FROM applications").await, 1);
}

#[tokio::test]
async fn a_door_that_is_closed_says_when_it_opens() {
    let service = Service::with_doors(false).await;
    let response = ask(&service, &apply()).await;
    response.assert_status(StatusCode::TOO_MANY_REQUESTS);
    response.assert_header("retry-after", "7");
    assert_eq!(service.database.number("SELECT count(*) FROM challenges").await, 0);
}

/// The form of an act as a browser has it: its cookie and its token.
async fn browser(service: &Service, path: &str) -> (String, String) {
    let page = service.http.get(path).send().await;
    let cookie = page.0.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let text = page.0.into_body().into_string().await.unwrap();
    let token = text.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    (cookie, token.to_owned())
}

/// Where a form that is right leads: the page that signs it, which has an address of its own.
async fn signing(service: &Service, cookie: &str, path: &str, form: &[(&str, &str)]) -> String {
    let response = service.http.post(path).header("cookie", cookie).form(&form).send().await;
    response.assert_status(StatusCode::SEE_OTHER);
    response.0.headers().get("location").and_then(|to| to.to_str().ok()).unwrap().to_owned()
}

/// Where a form leads to that was sent.
async fn send(service: &Service, cookie: &str, path: &str, form: &[(&str, &str)]) -> String {
    signing(service, cookie, path, form).await
}

async fn get(service: &Service, cookie: &str, path: &str) -> (StatusCode, String) {
    let page = service.http.get(path).header("cookie", cookie).send().await;
    (page.0.status(), page.0.into_body().into_string().await.unwrap())
}

/// A page that signs can be reloaded, read in the other language, left for the form and come back to; when its time is over, the
/// same content gets another one with one press. Another browser sees nothing of it.
#[tokio::test]
async fn nothing_is_lost_while_it_waits_for_the_signature() {
    let service = Service::start().await;
    let (cookie, csrf) = browser(&service, "/acts/changeContact").await;
    let form = [
        ("csrf", csrf.as_str()),
        ("ubn", COMPANY),
        ("/contact/name", "王小明"),
        ("/contact/mobile", "0912-345-678"),
        ("/contact/email", "it@example.com"),
    ];
    let sign = send(&service, &cookie, "/acts/changeContact", &form).await;
    for language in ["", "?lang=en", "?lang=zh-Hant-TW"] {
        let (status, text) = get(&service, &cookie, &format!("{sign}{language}")).await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("id=\"sign-form\"") && !text.contains("0912345678"), "{text}");
    }
    let to_form = async |sign: &str| {
        let moved = service.http.get(format!("{sign}/form")).header("cookie", &cookie).send().await;
        moved.assert_status(StatusCode::SEE_OTHER);
        let to = moved.0.headers().get("location").and_then(|to| to.to_str().ok()).unwrap().to_owned();
        get(&service, &cookie, &to).await
    };
    let (status, text) = to_form(&sign).await;
    assert_eq!(status, StatusCode::OK);
    for typed in [COMPANY, "王小明", "0912345678", "it@example.com"] {
        assert!(text.contains(typed), "{typed} is lost");
    }
    let (stranger, _) = browser(&service, "/progress").await;
    for path in [sign.clone(), format!("{sign}/form")] {
        assert_eq!(get(&service, &stranger, &path).await.0, StatusCode::NOT_FOUND);
    }
    // A card that the server refuses is told at the same address, where it can be signed again.
    let form = [("csrf", csrf.as_str()), ("signature", "cmVmdXNlZA==")];
    let refused = send(&service, &cookie, &sign, &form).await;
    assert_eq!(refused, format!("{sign}?refused=card-revoked"));
    let (status, text) = get(&service, &cookie, &refused).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("憑證已廢止") && text.contains("id=\"sign-form\""), "{text}");
    let later = |minutes| {
        let now = idcheck_usecases::ports::Clock::now(&service.database.clock);
        service.database.clock.set(now + chrono::TimeDelta::minutes(minutes));
    };
    later(16);
    let form = [("csrf", csrf.as_str()), ("signature", "Y21z")];
    assert_eq!(send(&service, &cookie, &sign, &form).await, sign, "too late to sign");
    let (_, text) = get(&service, &cookie, &sign).await;
    assert!(
        text.contains(&format!("action=\"{sign}/again\"")) && !text.contains("id=\"sign-form\""),
        "{text}"
    );
    let again = send(&service, &cookie, &format!("{sign}/again"), &form).await;
    assert_ne!(again, sign);
    assert!(get(&service, &cookie, &again).await.1.contains("id=\"sign-form\""));
    assert!(to_form(&again).await.1.contains("0912345678"));
    // A draft that was thrown away is had back from what was to be signed.
    service.database.tamper("DELETE FROM drafts").await;
    assert!(to_form(&again).await.1.contains("0912345678"));
    // Where not the time but a rule has changed, it is said once and leads back to the form, not round in a circle.
    service.database.tamper("UPDATE challenges SET content = '{}'").await;
    let refused = service.http.post(&again).header("cookie", &cookie).form(&form).send().await;
    assert!(refused.0.status().is_client_error(), "{}", refused.0.status());
    let text = refused.0.into_body().into_string().await.unwrap().replace("&#x2f;", "/");
    assert!(text.contains(&format!("href=\"{again}/form\"")), "{text}");
}

/// What is typed into the steps of an application, page by page.
const STEPS: [(&str, &[(&str, &str)]); 4] = [
    ("company", &[("/companyName", "測試股份有限公司"), ("ubn", "０４５９-５２５７")]),
    (
        "contact",
        &[
            ("/contact/name", "王小明"),
            ("/contact/landline", "02-1234-5678 分機 12"),
            ("/contact/mobile", "+886 912-345-678"),
            ("/contact/email", "ｉｔ＠example.com"),
        ],
    ),
    ("hosts", &[("hosts", "８．８．８．８，8.8.4.4"), ("hosts", ""), ("hosts", "9.9.9.9")]),
    (
        "purpose",
        &[
            ("/purpose/authority", "金管會"),
            ("/purpose/rule", "防制洗錢辦法"),
            ("/purpose/description", "開戶"),
        ],
    ),
];

/// Fills in the steps of an application; the address of the page that shows everything.
async fn filled_in(service: &Service, cookie: &str, csrf: &str) -> String {
    let mut at = "/acts/apply".to_owned();
    for (step, typed) in STEPS {
        let form: Vec<_> = [("csrf", csrf)].into_iter().chain(typed.iter().copied()).collect();
        assert!(at == "/acts/apply" || at.ends_with(step), "{at}");
        at = send(service, cookie, &at, &form).await;
    }
    assert!(at.starts_with("/drafts/") && at.ends_with("/check"), "{at}");
    at
}

/// What people usually spell in several ways is understood, and shown as it was understood before it is signed.
#[tokio::test]
async fn usual_spellings_are_understood_and_shown() {
    let service = Service::start().await;
    let (cookie, csrf) = browser(&service, "/apply/form?kind=apply").await;
    let check = filled_in(&service, &cookie, &csrf).await;
    let (status, text) = get(&service, &cookie, &check).await;
    assert_eq!(status, StatusCode::OK);
    for understood in
        ["04595257", "8.8.8.8\n8.8.4.4\n9.9.9.9", "(02)12345678#12", "0912345678", "it@example.com"]
    {
        assert!(text.contains(&format!("<dd>{understood}</dd>")), "{understood} is missing in {text}");
    }
}

/// A form is kept where it can be had again: reloaded, in another window, in the other language, from its beginning and from each row
/// of the page that shows everything; for its browser alone, until it is signed, discarded or a day old.
#[tokio::test]
async fn a_form_is_a_draft_with_an_address_of_its_own() {
    let service = Service::start().await;
    let (cookie, csrf) = browser(&service, "/apply/form?kind=apply").await;
    let own = csrf.as_str();
    let check = filled_in(&service, &cookie, &csrf).await;
    let of = |step: &str| check.replace("/check", &format!("/{step}"));
    for (step, typed) in STEPS {
        for query in ["", "?lang=en", "?lang=zh-Hant-TW"] {
            let (status, text) = get(&service, &cookie, &format!("{}{query}", of(step))).await;
            assert_eq!(status, StatusCode::OK);
            for name in typed.iter().map(|(name, _)| *name) {
                let field = text.replace("&#x2f;", "/");
                let field = field.split(&format!("name=\"{name}\"")).nth(1).unwrap().to_owned();
                let empty = field.split('>').next().unwrap().contains("value=\"\"");
                assert!(!empty, "{step} {name} is empty");
            }
        }
    }
    // Begun once more it is the same draft, and nothing of it is in an address.
    let again = service.http.get("/apply/form?kind=apply").header("cookie", &cookie).send().await;
    again.assert_status(StatusCode::SEE_OTHER);
    again.assert_header("location", of("company"));
    // The language is changed without losing what was not sent yet, a row is added or taken away, a fault is told at its place.
    let hosts = of("hosts");
    for (go, leads_to) in [
        ("lang-en", format!("{hosts}?lang=en")),
        ("add", format!("{hosts}#hosts")),
        ("remove-1", format!("{hosts}#hosts")),
    ] {
        let form = [("csrf", own), ("hosts", "8.8.8.8"), ("hosts", "1.1.1.1"), ("go", go)];
        assert_eq!(send(&service, &cookie, &hosts, &form).await, leads_to);
    }
    assert!(!get(&service, &cookie, &hosts).await.1.contains("1.1.1.1"), "the second row is gone");
    let form = [("csrf", own), ("hosts", "8.8.8.8"), ("hosts", "10.1.2.3")];
    let told = send(&service, &cookie, &hosts, &form).await;
    assert_eq!(told, format!("{hosts}?told=1"));
    let (status, text) = get(&service, &cookie, &told).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("href=\"#field-hostAddresses-1\"") && text.contains("「10.1.2.3」"), "{text}");
    let moved = service.http.get(&check).header("cookie", &cookie).send().await;
    moved.assert_header("location", format!("{hosts}?told=1"));
    // What was changed leads back to where everything is shown; without the consent it goes no further.
    let form = [("csrf", own), ("hosts", "8.8.8.8")];
    assert_eq!(send(&service, &cookie, &hosts, &form).await, check);
    let form = [("csrf", own)];
    assert_eq!(send(&service, &cookie, &of("sign"), &form).await, format!("{check}?told=1"));
    let (_, text) = get(&service, &cookie, &format!("{check}?told=1")).await;
    assert!(text.contains("href=\"#field-consent\""), "{text}");
    // Nobody else's.
    let (stranger, theirs) = browser(&service, "/progress").await;
    assert_eq!(get(&service, &stranger, &check).await.0, StatusCode::NOT_FOUND);
    let form = [("csrf", theirs.as_str()), ("hosts", "9.9.9.9")];
    let refused = service.http.post(&hosts).header("cookie", &stranger).form(&form).send().await;
    refused.assert_status(StatusCode::NOT_FOUND);
    // Nothing of it stands in the database as it was typed.
    assert_eq!(service.database.number("SELECT count(*) FROM drafts").await, 1);
    let sealed = service.database.texts("SELECT hex(sealed) AS v FROM drafts").await;
    assert!(!sealed[0].to_lowercase().contains(&hex::encode("王小明")));
    let form = [("csrf", own), ("consent", "108-06 108-06"), ("go", "lang-en")];
    let english = send(&service, &cookie, &of("sign"), &form).await;
    assert_eq!(english, format!("{check}?lang=en"));
    assert!(get(&service, &cookie, &english).await.1.contains("value=\"108-06 108-06\" checked"));
    // Signed, it is gone.
    let form = [("csrf", own), ("consent", "108-06 108-06")];
    let sign = send(&service, &cookie, &of("sign"), &form).await;
    let accepted = send(&service, &cookie, &sign, &[("csrf", own), ("signature", "Y21z")]).await;
    assert!(accepted.starts_with("/applications/"), "{accepted}");
    assert_eq!(get(&service, &cookie, &accepted).await.0, StatusCode::OK);
    assert_eq!(service.database.number("SELECT count(*) FROM drafts").await, 0);
    assert_eq!(get(&service, &cookie, &check).await.0, StatusCode::NOT_FOUND);
}

/// Who gives access up says twice that it is meant.
#[tokio::test]
async fn a_suspension_asks_again() {
    let service = Service::start().await;
    let (cookie, csrf) = browser(&service, "/apply/form?kind=suspend").await;
    let own = csrf.as_str();
    let check =
        send(&service, &cookie, "/acts/suspend", &[("csrf", own), ("ubn", COMPANY), ("/reason", "不再使用")])
            .await;
    assert!(check.ends_with("/check"), "{check}");
    let sign = check.replace("/check", "/sign");
    let form = [("csrf", own), ("consent", "108-06 108-06"), ("sure", "yes")];
    assert_eq!(send(&service, &cookie, &sign, &form[..2]).await, format!("{check}?told=sure"));
    let (status, text) = get(&service, &cookie, &format!("{check}?told=sure")).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("href=\"#sure\"") && text.contains("108-06\" checked"), "{text}");
    assert!(send(&service, &cookie, &sign, &form).await.starts_with("/sign/"));
}

/// A draft ends after a day or when it is discarded, and a private key is never in one.
#[tokio::test]
async fn drafts_end_and_hold_no_private_key() {
    let service = Service::start().await;
    let (cookie, csrf) = browser(&service, "/acts/registerKey").await;
    let form = [
        ("csrf", csrf.as_str()),
        ("ubn", COMPANY),
        ("/label", "host"),
        ("/publicKeyPem", "PRIVATE"),
        ("go", "keep"),
    ];
    let kept = service.http.post("/acts/registerKey").header("cookie", &cookie).form(&form).send().await;
    kept.assert_status(StatusCode::NO_CONTENT);
    let place = kept.0.headers().get("content-location").and_then(|to| to.to_str().ok()).unwrap().to_owned();
    let (_, text) = get(&service, &cookie, &place).await;
    assert!(text.contains("value=\"host\"") && !text.contains("PRIVATE"), "{text}");
    let sign = place.replace("/form", "/sign");
    let told = send(&service, &cookie, &sign, &form[..4]).await;
    assert_eq!(told, format!("{place}?told=leaked"));
    let (_, text) = get(&service, &cookie, &told).await;
    assert!(text.contains("href=\"#field-publicKeyPem\"") && !text.contains("PRIVATE"), "{text}");
    let form = [("csrf", csrf.as_str())];
    let discarded = send(&service, &cookie, &place.replace("/form", "/discard"), &form).await;
    assert_eq!(discarded, format!("/acts/registerKey?ubn={COMPANY}"));
    assert_eq!(get(&service, &cookie, &place).await.0, StatusCode::NOT_FOUND);
    let check = filled_in(&service, &cookie, &csrf).await;
    let now = idcheck_usecases::ports::Clock::now(&service.database.clock);
    service.database.clock.set(now + chrono::TimeDelta::days(1));
    assert_eq!(get(&service, &cookie, &check).await.0, StatusCode::NOT_FOUND);
}

/// The page of a result can be reloaded and gone back to, by its browser only.
#[tokio::test]
async fn a_result_has_a_page_of_its_own() {
    let service = Service::start().await;
    let (cookie, csrf) = browser(&service, "/acts/apply").await;
    let own = csrf.as_str();
    let check = filled_in(&service, &cookie, own).await;
    let form = [("csrf", own), ("consent", "108-06 108-06")];
    let sign = send(&service, &cookie, &check.replace("/check", "/sign"), &form).await;
    send(&service, &cookie, &sign, &[("csrf", own), ("signature", "Y21z")]).await;
    let form = [
        ("csrf", own),
        ("ubn", COMPANY),
        ("/contact/name", "陳大文"),
        ("/contact/mobile", "0912345678"),
        ("/contact/email", "new@example.com"),
    ];
    let sign = send(&service, &cookie, "/acts/changeContact", &form).await;
    let done = send(&service, &cookie, &sign, &[("csrf", own), ("signature", "Y21z")]).await;
    assert_eq!(done, format!("{sign}/done"));
    for _ in 0..2 {
        assert_eq!(get(&service, &cookie, &done).await.0, StatusCode::OK);
    }
    let (stranger, _) = browser(&service, "/progress").await;
    let moved = service.http.get(&done).header("cookie", &stranger).send().await;
    moved.assert_header("location", "/progress");
}

/// Signs in with the card: the cookies of the company's own page.
async fn signed_in(service: &Service, cookie: &str, csrf: &str) -> String {
    let sign = send(service, cookie, "/acts/progress", &[("csrf", csrf), ("ubn", COMPANY)]).await;
    let form = [("csrf", csrf), ("signature", "Y21z")];
    let signed = service.http.post(&sign).header("cookie", cookie).form(&form).send().await;
    signed.assert_header("location", "/organisation");
    let own = signed.0.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).unwrap();
    format!("{cookie}; {}", own.split(';').next().unwrap())
}

/// Files an application: its number.
async fn filed(service: &Service, cookie: &str, csrf: &str) -> String {
    let check = filled_in(service, cookie, csrf).await;
    let form = [("csrf", csrf), ("consent", "108-06 108-06")];
    let sign = send(service, cookie, &check.replace("/check", "/sign"), &form).await;
    let accepted = send(service, cookie, &sign, &[("csrf", csrf), ("signature", "Y21z")]).await;
    accepted.split('/').nth(2).unwrap().split('?').next().unwrap().to_owned()
}

/// One's own page in every view and as a case goes on: before there is one, filed, asked, answered, approved. What is next comes first,
/// and what a form knows is filled in and shown.
#[tokio::test]
async fn ones_own_page_follows_the_case() {
    let service = Service::start().await;
    let began = service.database.clock.now();
    let (cookie, csrf) = browser(&service, "/progress").await;
    let own = csrf.as_str();
    let nobody = signed_in(&service, &cookie, own).await;
    let views = ["", "/cases", "/keys", "/contact", "/usage", "/try"];
    for view in views {
        let (status, text) = get(&service, &nobody, &format!("/organisation{view}")).await;
        assert_eq!(status, StatusCode::OK, "{view}: {text}");
    }
    let number = filed(&service, &cookie, own).await;
    let officer = service.signed_in("chen").await;
    let id = service.database.texts("SELECT lower(hex(id)) AS v FROM applications").await.remove(0);
    let id = uuid::Uuid::parse_str(&id).unwrap();
    let step = async |step: &str, mut body: Value| {
        let path = format!("/api/v1/officer/applications/{id}");
        if step == "approve" {
            let read = service.http.get(&path).header("authorization", &officer).send().await;
            body["version"] = value(read).await["version"].clone();
        }
        let request = service.http.post(format!("{path}/{step}")).header("authorization", &officer);
        request.body_json(&body).send().await.assert_status_is_ok();
    };
    let views: Vec<_> = ["", "/cases", "/keys", "/contact", "/usage", "/operations-document", "/try"]
        .map(str::to_owned)
        .into_iter()
        .chain([format!("/cases/{number}")])
        .collect();
    for (done, next) in [
        ("", "先試用測試環境"),
        ("clarification", "回覆補件"),
        ("answer", "先試用測試環境"),
        ("approve", "登錄正式金鑰"),
    ] {
        match done {
            "" => {}
            "clarification" => {
                step("claim", json!({})).await;
                step("clarification", json!({"question": "依據哪一條？"})).await;
            }
            "answer" => {
                let cookies = signed_in(&service, &cookie, own).await;
                answer(&service, &cookie, &cookies, own, &number).await;
                files_are_read(&service, &cookies, &number, &officer).await;
            }
            step_done => step(step_done, json!({"note": null})).await,
        }
        let cookies = signed_in(&service, &cookie, own).await;
        // A form for a key that was opened before the approval does not keep anyone from production after it.
        let opened = service.http.get("/acts/registerKey").header("cookie", &cookies).send().await;
        let form = opened.0.headers().get("location").and_then(|to| to.to_str().ok()).unwrap().to_owned();
        let (_, text) = get(&service, &cookies, &form).await;
        assert_eq!(text.contains("value=\"production\""), done == "approve", "after {done}: {text}");
        for view in &views {
            let (status, text) = get(&service, &cookies, &format!("/organisation{view}")).await;
            assert_eq!(status, StatusCode::OK, "{view} after {done}: {text}");
            if view == "/operations-document" {
                let (_, program) = get(
                    &service,
                    &cookies,
                    &format!("/organisation{view}/programs/verify.sh?environment=production"),
                )
                .await;
                // Before the approval there is nothing to ask production with.
                assert_eq!(program.contains("account=SBX00"), done != "approve", "after {done}: {program}");
            }
            if view.is_empty() {
                let first = text.split("class=\"card next\"").nth(1).unwrap().split("</h3>").next().unwrap();
                assert!(first.contains(next), "after {done} {first}");
            }
        }
    }
    what_is_known_is_filled_in(&service, &cookie, own).await;
    // The card that signed the newest case is good for four years; ninety days before its end it is told.
    for (days, told) in [(4 * 365 - 91, false), (4 * 365 - 89, true)] {
        service.database.clock.set(began + TimeDelta::days(days));
        let cookies = signed_in(&service, &cookie, own).await;
        let (_, text) = get(&service, &cookies, "/organisation").await;
        assert_eq!(text.contains("更換工商憑證"), told, "{days}: {text}");
    }
}

async fn what_is_known_is_filled_in(service: &Service, cookie: &str, csrf: &str) {
    let cookies = signed_in(service, cookie, csrf).await;
    let base = "/organisation/operations-document";
    for (path, holds, not) in [
        ("/programs/verify.py", "/sandbox\"  # production", "orgId\": \"{{ubn}}"),
        ("/programs/verify.py?environment=production", "account = \"AW", "sandbox"),
        ("/programs/Verify.java?environment=production", "ACCOUNT = \"AW", "production"),
        ("?environment=production", "account=AW", "account=SBX00"),
    ] {
        let (status, text) = get(service, &cookies, &format!("{base}{path}")).await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains(holds) && !text.contains(not), "{path}: {text}");
    }
    let (status, _) = get(service, &cookies, &format!("{base}/programs/..%2Fverify.py")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for (path, known) in [
        ("/apply/form?kind=changeAddress", "value=\"9.9.9.9\""),
        ("/acts/changeContact", "value=\"王小明\""),
        ("/acts/registerKey", "value=\"production\" checked"),
    ] {
        let opened = service.http.get(path).header("cookie", &cookies).send().await;
        opened.assert_status(StatusCode::SEE_OTHER);
        let draft = opened.0.headers().get("location").and_then(|to| to.to_str().ok()).unwrap().to_owned();
        let (_, text) = get(service, &cookies, &draft).await;
        assert!(text.contains(known), "{path}: {text}");
        if path.ends_with("changeAddress") {
            // What is not asked for is not offered to be changed.
            let form = [("csrf", csrf), ("hosts", "1.1.1.1"), ("/reason", "搬遷")];
            let check = send(service, &cookies, &draft, &form).await;
            let (status, text) = get(service, &cookies, &check).await;
            assert_eq!(status, StatusCode::OK);
            assert!(!text.contains("#field-unifiedBusinessNumber"), "{text}");
        }
    }
}

/// Answers a question from one's own page. What is asked stays beside the answer when the session is over, and the number is not asked
/// for again.
async fn answer(service: &Service, cookie: &str, cookies: &str, own: &str, number: &str) {
    let (_, text) = get(service, cookies, "/organisation").await;
    let text = text.replace("&#x2f;", "/").replace("&amp;", "&");
    let link = text.split("href=\"/acts/answerClarification?").nth(1).unwrap().split('"').next().unwrap();
    let opened = service.http.get(format!("/acts/answerClarification?{link}")).header("cookie", cookies);
    let opened = opened.send().await;
    opened.assert_status(StatusCode::SEE_OTHER);
    let draft = opened.0.headers().get("location").and_then(|to| to.to_str().ok()).unwrap().to_owned();
    let (_, text) = get(service, cookie, &draft).await;
    assert!(text.contains("依據哪一條？") && text.contains(number), "{text}");
    assert!(!text.contains("name=\"ubn\""), "{text}");
    let form = [("csrf", own), ("/answer", "第三條。")];
    let form: Vec<_> = form.into_iter().chain(hidden(&text)).collect();
    let to = draft.replace("/form", "/sign");
    assert!(text.contains("enctype=\"multipart/form-data\""), "{text}");
    // What is no document is told with its name; those before it are kept, and so is the text.
    let go = |word| [form.as_slice(), &[("go", word)]].concat();
    let files = [("照片.png", PNG), ("合約.pdf", PDF), ("程式.pdf", b"MZ".as_slice())];
    let told = send_files(service, cookie, &to, &go("attach"), &files).await;
    assert_eq!(told, format!("{draft}?told=1"));
    let (status, page) = get(service, cookie, &told).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("程式.pdf：") && page.contains("不是 PDF、PNG 或 JPEG"), "{page}");
    assert!(page.contains("第三條。") && page.contains("照片.png") && page.contains("合約.pdf"), "{page}");
    // One is not wanted after all.
    let discard = page.split("value=\"discard-").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let kept = send_files(service, cookie, &to, &go(&format!("discard-{discard}")), &[]).await;
    assert_eq!(kept, format!("{draft}#field-attachments"));
    let (_, page) = get(service, cookie, &draft).await;
    assert!(!page.contains("照片.png") && page.contains("合約.pdf") && !page.contains("程式.pdf"), "{page}");
    // Another browser can't sign with a file that it did not send.
    let sign = send_files(service, cookie, &to, &form, &[("補充.jpeg", JPEG)]).await;
    let (_, page) = get(service, cookie, &sign).await;
    assert!(page.contains("合約.pdf") && page.contains("補充.jpeg"), "{page}");
    send(service, cookie, &sign, &[("csrf", own), ("signature", "Y21z")]).await;
}

const PDF: &[u8] = b"%PDF-1.7 contract";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n picture";
const JPEG: &[u8] = b"\xff\xd8\xff photograph";

/// Where a form with files leads to.
async fn send_files(
    service: &Service,
    cookie: &str,
    path: &str,
    form: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> String {
    let response = post_files(service, cookie, path, form, files).await;
    response.assert_status(StatusCode::SEE_OTHER);
    response.0.headers().get("location").and_then(|to| to.to_str().ok()).unwrap().to_owned()
}

/// Sends a form with files as browsers do.
async fn post_files(
    service: &Service,
    cookie: &str,
    path: &str,
    form: &[(&str, &str)],
    files: &[(&str, &[u8])],
) -> TestResponse {
    let mut body = Vec::new();
    for (name, value) in form {
        body.extend(
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    // A browser sends an empty part for a field without a choice.
    for (name, bytes) in files.iter().copied().chain([("", b"".as_slice())]) {
        let head = format!("content-disposition: form-data; name=\"files\"; filename=\"{name}\"");
        body.extend(format!("--b\r\n{head}\r\ncontent-type: text/html\r\n\r\n").bytes());
        body.extend(bytes.iter().chain(b"\r\n"));
    }
    body.extend(b"--b--\r\n");
    let request = service.http.post(path).header("cookie", cookie);
    request.content_type("multipart/form-data; boundary=b").body(body).send().await
}

/// Both parties read what was signed, and nobody else: saved, and never shown as a page.
async fn files_are_read(service: &Service, cookies: &str, number: &str, officer: &str) {
    let (_, page) = get(service, cookies, &format!("/organisation/cases/{number}")).await;
    let page = page.replace("&#x2f;", "/");
    let links: Vec<_> = page.split("href=\"/organisation/attachments/").skip(1).collect();
    assert_eq!(links.len(), 2, "{page}");
    assert!(links[0].contains("合約.pdf") && links[1].contains("補充.jpeg"), "{page}");
    let id = links[0].split('"').next().unwrap();
    let own =
        service.http.get(format!("/organisation/attachments/{id}")).header("cookie", cookies).send().await;
    own.assert_status_is_ok();
    own.assert_header("content-type", "application/pdf");
    let header = |name: &str| own.0.headers().get(name).and_then(|value| value.to_str().ok()).unwrap();
    assert!(header("content-disposition").starts_with("attachment; "));
    assert!(header("content-security-policy").ends_with("sandbox"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(own.0.into_body().into_vec().await.unwrap(), PDF);
    let (stranger, _) = browser(service, "/progress").await;
    let moved = service.http.get(format!("/organisation/attachments/{id}")).header("cookie", &stranger);
    moved.send().await.assert_header("location", "/progress");

    let case = service.database.texts("SELECT lower(hex(id)) AS v FROM applications").await.remove(0);
    let case = uuid::Uuid::parse_str(&case).unwrap();
    let ask = async |path: String| {
        service.http.get(format!("/api/v1/officer/{path}")).header("authorization", officer).send().await
    };
    let listed = value(ask(format!("applications/{case}/attachments")).await).await;
    let listed = listed["attachments"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert_eq!(
        (&listed[0]["name"], &listed[0]["mediaType"]),
        (&json!("合約.pdf"), &json!("application/pdf"))
    );
    let photograph = ask(format!("attachments/{}", listed[1]["id"].as_str().unwrap())).await;
    photograph.assert_header("content-type", "application/octet-stream");
    assert_eq!(photograph.0.into_body().into_vec().await.unwrap(), JPEG);
    let looks = "SELECT count(*) FROM audit_chain WHERE body LIKE '%attachment.read%'";
    assert_eq!(service.database.number(looks).await, 1);
}

/// What the rules for files refuse, by field; a file that another sender sent is none.
#[tokio::test]
async fn files_are_sent_before_the_act_that_names_them() {
    let service = Service::start().await;
    let send = async |body: Value| service.http.post("/api/v1/attachments").body_json(&body).send().await;
    let refused = send(json!({"name": "", "content": "TVo="})).await;
    refused.assert_status(StatusCode::UNPROCESSABLE_ENTITY);
    let problem = value(refused).await;
    assert_eq!(problem["errors"][0]["pointer"], "/name", "{problem}");
    let refused = value(send(json!({"name": "a.pdf", "content": "TVo="})).await).await;
    assert_eq!(refused["errors"][0]["code"], "file-type-refused", "{refused}");
    let large = "JVBERi0x".repeat(5 * 1024 * 1024 / 6 + 2);
    let refused = value(send(json!({"name": "a.pdf", "content": large})).await).await;
    assert_eq!(refused["errors"][0]["code"], "file-too-large", "{refused}");
    assert!(refused["errors"][0]["message"].as_str().unwrap().contains("5 MiB"), "{refused}");
    let kept = send(json!({"name": "C:\\合約.pdf", "content": "JVBERi0x"})).await;
    kept.assert_status(StatusCode::CREATED);
    let kept = value(kept).await;
    assert_eq!((&kept["name"], &kept["size"]), (&json!("合約.pdf"), &json!(6)));
    let reference = kept["reference"].as_str().unwrap();
    let named = |files: Value| {
        let id = uuid::Uuid::nil().to_string();
        let content = json!({"noticeId": id, "explanation": "測試", "attachments": files});
        json!({"act": "explain", "unifiedBusinessNumber": COMPANY, "content": content})
    };
    ask(&service, &named(json!([reference]))).await.assert_status(StatusCode::CREATED);
    let other = reference.replace(&reference[..8], "00000000");
    for (files, pointer, code) in [
        (json!([other]), "/content/attachments/0", "file-unknown"),
        (json!([reference, "x"]), "/content/attachments/1", "file-unknown"),
        (json!([reference, reference]), "/content/attachments", "duplicate"),
        (json!(vec!["x"; 6]), "/content/attachments/0", "file-unknown"),
        (json!("x"), "/content/attachments", "unknown-member"),
    ] {
        let problem = value(ask(&service, &named(files.clone())).await).await;
        let error = &problem["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!(pointer), &json!(code)), "{files} {problem}");
    }
    // A browser can't name what a program sent.
    let (cookie, csrf) = browser(&service, "/acts/explain").await;
    let id = uuid::Uuid::nil().to_string();
    let form = [
        ("csrf", csrf.as_str()),
        ("ubn", COMPANY),
        ("/noticeId", &id),
        ("/explanation", "測試"),
        ("/attachments", reference),
    ];
    let to = signing(&service, &cookie, "/acts/explain", &form).await;
    assert!(to.starts_with("/sign/"), "{to}");
    assert!(!get(&service, &cookie, &to).await.1.contains("合約.pdf"));
    // Where no more files may wait it is said, and what was typed beside the file is kept.
    while send(json!({"name": "a.pdf", "content": "JVBERi0x"})).await.0.status() == StatusCode::CREATED {}
    let form = get(&service, &cookie, &format!("{to}/form")).await;
    assert_eq!(form.0, StatusCode::SEE_OTHER);
    let draft = service.database.texts("SELECT lower(hex(id)) AS v FROM drafts").await.remove(0);
    let draft = format!("/drafts/{}/form", uuid::Uuid::parse_str(&draft).unwrap());
    let typed = [&[("/explanation", "再補充")], &form_without_text(&csrf, &id)[..]].concat();
    let refused = post_files(&service, &cookie, &draft, &typed, &[("a.pdf", PDF)]).await;
    refused.assert_status(StatusCode::TOO_MANY_REQUESTS);
    assert!(get(&service, &cookie, &draft).await.1.contains("再補充"));
}

/// What the form of an explanation sends beside its text.
fn form_without_text<'f>(csrf: &'f str, id: &'f str) -> [(&'f str, &'f str); 4] {
    [("csrf", csrf), ("ubn", COMPANY), ("/noticeId", id), ("go", "attach")]
}

/// The hidden fields of a page: names and values.
fn hidden(page: &str) -> Vec<(&str, &str)> {
    let fields = page.split("<input type=\"hidden\" name=\"").skip(1);
    fields
        .filter_map(|field| {
            let (name, rest) = field.split_once("\" value=\"")?;
            Some((name, rest.split('"').next()?))
        })
        .filter(|(name, _)| *name != "csrf")
        .map(|(name, value)| (name.trim_start_matches("&#x2f;"), value))
        .map(|(name, value)| match name {
            "applicationId" => ("/applicationId", value),
            "clarificationId" => ("/clarificationId", value),
            other => (other, value),
        })
        .collect()
}

/// While the session lasts that the card opened, every page leads back to the company's own.
#[tokio::test]
async fn a_live_session_is_offered_from_everywhere() {
    let service = Service::start().await;
    let leads_home = async |cookies: &str, path: &str| {
        get(&service, cookies, path).await.1.replace("&#x2f;", "/").contains("href=\"/organisation\"")
    };
    let (cookie, csrf) = browser(&service, "/progress").await;
    let cookies = signed_in(&service, &cookie, &csrf).await;
    for path in ["/", "/apply", "/docs", "/register", "/sitemap"] {
        assert!(leads_home(&cookies, path).await, "{path}");
        assert!(!leads_home(&cookie, path).await, "{path} without a session");
    }
}
