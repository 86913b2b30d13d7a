//! Challenges and proofs.

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
    let sign = signing(&service, &cookie, "/acts/changeContact", &form).await;
    let get = async |path: String, cookie: &str| {
        let page = service.http.get(path).header("cookie", cookie).send().await;
        (page.0.status(), page.0.into_body().into_string().await.unwrap())
    };
    for language in ["", "?lang=en", "?lang=zh-Hant-TW"] {
        let (status, text) = get(format!("{sign}{language}"), &cookie).await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("id=\"sign-form\"") && !text.contains("0912345678"), "{text}");
    }
    let (status, text) = get(format!("{sign}/form"), &cookie).await;
    assert_eq!(status, StatusCode::OK);
    for typed in [COMPANY, "王小明", "0912345678", "it@example.com"] {
        assert!(text.contains(typed), "{typed} is lost");
    }
    let (stranger, _) = browser(&service, "/progress").await;
    for path in [sign.clone(), format!("{sign}/form")] {
        assert_eq!(get(path, &stranger).await.0, StatusCode::NOT_FOUND);
    }
    let later = idcheck_usecases::ports::Clock::now(&service.database.clock) + chrono::TimeDelta::minutes(16);
    service.database.clock.set(later);
    let form = [("csrf", csrf.as_str()), ("signature", "Y21z")];
    assert_eq!(signing(&service, &cookie, &sign, &form).await, sign, "too late to sign");
    let (_, text) = get(sign.clone(), &cookie).await;
    assert!(
        text.contains(&format!("action=\"{sign}/again\"")) && !text.contains("id=\"sign-form\""),
        "{text}"
    );
    let again = signing(&service, &cookie, &format!("{sign}/again"), &form).await;
    assert_ne!(again, sign);
    assert!(get(again.clone(), &cookie).await.1.contains("id=\"sign-form\""));
    assert!(get(format!("{again}/form"), &cookie).await.1.contains("0912345678"));
    // Where not the time but a rule has changed, it is said once and leads back to the form, not round in a circle.
    service.database.tamper("UPDATE challenges SET content = '{}'").await;
    let refused = service.http.post(&again).header("cookie", &cookie).form(&form).send().await;
    assert!(refused.0.status().is_client_error(), "{}", refused.0.status());
    let text = refused.0.into_body().into_string().await.unwrap().replace("&#x2f;", "/");
    assert!(text.contains(&format!("href=\"{again}/form\"")), "{text}");
}

/// What people usually spell in several ways is understood, and shown as it was understood before it is signed.
#[tokio::test]
async fn usual_spellings_are_understood_and_shown() {
    let service = Service::start().await;
    let (cookie, csrf) = browser(&service, "/apply/form?kind=apply").await;
    let form = [
        ("csrf", csrf.as_str()),
        ("/companyName", "測試股份有限公司"),
        ("ubn", "０４５９-５２５７"),
        ("hosts", "８．８．８．８，8.8.4.4；9.9.9.9"),
        ("/contact/name", "王小明"),
        ("/contact/landline", "02-1234-5678 分機 12"),
        ("/contact/mobile", "+886 912-345-678"),
        ("/contact/email", "ｉｔ＠example.com"),
        ("/purpose/authority", "金管會"),
        ("/purpose/rule", "防制洗錢辦法"),
        ("/purpose/description", "開戶"),
        ("consent", "108-06 108-06"),
    ];
    let checked =
        service.http.post("/apply/check?kind=apply").header("cookie", &cookie).form(&form).send().await;
    checked.assert_status_is_ok();
    let text = checked.0.into_body().into_string().await.unwrap();
    for understood in
        ["04595257", "8.8.8.8\n8.8.4.4\n9.9.9.9", "(02)12345678#12", "0912345678", "it@example.com"]
    {
        assert!(text.contains(&format!("<dd>{understood}</dd>")), "{understood} is missing in {text}");
    }
}

/// While the session lasts that the card opened, every page leads back to the company's own.
#[tokio::test]
async fn a_live_session_is_offered_from_everywhere() {
    let service = Service::start().await;
    let leads_home = async |cookies: &str, path: &str| {
        let page = service.http.get(path).header("cookie", cookies).send().await;
        page.0.into_body().into_string().await.unwrap().contains("href=\"/organisation\"")
    };
    let (cookie, csrf) = browser(&service, "/progress").await;
    let form = [("csrf", csrf.as_str()), ("ubn", COMPANY)];
    let sign = signing(&service, &cookie, "/acts/progress", &form).await;
    let form = [("csrf", csrf.as_str()), ("signature", "Y21z")];
    let signed = service.http.post(&sign).header("cookie", &cookie).form(&form).send().await;
    signed.assert_status(StatusCode::SEE_OTHER);
    signed.assert_header("location", "/organisation");
    let own = signed.0.headers().get("set-cookie").and_then(|cookie| cookie.to_str().ok()).unwrap();
    let cookies = format!("{cookie}; {}", own.split(';').next().unwrap());
    for path in ["/", "/apply", "/progress", "/docs", "/register", "/sitemap"] {
        assert!(leads_home(&cookies, path).await, "{path}");
        assert!(!leads_home(&cookie, path).await, "{path} without a session");
    }
}
