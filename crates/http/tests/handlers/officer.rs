//! What officers call.

use poem::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{CODE, PASSWORD, Service};

/// Every call that the document says is an officer's is refused without a session, and with one that is none.
#[tokio::test]
async fn no_call_of_an_officer_without_a_session() {
    let service = Service::start().await;
    let document: Value = serde_json::from_str(&idcheck_http::openapi_document()).unwrap();
    let mut calls = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            if !call["security"].to_string().contains("officerSession") {
                continue;
            }
            let concrete = path.split('/').map(|part| match part.strip_prefix('{') {
                Some(name) if name.starts_with("ubn") => "04595257",
                Some(_) => "00000000-0000-7000-8000-000000000001",
                None => part,
            });
            let concrete = concrete.collect::<Vec<_>>().join("/");
            let method: Method = method.to_uppercase().parse().unwrap();
            for token in [None, Some("Bearer nobody's"), Some("Basic eDp5")] {
                let mut request = service.http.request(method.clone(), &concrete);
                if method != Method::GET {
                    request = request.body_json(&json!({}));
                }
                if let Some(token) = token {
                    request = request.header("authorization", token);
                }
                let response = request.send().await;
                assert_eq!(response.0.status(), StatusCode::UNAUTHORIZED, "{method} {concrete} {token:?}");
            }
            calls += 1;
        }
    }
    assert!(calls > 30, "{calls} calls are few");
}

/// Whatever of a sign-in is wrong, the answer is the same.
#[tokio::test]
async fn a_wrong_sign_in_does_not_say_what_is_wrong() {
    let service = Service::start().await;
    let mut told = Vec::new();
    for (username, password, totp) in
        [("nobody", PASSWORD, CODE), ("chen", "wrong password", CODE), ("chen", PASSWORD, "654321")]
    {
        let body = json!({"username": username, "password": password, "totp": totp});
        let response = service.http.post("/api/v1/officer/session").body_json(&body).send().await;
        response.assert_status(StatusCode::UNAUTHORIZED);
        let text = response.0.into_body().into_string().await.unwrap();
        let mut problem: Value = serde_json::from_str(&text).unwrap();
        problem["requestId"] = Value::Null;
        problem["instance"] = Value::Null;
        told.push(problem);
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
}

/// What a role may not do is 403, and noted nowhere as done.
#[tokio::test]
async fn a_role_is_kept_to_its_calls() {
    let service = Service::start().await;
    for (username, path, status) in [
        ("chen", "/api/v1/officer/audit", StatusCode::FORBIDDEN),
        ("audit", "/api/v1/officer/audit", StatusCode::OK),
        ("audit", "/api/v1/officer/applications", StatusCode::OK),
        ("chen", "/api/v1/officer/applications", StatusCode::OK),
        ("lin", "/api/v1/officer/applications", StatusCode::OK),
    ] {
        let token = service.signed_in(username).await;
        let response = service.http.get(path).header("authorization", &token).send().await;
        assert_eq!(response.0.status(), status, "{username} {path}");
        // A code is good once.
        let later =
            idcheck_usecases::ports::Clock::now(&service.database.clock) + chrono::TimeDelta::minutes(2);
        service.database.clock.set(later);
    }
}
