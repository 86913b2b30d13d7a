//! The card from the signature to the decision: revoked in between, its status out of reach, signed once and sent often.

use std::time::{Duration, Instant};

use idcheck_tests::{Applicant, Console, Demo, FileServer, Nodes, Officer};
use serde_json::{Value, json};

/// Files an application whose form has the company's own name; gives the case's identity.
async fn file(applicant: &Applicant, company_name: &str) -> String {
    let mut content = Applicant::application();
    content["companyName"] = json!(company_name);
    let filed = applicant.done("apply", &content).await;
    filed["application"]["id"].as_str().unwrap().to_owned()
}

/// The case, once its card has this status.
async fn with_card(officer: &Officer, id: &str, status: &str) -> Value {
    let started = Instant::now();
    loop {
        let (code, case) = officer.get(&format!("/applications/{id}")).await;
        assert_eq!(code, 200, "{case}");
        if case["card"]["status"] == status {
            return case;
        }
        assert!(started.elapsed() < Duration::from_secs(40), "not {status}: {}", case["card"]);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// The answer to approving a case that was claimed.
async fn approve(officer: &Officer, case: &Value) -> (u16, Value) {
    let path = format!("/applications/{}/approve", case["id"].as_str().unwrap());
    officer.post(&path, Some(json!({"version": case["version"]}))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_revoked_in_between_is_shown_and_gets_nothing() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let officer = Officer::of(&demo, "reviewer1").await;

    let id = file(&applicant, "測試甲 股份有限公司").await;
    let case = with_card(&officer, &id, "good").await;
    assert_eq!(case["namesAgree"], true, "blanks do not count");
    let card = &case["card"];
    assert_eq!((&card["companyName"], &card["role"]), (&json!("測試甲股份有限公司"), &json!("primary")));
    assert_eq!(card["fingerprint"].as_str().unwrap().len(), 64);
    let other = file(&Applicant::of(&demo, "company", "valid", 1), "測試甲股份有限公司").await;
    let other = with_card(&officer, &other, "good").await;
    assert_eq!(
        (&other["namesAgree"], &other["certificateName"]),
        (&json!(false), &json!("測試乙股份有限公司"))
    );

    demo.revoke(&applicant.slot);
    with_card(&officer, &id, "revoked").await;
    let (_, claimed) = officer.post(&format!("/applications/{id}/claim"), None).await;
    let (status, refusal) = approve(&officer, &claimed).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/card-revoked")), "{refusal}");
    let console = Console::of(&demo, "reviewer2").await;
    let page = console.get(&format!("/officer/applications/{id}")).await;
    assert!(page.text.contains("申請後憑證已廢止"), "{}", page.text);
    let organisation = officer.get(&format!("/organisations/{}", applicant.ubn)).await;
    assert_eq!(organisation.1["organisation"]["access"], "none", "{}", organisation.1);

    let (status, refusal) = applicant.act("progress", &json!({})).await;
    assert_eq!((status, &refusal["type"]), (422, &json!("/problems/card-revoked")));
    let body = json!({"reason": "憑證已廢止", "version": claimed["version"]});
    let (status, rejected) = officer.post(&format!("/applications/{id}/reject"), Some(body)).await;
    assert_eq!((status, &rejected["state"]), (200, &json!("rejected")));
    assert_eq!(rejected["card"]["status"], Value::Null, "nothing hangs on it any more");

    let metrics = reqwest::get(format!("{}/metrics", demo.base_url)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("idcheck_crl_age_seconds{") && metrics.contains("idcheck_crl_seconds_left{"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_out_of_reach_refuses_until_it_is_back() {
    let authority = FileServer::start().await;
    let settings = [("IDCHECK_CARD__FETCH_INTERVAL", "0"), ("IDCHECK_CARD__REFRESH_INTERVAL", "1")];
    let mut nodes = Nodes::start_with(1, &settings, Some(&authority.url)).await;
    let applicant = Applicant::with(&nodes.urls[0], &nodes.card_url, &nodes.cards[0]);
    let (_, challenge) = applicant.challenge("apply", &Applicant::application()).await;
    let (id, signature) =
        (challenge["id"].as_str().unwrap(), applicant.sign(challenge["tbs"].as_str().unwrap()).await);
    let (status, refusal) = applicant.prove(id, &signature).await;
    assert_eq!((status, &refusal["type"]), (503, &json!("/problems/card-status-unavailable")), "{refusal}");
    authority.serve(nodes.lists());
    let (status, proof) = applicant.prove(id, &signature).await;
    assert_eq!(status, 200, "the same signature passes on the second try: {proof}");
    let case = proof["result"]["application"]["id"].as_str().unwrap();

    let (name, password, secret) = &nodes.officers[0];
    let officer = Officer::sign_in(&nodes.urls[0], name, password, secret).await;
    officer.post(&format!("/applications/{case}/claim"), None).await;
    // A fresh process has no list any more.
    authority.switch_off();
    nodes.processes[0].kill();
    nodes.restart(0).await;
    let claimed = with_card(&officer, case, "unavailable").await;
    let (status, refusal) = approve(&officer, &claimed).await;
    assert_eq!((status, &refusal["type"]), (503, &json!("/problems/card-status-unavailable")), "{refusal}");
    authority.serve(nodes.lists());
    let (status, approved) = approve(&officer, &claimed).await;
    assert_eq!((status, &approved["state"]), (200, &json!("approved")), "{approved}");

    let known = Applicant::with(&nodes.urls[0], &nodes.card_url, &nodes.cards[1]);
    let id = file(&known, "測試乙股份有限公司").await;
    nodes.revoke(&known.slot);
    with_card(&officer, &id, "revoked").await;
    let (status, refusal) = known.act("progress", &json!({})).await;
    assert_eq!(
        (status, &refusal["type"]),
        (422, &json!("/problems/card-revoked")),
        "learnt over HTTP: {refusal}"
    );
    nodes.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signature_sent_a_thousand_times_over_two_processes_is_one_act() {
    let nodes = Nodes::start(2).await;
    let applicant = Applicant::with(&nodes.urls[0], &nodes.card_url, &nodes.cards[0]);
    let (_, challenge) = applicant.challenge("apply", &Applicant::application()).await;
    let id = challenge["id"].as_str().unwrap().to_owned();
    let signature = applicant.sign(challenge["tbs"].as_str().unwrap()).await;
    let senders = (0..20).map(|sender| {
        let applicant = applicant.at(&nodes.urls[sender % 2]);
        let (id, signature) = (id.clone(), signature.clone());
        tokio::spawn(async move {
            let mut answers = Vec::new();
            for _ in 0..50 {
                answers.push(applicant.prove(&id, &signature).await);
            }
            answers
        })
    });
    let mut done = 0;
    for sender in senders.collect::<Vec<_>>() {
        for (status, answer) in sender.await.unwrap() {
            if status == 200 {
                done += 1;
            } else {
                assert_eq!((status, &answer["type"]), (409, &json!("/problems/challenge-spent")), "{answer}");
            }
        }
    }
    assert_eq!(done, 1);
    assert_eq!(nodes.query("SELECT count(*) FROM applications"), "1");
    assert_eq!(nodes.query("SELECT count(*) FROM application_history"), "1");
    assert_eq!(nodes.query("SELECT count(*) FROM outbox"), "1");
    nodes.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_ends_and_signs_one_content_only() {
    let settings = [("IDCHECK_CARD__CHALLENGE_SECONDS", "3")];
    let nodes = Nodes::start_with(1, &settings, None).await;
    let applicant = Applicant::with(&nodes.urls[0], &nodes.card_url, &nodes.cards[0]);
    let mut changed = Applicant::application();
    changed["hostAddresses"] = json!(["127.0.0.2"]);
    let (_, signed) = applicant.challenge("apply", &Applicant::application()).await;
    let (_, other) = applicant.challenge("apply", &changed).await;
    let signature = applicant.sign(signed["tbs"].as_str().unwrap()).await;
    let (status, refusal) = applicant.prove(other["id"].as_str().unwrap(), &signature).await;
    assert_eq!((status, &refusal["type"]), (422, &json!("/problems/card-content-mismatch")), "{refusal}");
    tokio::time::sleep(Duration::from_millis(3100)).await;
    let (status, refusal) = applicant.prove(signed["id"].as_str().unwrap(), &signature).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/challenge-expired")), "{refusal}");
    assert_eq!(nodes.query("SELECT count(*) FROM applications"), "0");
    nodes.close();
}
