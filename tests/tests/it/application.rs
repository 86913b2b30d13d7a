//! The case page as an officer decides by it: what would change, templates, the mail before the decision.

use idcheck_tests::{Applicant, Console, Demo, Officer};
use serde_json::{Value, json};

/// The address of the page of the organisation's newest case.
async fn filed(applicant: &Applicant, act: &str, content: &Value) -> String {
    let result = applicant.done(act, content).await;
    format!("/officer/applications/{}", result["application"]["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_case_changes_is_shown_beside_what_is() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let first = filed(&applicant, "apply", &Applicant::application()).await;
    let console = Console::of(&demo, "reviewer1").await;
    assert!(console.get(&first).await.text.contains("該機構尚未獲核准"));
    let officer = Officer::of(&demo, "reviewer2").await;
    let first = first.rsplit('/').next().unwrap();
    let case = officer.get(&format!("/applications/{first}")).await.1;
    assert_eq!(
        (&case["changes"], &case["workingDaysLeft"]),
        (&Value::Null, &json!(5)),
        "nothing is held yet: {case}"
    );
    officer.approve(first).await;

    let content = json!({
        "hostAddresses": ["127.0.0.9"], "reason": "搬遷",
        "contact": {"name": "林大同", "mobile": "0912345678", "email": "it@example.com"},
        "consent": {"noticeVersion": "108-06", "conductVersion": "108-06"},
    });
    let change = filed(&applicant, "changeAddress", &content).await;
    let page = console.get(&change).await.text;
    let (_, compared) = page.split_once("申請內容與現況").unwrap();
    let (compared, rest) = compared.split_once("</section>").unwrap();
    for (is, asked) in [("127.0.0.1", "127.0.0.9"), ("王小明", "林大同")] {
        assert!(compared.contains(&format!("{is}</del>")), "{is} in {compared}");
        assert!(compared.contains(&format!("{asked}</ins>")), "{asked} in {compared}");
    }
    assert!(compared.contains("it@example.com") && !compared.contains("it@example.com</del>"), "{compared}");
    assert!(compared.contains("108-06"), "what was consented to: {compared}");
    // Former cases, use and notices are on the same page.
    for text in ["近三十日", "沒有異常使用通知。", "同意"] {
        assert!(rest.contains(text), "{text} in {rest}");
    }

    // The API tells the same.
    let case = officer.get(&format!("/applications/{}", change.rsplit('/').next().unwrap())).await.1;
    let pointers: Vec<_> = case["changes"].as_array().unwrap().iter().map(|c| c["pointer"].clone()).collect();
    assert_eq!(pointers, ["/contact/name", "/hostAddresses"].map(Value::from), "{case}");
    assert_eq!(
        (&case["changes"][1]["is"], &case["changes"][1]["asked"]),
        (&json!("127.0.0.1"), &json!("127.0.0.9"))
    );
    assert_eq!((&case["workingDaysLeft"], &case["notices"]), (&json!(5), &json!([])));
    assert_eq!((&case["usage"]["queries"], &case["usage"]["lockOuts"]), (&json!(0), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_chosen_seen_as_a_mail_and_sent() {
    let demo = Demo::start().await;
    let admin = Officer::of(&demo, "admin1").await;
    let template = json!({"use": "reject", "title": "其他", "text": "{company} 之 {caseNumber} 不予核准", "state": "inUse"});
    let (status, added) = admin.post("/templates", Some(template)).await;
    assert_eq!((status, &added["version"]), (201, &json!(1)), "{added}");
    let (status, refused) = admin.post("/templates", Some(json!({"use": "x", "state": "on"}))).await;
    let wrong: Vec<_> = refused["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    assert_eq!((status, wrong), (422, ["/use", "/title", "/text", "/state"].map(Value::from).to_vec()));

    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let home = filed(&applicant, "apply", &Applicant::application()).await;
    let id = home.rsplit('/').next().unwrap();
    let console = Console::of(&demo, "reviewer1").await;
    console.submit(&home, &format!("{home}/claim"), &[("version", "1")]).await;
    let number =
        console.get(&home).await.text.split("<title>").nth(1).unwrap().split(' ').next().unwrap().to_owned();
    let text = format!("測試甲股份有限公司 之 {number} 不予核准");
    // A template comes below what was typed, for whatever decision; nothing typed is lost.
    let decide = format!("{home}/decide");
    let go = format!("template:{}", added["id"].as_str().unwrap());
    let form = [("version", "2"), ("step", "approve"), ("text", "先前所寫"), ("go", go.as_str())];
    let chosen = console.submit(&home, &decide, &form).await.text;
    assert!(chosen.contains(&format!("先前所寫\n{text}</textarea>")), "{chosen}");
    assert!(chosen.contains("value=\"reject\" checked"), "{chosen}");

    // The mail is seen before; nothing has happened, and a stale version is refused here too.
    let typed = |version, go| [("version", version), ("step", "reject"), ("text", text.as_str()), ("go", go)];
    let shown = console.submit(&home, &decide, &typed("2", "preview")).await;
    assert_eq!(shown.status, 200);
    let mail = shown.text.split("id=\"preview\"").nth(1).unwrap();
    assert!(mail.contains("it@example.com") && mail.contains(&text), "{}", shown.text);
    // What was read is old: it is said, and what was typed stands in the form of what is now.
    for go in ["preview", "", go.as_str()] {
        let stale = console.submit(&home, &decide, &typed("1", go)).await;
        assert_eq!(stale.status, 409);
        assert!(stale.text.contains(&format!("{text}</textarea>")), "{}", stale.text);
        assert!(stale.text.contains("name=\"version\" value=\"2\""), "{}", stale.text);
    }
    for (version, status) in [("2", 422), ("1", 409)] {
        let blank = [("version", version), ("step", "reject"), ("text", "")];
        assert_eq!(console.submit(&home, &decide, &blank).await.status, status, "version {version}");
    }
    let unknown = console.submit(&home, &decide, &[("version", "2"), ("step", "claim"), ("text", "x")]).await;
    assert_eq!(unknown.status, 404, "not a decision");
    let officer = Officer::of(&demo, "reviewer2").await;
    let body = json!({"step": "approve", "version": 2});
    let (status, mail) = officer.post(&format!("/applications/{id}/preview"), Some(body)).await;
    assert_eq!((status, &mail["to"]), (200, &json!("it@example.com")), "{mail}");
    let (_, case) = officer.get(&format!("/applications/{id}")).await;
    assert_eq!((&case["state"], &case["version"]), (&json!("underReview"), &json!(2)));

    let done = console.submit(&home, &decide, &typed("2", "")).await;
    assert_eq!(done.status, 303, "{}", done.text);
    let (_, case) = officer.get(&format!("/applications/{id}")).await;
    assert_eq!((&case["state"], &case["application"]["reason"]), (&json!("rejected"), &json!(text)));
}

/// Characters of a private use area look different on each computer: the officer sees which they are.
#[tokio::test(flavor = "multi_thread")]
async fn characters_of_private_use_are_marked() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let mut content = Applicant::application();
    content["contact"]["name"] = json!("王\u{e123}明");
    let home = filed(&applicant, "apply", &content).await;
    let page = Console::of(&demo, "reviewer1").await.get(&home).await.text;
    let (_, told) = page.split_once("名稱含造字").unwrap();
    assert!(told.split("</p>").next().unwrap().contains("U+E123"), "{told}");
}

/// Rejecting while the applicant may still answer is refused with the date.
#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_waits_for_the_answer_s_time() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let home = filed(&applicant, "apply", &Applicant::application()).await;
    let id = home.rsplit('/').next().unwrap();
    let officer = Officer::of(&demo, "reviewer1").await;
    let step =
        async |name: &str, body: Value| officer.post(&format!("/applications/{id}/{name}"), Some(body)).await;
    assert_eq!(officer.post(&format!("/applications/{id}/claim"), None).await.0, 200);
    let question = json!({"question": "請補充用途"});
    let (status, asked) = step("clarification", question).await;
    assert_eq!(status, 200, "{asked}");
    let due = asked["application"]["dueAt"].as_str().unwrap_or_else(|| panic!("{asked}")).to_owned();
    let (status, refused) = step("reject", json!({"reason": "逾期", "version": asked["version"]})).await;
    assert_eq!((status, &refused["type"]), (409, &json!("/problems/clarification-running")));
    // The last day, as people write it: the end of it is the start of the next day, in Taipei.
    let end = chrono::DateTime::parse_from_rfc3339(&due).unwrap();
    let last = (end - chrono::TimeDelta::seconds(1))
        .with_timezone(&chrono::FixedOffset::east_opt(8 * 3600).unwrap());
    let year: i32 = last.format("%Y").to_string().parse().unwrap();
    let date = format!("{}/{}", year - 1911, last.format("%m/%d"));
    assert!(refused["detail"].as_str().unwrap().contains(&format!("{date} 24:00")), "{due}: {refused}");
    let page = Console::of(&demo, "reviewer2").await.get(&home).await.text;
    assert!(!page.contains("value=\"reject\""), "nothing is offered that would be refused");
}
