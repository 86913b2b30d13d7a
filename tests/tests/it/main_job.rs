//! The main job, end to end: apply, approve, reveal, register a key, ask — and what must be refused on the way.

use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use idcheck_tests::{Applicant, Caller, Demo, Officer, Signer, python};
use serde_json::{Value, json};

fn person(demo: &Demo, status: &str, number: usize) -> Value {
    let persons = demo.file["persons"].as_array().unwrap();
    persons.iter().filter(|p| p["status"] == status).nth(number).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_application_to_lock_out() {
    let mut demo = Demo::start().await;
    let (applicant, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    assert_eq!(caller.account, "AW001");
    let url = &demo.base_url.clone();

    let known = person(&demo, "normal", 0);
    let wrong = Caller::wrong(&known);
    for (asked, expected) in
        [(&wrong, "2"), (&wrong, "3"), (&known, "1"), (&wrong, "4"), (&known, "5"), (&wrong, "5")]
    {
        assert_eq!(caller.ask(url, asked).await, expected);
    }
    assert_eq!(caller.ask(url, &person(&demo, "outOfUse", 0)).await, "6");
    assert_eq!(caller.ask(url, &person(&demo, "reportedLost", 0)).await, "7");

    let token = caller.token(&person(&demo, "normal", 1));
    assert_eq!(caller.send(url, &token).await.result, "1");
    let replayed = caller.send(url, &token).await;
    assert_eq!((replayed.status, replayed.message.as_str()), (401, "already used"));

    let mut claims = caller.claims(&known);
    claims["apId"] = json!("AW002");
    assert_eq!(caller.send(url, &caller.signer.token(&claims)).await.rd_code, "RS3811");
    let mut claims = caller.claims(&known);
    claims["conditionMap"] = json!("{}");
    assert_eq!(caller.send(url, &caller.signer.token(&claims)).await.rd_code, "RS3822");
    let stranger = Caller::new(&caller.ubn, &caller.account, &caller.iss_key, Arc::new(Signer::new()));
    assert_eq!(stranger.send(url, &stranger.token(&known)).await.message, "signature invalid");
    assert_eq!(caller.send(url, "x.y.z").await.message, "token malformed");

    let progress = applicant.done("progress", &json!({})).await;
    assert_eq!(progress["organisation"]["access"], "active");
    assert_eq!(progress["organisation"]["account"], "AW001");
    assert_eq!(progress["applications"][0]["state"], "approved");
    assert_eq!(progress["applications"][0]["history"].as_array().unwrap().len(), 3);
    assert!(!progress.to_string().contains(&caller.iss_key), "the Iss Key needs a signature of its own");

    let rotated = applicant.done("rotateIssKey", &json!({})).await;
    assert_eq!(caller.send(url, &caller.token(&known)).await.message, "key unknown");
    let iss_key = rotated["issKey"].as_str().unwrap();
    let caller = Caller::new(&caller.ubn, &caller.account, iss_key, Arc::clone(&caller.signer));
    assert_eq!(caller.ask(url, &person(&demo, "normal", 2)).await, "1");

    demo.process.kill();
    demo.restart().await;
    assert_eq!(caller.ask(&demo.base_url, &known).await, "5", "the lock-out outlives the process");

    let consent = json!({"noticeVersion": "108-06", "conductVersion": "108-06"});
    let suspended = applicant.done("suspend", &json!({"reason": "系統停用", "consent": consent})).await;
    let id = suspended["application"]["id"].as_str().unwrap();
    Officer::of(&demo, "reviewer2").await.approve(id).await;
    let refused = caller.send(&demo.base_url, &caller.token(&known)).await;
    assert_eq!((refused.status, refused.message.as_str()), (403, "access suspended or revoked"));

    let (intact, printed) = demo.run(&["audit", "verify"]);
    assert!(intact, "{printed}");
    // A mail that the killed process had taken comes again only when its lease is over; these two are new.
    let mails = || std::fs::read_dir(demo.data_dir().join("mail")).unwrap().count();
    for _ in 0..100 {
        if mails() >= 2 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    panic!("{} mails after 20 s", mails());
}

/// The payload of a JWS that the published key verifies.
async fn published(url: &str) -> Value {
    let get = async |path: &str| reqwest::get(format!("{url}/api/v1/register{path}")).await.unwrap();
    let key: Value = get("/key").await.json().await.unwrap();
    let answer = get("/jws").await;
    assert_eq!(answer.headers()["content-type"], "application/jose");
    let jws = answer.text().await.unwrap();
    let (input, signature) = jws.rsplit_once('.').unwrap();
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
    assert_eq!((&header["alg"], &header["kid"]), (&json!("EdDSA"), &key["kid"]));
    UnparsedPublicKey::new(&ED25519, decoded(key["x"].as_str().unwrap()))
        .verify(input.as_bytes(), &decoded(signature))
        .unwrap();
    serde_json::from_slice(&decoded(payload)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_register_has_who_may_ask_and_nobody_else() {
    let demo = Demo::start().await;
    let url = &demo.base_url.clone();
    let held = async |ubn: &str| {
        let listed: Value =
            reqwest::get(format!("{url}/api/v1/register")).await.unwrap().json().await.unwrap();
        assert_eq!(listed["organisations"], published(url).await["organisations"]);
        let all = listed["organisations"].as_array().unwrap().clone();
        assert!(
            !listed.to_string().contains('@') && !listed.to_string().contains("127.0.0.1\","),
            "no contact"
        );
        all.into_iter().find(|one| one["unifiedBusinessNumber"] == ubn)
    };
    let (applicant, _) = Caller::admitted(&demo, 0, "reviewer1").await;
    let entry = held(&applicant.ubn).await.unwrap();
    let name = entry["name"].as_str().unwrap();
    assert!(entry["purpose"].as_str().unwrap().starts_with('依'));
    let page =
        async |q: &str| reqwest::get(format!("{url}/register?q={q}")).await.unwrap().text().await.unwrap();
    assert!(page(&applicant.ubn).await.contains(name));
    assert!(!page("%3Cscript%3E").await.contains("<script>\""), "what was looked for is only text");
    assert!(!page("00000001").await.contains(name));

    let consent = json!({"noticeVersion": "108-06", "conductVersion": "108-06"});
    let suspended = applicant.done("suspend", &json!({"reason": "系統停用", "consent": consent})).await;
    let id = suspended["application"]["id"].as_str().unwrap();
    Officer::of(&demo, "reviewer2").await.approve(id).await;
    assert_eq!(held(&applicant.ubn).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_act_does_not() {
    let demo = Demo::start().await;
    let good = Applicant::of(&demo, "company", "valid", 0);
    for (kind, state, problem) in [
        ("personal", "valid", "/problems/card-personal"),
        ("government", "valid", "/problems/card-government"),
        ("company", "expired", "/problems/card-expired"),
        ("company", "revoked", "/problems/card-revoked"),
    ] {
        let mut bad = Applicant::of(&demo, kind, state, 0);
        if bad.ubn.is_empty() {
            bad.ubn.clone_from(&good.ubn);
        }
        let (status, refusal) = bad.act("apply", &Applicant::application()).await;
        assert_eq!((status, refusal["type"].as_str().unwrap()), (422, problem), "{refusal}");
    }
    let mut other = Applicant::of(&demo, "company", "valid", 1);
    other.ubn.clone_from(&good.ubn);
    let (status, refusal) = other.act("apply", &Applicant::application()).await;
    assert_eq!((status, &refusal["type"]), (422, &json!("/problems/card-other-company")));

    let (_, first) = good.challenge("apply", &Applicant::application()).await;
    let (_, second) = good.challenge("progress", &json!({})).await;
    let signature = good.sign(first["tbs"].as_str().unwrap()).await;
    let (status, refusal) = good.prove(second["id"].as_str().unwrap(), &signature).await;
    assert_eq!((status, &refusal["type"]), (422, &json!("/problems/card-content-mismatch")));
    let id = first["id"].as_str().unwrap();
    assert_eq!(good.prove(id, &signature).await.0, 200);
    let (status, refusal) = good.prove(id, &signature).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/challenge-spent")));
    let (status, refusal) = good.act("apply", &Applicant::application()).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/open-case")));
    let (status, _) = good.prove("00000000-0000-7000-8000-000000000000", &signature).await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_told_whole_and_in_both_languages() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let content = json!({"hostAddresses": ["10.0.0.1", 7], "contact": {"email": "x"}, "stray": "1"});
    let (status, problem) = applicant.challenge("apply", &content).await;
    assert_eq!(status, 422);
    // A value of the wrong type is told before the rest is read.
    let content = json!({"hostAddresses": ["10.0.0.1"], "contact": {"email": "x"}, "stray": "1"});
    let (_, whole) = applicant.challenge("apply", &content).await;
    let pointers: Vec<_> =
        whole["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    for pointer in
        ["/content/companyName", "/content/hostAddresses/0", "/content/contact/email", "/content/stray"]
    {
        assert!(pointers.contains(&pointer), "{pointer} is missing in {pointers:?}");
    }
    assert!(problem.to_string().contains("/content/hostAddresses/1"), "{problem}");

    let client = reqwest::Client::new();
    let send = |body: &'static str, language: &'static str, media: &'static str| {
        client
            .post(format!("{}/api/v1/challenges", demo.base_url))
            .header("accept-language", language)
            .header("content-type", media)
            .body(body)
            .send()
    };
    let chinese = send("{}", "zh-TW", "application/json").await.unwrap();
    assert_eq!(chinese.status(), 422);
    assert!(chinese.text().await.unwrap().contains("請填寫此欄位"));
    let english = send("{}", "en-GB,en;q=0.9", "application/json").await.unwrap();
    assert_eq!(english.headers()["content-type"], "application/problem+json");
    assert!(english.text().await.unwrap().contains("Fill in this field"));
    assert_eq!(send("{", "en", "application/json").await.unwrap().status(), 400);
    assert_eq!(send("{}", "en", "text/plain").await.unwrap().status(), 415);
    let nothing = client.get(format!("{}/api/v1/nothing", demo.base_url)).send().await.unwrap();
    assert_eq!((nothing.status().as_u16(), nothing.headers().contains_key("x-request-id")), (404, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clarification_goes_round() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let filed = applicant.done("apply", &Applicant::application()).await;
    let id = filed["application"]["id"].as_str().unwrap();
    let officer = Officer::of(&demo, "reviewer1").await;
    let (_, queue) = officer.get("/applications").await;
    assert_eq!(queue["applications"][0]["id"].as_str().unwrap(), id);
    let early = officer.post(&format!("/applications/{id}/approve"), Some(json!({"version": 1}))).await;
    assert_eq!((early.0, &early.1["type"]), (409, &json!("/problems/state")));
    officer.post(&format!("/applications/{id}/claim"), None).await;
    let question = json!({"question": "請附上主管機關函"});
    let (status, case) = officer.post(&format!("/applications/{id}/clarification"), Some(question)).await;
    assert_eq!((status, &case["state"]), (200, &json!("clarificationRequested")));
    let clarification = case["application"]["clarifications"][0]["id"].as_str().unwrap();
    let pdf = [b"%PDF-1.7 ".as_slice(), &vec![0; 5 * 1024 * 1024 - 9]].concat();
    let file = applicant.attach("主管機關函.pdf", &pdf).await;
    let mut answer = json!({"applicationId": id, "clarificationId": clarification, "answer": "如附件"});
    answer["attachments"] = json!([file]);
    let answered = applicant.done("answerClarification", &answer).await;
    assert_eq!(answered["application"]["state"], "underReview");
    let (_, files) = officer.get(&format!("/applications/{id}/attachments")).await;
    let file_id = files["attachments"][0]["id"].as_str().unwrap();
    assert_eq!(files["attachments"][0]["size"], pdf.len());
    let signed = file.split('.').nth(1).unwrap();
    assert_eq!(files["attachments"][0]["sha256"], signed);
    assert!(officer.bytes(&format!("/attachments/{file_id}")).await == pdf, "the file as it was sent");
    let again = json!({"applicationId": id, "clarificationId": clarification, "answer": "再附", "attachments": [file]});
    assert_eq!(applicant.challenge("answerClarification", &again).await.0, 422, "a file belongs to one act");
    let stale = json!({"reason": "未敘明", "version": case["version"]});
    assert_eq!(officer.post(&format!("/applications/{id}/reject"), Some(stale)).await.0, 409);
    let withdrawn = applicant.done("withdraw", &json!({"applicationId": id})).await;
    assert_eq!(withdrawn["application"]["state"], "withdrawn");
    let auditor = Officer::of(&demo, "auditor1").await;
    assert_eq!(auditor.post(&format!("/applications/{id}/claim"), None).await.0, 403);
    let anonymous = reqwest::get(format!("{}/api/v1/officer/applications", demo.base_url)).await.unwrap();
    assert_eq!(anonymous.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_not_ours_works_unchanged() {
    let demo = Demo::start().await;
    let (_, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    let key = demo.data_dir().join("caller.pem");
    std::fs::write(&key, caller.signer.private_pem()).unwrap();
    let known = person(&demo, "normal", 5);
    let text = |name: &str| known[name].as_str().unwrap().to_owned();
    let output = python(
        "legacy_client.py",
        &[
            "--base-url",
            &demo.base_url,
            "--key",
            &key.display().to_string(),
            "--org-id",
            &caller.ubn,
            "--ap-id",
            &caller.account,
            "--iss-key",
            &caller.iss_key,
            "--person-id",
            &text("personId"),
            "--apply-code",
            &text("applyCode"),
            "--apply-date",
            &text("applyYyymmdd"),
            "--issue-site",
            &text("issueSiteId"),
        ],
    );
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
}
