//! The strict profile and the sandbox, over the real programs.

use std::sync::Arc;

use idcheck_tests::{Applicant, Caller, Signer, Site, ed25519};
use serde_json::{Value, json};

const STRICT: &str = "/api/v1/verifications";

/// The body of a strict question about a person of the register.
fn body(person: &Value) -> String {
    let date = person["applyYyymmdd"].as_str().unwrap();
    let year: u32 = date[..3].parse().unwrap();
    json!({
        "personId": person["personId"], "applyCode": person["applyCode"], "issueSiteId": person["issueSiteId"],
        "applyDate": format!("{}-{}-{}", year + 1911, &date[3..5], &date[5..]),
    })
    .to_string()
}

async fn strict_profile(site: Site) {
    let officer = site.reviewer(1).await;
    let (applicant, caller) = site.admitted(0, &officer).await;
    let (key, pem) = ed25519();
    let content = json!({"publicKeyPem": pem, "profile": "strict", "label": "主機二"});
    applicant.done("registerKey", &content).await;
    let url = site.url();
    let post = async |body: &str, bound: &str, claims: Value, path: &str| {
        let token = caller.strict_token(&key, &url, bound, &claims);
        caller.post(&format!("{url}{path}"), &token, body).await
    };
    let known = body(&site.person(0));
    let (status, headers, answer) = post(&known, &known, json!({}), STRICT).await;
    assert_eq!((status, &answer["result"], &answer["code"]), (200, &json!("match"), &json!("1")), "{answer}");
    assert_eq!(answer["requestId"], headers["x-request-id"].to_str().unwrap());

    let wrong = body(&Caller::wrong(&site.person(0)));
    for (left, code) in [(2, "2"), (1, "3"), (0, "4")] {
        let (_, _, answer) = post(&wrong, &wrong, json!({}), STRICT).await;
        assert_eq!((&answer["result"], &answer["code"]), (&json!("mismatch"), &json!(code)));
        assert_eq!(answer["attemptsLeft"], left);
    }
    assert_eq!(post(&known, &known, json!({}), STRICT).await.2["result"], "locked");
    assert_eq!(caller.ask(&url, &site.person(0)).await, "5", "one count for both profiles");

    let next = body(&site.person(1));
    let now = json!({"jti": "once"});
    assert_eq!(post(&next, &next, now.clone(), STRICT).await.0, 200);
    let stray = next.replace("personId", "person");
    for (sent, bound, claims, status, problem) in [
        (&*next, &*next, now, 401, "already-used"),
        (&next, &wrong, json!({}), 401, "digest-wrong"),
        (&next, &next, json!({"aud": "https://elsewhere.example"}), 401, "audience-wrong"),
        (&next, &next, json!({"exp": 4_000_000_000_i64}), 401, "expired"),
        (&next, &next, json!({"iss": "e3yMEJMEppYGbb37BxVaOSX00btXCASk"}), 401, "key-unknown"),
        (&next, &next, json!({"sub": "no user"}), 422, "content"),
        (&stray, &stray, json!({}), 422, "content"),
        ("[]", "[]", json!({}), 400, "malformed"),
    ] {
        let (told, headers, answer) = post(sent, bound, claims, STRICT).await;
        assert_eq!((told, &answer["type"]), (status, &json!(format!("/problems/{problem}"))), "{answer}");
        assert_eq!(headers["content-type"], "application/problem+json");
    }
    let (_, _, told) = post(&stray, &stray, json!({}), STRICT).await;
    let pointers: Vec<_> = told["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!(pointers, ["/personId", "/person"]);
    let too_large = format!("{next}{}", " ".repeat(5000));
    assert_eq!(post(&too_large, &too_large, json!({}), STRICT).await.0, 413);

    // One profile's token and key in the other, and in the sandbox.
    let strict_token = caller.strict_token(&key, &url, &next, &caller.claims(&site.person(2)));
    assert_eq!(caller.send(&url, &strict_token).await.message, "signature invalid");
    let legacy_token = caller.token(&site.person(2));
    let (_, _, told) = caller.post(&format!("{url}{STRICT}"), &legacy_token, &next).await;
    assert_eq!(told["type"], "/problems/signature-invalid");
    let (_, _, told) = post(&next, &next, json!({}), &format!("/sandbox{STRICT}")).await;
    assert_eq!(told["type"], "/problems/key-unknown");
    let sandboxed = caller.send(&format!("{url}/sandbox"), &caller.token(&site.person(2))).await;
    assert_eq!(sandboxed.message, "key unknown");
    site.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_profile_on_sqlite() {
    strict_profile(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_profile_on_postgres() {
    strict_profile(Site::postgres(1).await).await;
}

fn person(number: &str) -> Value {
    json!({"personId": number, "applyCode": "1", "applyYyymmdd": "1080617", "issueSiteId": "63000"})
}

/// From a case that nobody has decided to every answer there is, with nothing of it in production.
#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_is_open_before_the_approval() {
    let site = Site::sqlite().await;
    let applicant = site.applicant(0);
    let signer = Arc::new(Signer::new());
    let content = |pem: &str, profile: &str| json!({"publicKeyPem": pem, "profile": profile, "environment": "sandbox", "label": "測試機"});
    let (status, refused) = applicant.act("registerKey", &content(&signer.public_pem, "legacy")).await;
    assert_eq!((status, &refused["type"]), (409, &json!("/problems/nothing-held")), "there is no case yet");
    applicant.done("apply", &Applicant::application()).await;
    let registered = applicant.done("registerKey", &content(&signer.public_pem, "legacy")).await;
    assert_eq!(registered["sandbox"]["account"], "SBX00");
    let (key, pem) = ed25519();
    let again = applicant.done("registerKey", &content(&pem, "strict")).await;
    assert_eq!(again["sandbox"], registered["sandbox"], "one Iss Key for all sandbox keys");

    let iss_key = registered["sandbox"]["issKey"].as_str().unwrap();
    let caller = Caller::new(&applicant.ubn, "SBX00", iss_key, signer);
    let (url, sandbox) = (site.url(), format!("{}/sandbox", site.url()));
    for (number, result) in [("A190000017", "1"), ("A190000053", "5"), ("A190000080", "8")] {
        assert_eq!(caller.ask(&sandbox, &person(number)).await, result);
    }
    let played = async |number: &str| caller.send(&sandbox, &caller.token(&person(number))).await;
    assert_eq!(played("A190000204").await.rd_code, "RS3811");
    assert_eq!(played("A190000231").await.status, 503);
    assert_eq!(played("A190000197").await.status, 403);
    for result in ["1", "2", "3", "4", "5"] {
        let asked = if result == "1" { person("A190001014") } else { Caller::wrong(&person("A190001014")) };
        assert_eq!(caller.ask(&sandbox, &asked).await, result);
    }
    let question = body(&person("A190000222"));
    let token = caller.strict_token(&key, &url, &question, &json!({}));
    let (status, headers, told) = caller.post(&format!("{sandbox}{STRICT}"), &token, &question).await;
    assert_eq!((status, &told["type"]), (429, &json!("/problems/too-many-requests")));
    assert_eq!(headers["retry-after"], "1");
    assert_eq!(headers["ratelimit"], "\"organisation-rate\";r=0;t=1");
    assert_eq!(headers["ratelimit-policy"], "\"organisation-rate\";q=1;w=1");

    assert_eq!(caller.send(&url, &caller.token(&person("A190000017"))).await.message, "key unknown");
    let production = json!({"publicKeyPem": pem, "profile": "strict", "label": "主機"});
    assert_eq!(applicant.act("registerKey", &production).await.0, 409);
    let (intact, printed) = site.audit();
    assert!(intact, "{printed}");
    site.close();
}
