//! What becomes of access, end to end: taken away by two persons, and the way back.

use std::time::{Duration, Instant};

use idcheck_tests::{Applicant, Caller, Console, Demo, Officer};
use serde_json::{Value, json};

fn person(demo: &Demo) -> Value {
    demo.file["persons"].as_array().unwrap().iter().find(|p| p["status"] == "normal").unwrap().clone()
}

async fn ask_to_revoke(officer: &Officer, ubn: &str, ground: &str) -> Value {
    let body = json!({"ground": ground, "reason": "一日內試探兩百餘筆"});
    let (status, asked) = officer.post(&format!("/organisations/{ubn}/revoke"), Some(body)).await;
    assert_eq!((status, &asked["state"]), (201, &json!("asked")), "{asked}");
    asked
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_by_two_persons_and_back_by_an_improvement_plan() {
    let demo = Demo::start().await;
    let (applicant, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    let (url, known) = (&demo.base_url, person(&demo));
    assert_eq!(caller.ask(url, &known).await, "1");
    let consent = json!({"noticeVersion": "108-06", "conductVersion": "108-06"});
    let open = applicant.done("suspend", &json!({"reason": "系統停用", "consent": consent})).await;

    let supervisor = Officer::of(&demo, "supervisor1").await;
    let other = Officer::of(&demo, "supervisor2").await;
    let asked = ask_to_revoke(&supervisor, &applicant.ubn, "abuse").await;
    let twice = json!({"ground": "conduct", "reason": "再次"});
    let twice = other.post(&format!("/organisations/{}/revoke", applicant.ubn), Some(twice)).await;
    assert_eq!((twice.0, &twice.1["type"]), (409, &json!("/problems/waiting")));
    assert_eq!(caller.ask(url, &known).await, "1", "asking alone takes nothing away");

    let path = format!("/revocations/{}/confirm", asked["id"].as_str().unwrap());
    let body = || Some(json!({"version": asked["version"]}));
    let own = supervisor.post(&path, body()).await;
    assert_eq!((own.0, &own.1["type"]), (409, &json!("/problems/same-person")));
    let reviewer = Officer::of(&demo, "reviewer2").await;
    assert_eq!(reviewer.post(&path, body()).await.0, 403);
    // The second person confirms twenty times at once, while the first keeps trying.
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (officer, path, body) =
            (if number % 2 == 0 { &other } else { &supervisor }.clone(), path.clone(), body());
        tries.spawn(async move { officer.post(&path, body).await.0 });
    }
    let statuses = tries.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 19, "{statuses:?}");

    let refused = caller.send(url, &caller.token(&known)).await;
    // The keys went with the access, so not even the signature counts any more.
    assert_eq!((refused.status, refused.message.as_str()), (401, "signature invalid"));
    let progress = applicant.done("progress", &json!({})).await;
    assert_eq!(progress["organisation"]["access"], "revoked");
    assert_eq!(progress["organisation"]["revocationGround"], "abuse");
    assert_eq!(progress["organisation"]["mayReturn"], false);
    let settled = progress["applications"].as_array().unwrap();
    let settled = settled.iter().find(|case| case["id"] == open["application"]["id"]).unwrap();
    assert_eq!(settled["state"], "rejected");

    let (status, refusal) = applicant.act("apply", &Applicant::application()).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/improvement-plan-needed")));
    let plan = || json!({"plan": "一、加裝流量控管。\n二、每日檢核。"});
    let filed = applicant.done("submitImprovementPlan", &plan()).await;
    assert_eq!(filed["improvementPlan"]["state"], "filed");
    let (status, refusal) = applicant.act("submitImprovementPlan", &plan()).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/open-case")));
    let id = filed["improvementPlan"]["id"].as_str().unwrap();
    let rejected = json!({"reason": "未敘明期程", "version": 1});
    assert_eq!(reviewer.post(&format!("/plans/{id}/reject"), Some(rejected)).await.0, 200);
    let filed = applicant.done("submitImprovementPlan", &plan()).await;
    let id = filed["improvementPlan"]["id"].as_str().unwrap();
    let (status, plan) = reviewer.post(&format!("/plans/{id}/approve"), Some(json!({"version": 1}))).await;
    assert_eq!((status, &plan["state"]), (200, &json!("approved")), "{plan}");

    let again = applicant.done("apply", &Applicant::application()).await;
    reviewer.approve(again["application"]["id"].as_str().unwrap()).await;
    let back = Caller::equipped(&applicant).await;
    assert_eq!((&back.account, back.iss_key == caller.iss_key), (&caller.account, false));
    assert_eq!(back.ask(url, &known).await, "1");
    let (intact, printed) = demo.run(&["audit", "verify"]);
    assert!(intact, "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn not_registered_returns_by_registration_and_a_dead_card_by_request() {
    let demo = Demo::start().await;
    let (applicant, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    let (reviewer, supervisor) =
        (Officer::of(&demo, "reviewer2").await, Officer::of(&demo, "supervisor1").await);
    let path = |step: &str| format!("/organisations/{}/{step}", applicant.ubn);
    let reason = || Some(json!({"reason": "統一編號變更，舊卡已失效，來函 115-0042"}));
    assert_eq!(reviewer.post(&path("lift"), reason()).await.0, 409, "there is nothing to lift");
    let (status, file) = reviewer.post(&path("suspend"), reason()).await;
    assert_eq!((status, &file["organisation"]["access"]), (200, &json!("suspended")));
    let refused = caller.send(&demo.base_url, &caller.token(&person(&demo))).await;
    assert_eq!((refused.status, refused.message.as_str()), (403, "access suspended or revoked"));

    let asked = ask_to_revoke(&reviewer, &applicant.ubn, "notRegistered").await;
    let confirm = format!("/revocations/{}/confirm", asked["id"].as_str().unwrap());
    assert_eq!(supervisor.post(&confirm, Some(json!({"version": 1}))).await.0, 200);
    let (status, refusal) = applicant.act("submitImprovementPlan", &json!({"plan": "恢復登記"})).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/no-plan-needed")));
    let (status, refusal) = applicant.act("apply", &Applicant::application()).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/registration-not-current")));
    assert_eq!(supervisor.post(&path("lift"), reason()).await.0, 200);
    applicant.done("apply", &Applicant::application()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_on_the_pages_of_the_console() {
    let demo = Demo::start().await;
    let (applicant, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    let home = format!("/officer/organisations/{}", applicant.ubn);
    let reviewer = Console::of(&demo, "reviewer2").await;
    let empty =
        reviewer.submit(&home, &format!("{home}/revoke"), &[("ground", "conduct"), ("text", " ")]).await;
    assert_eq!(empty.status, 422);
    assert!(empty.text.contains("id=\"revoke-error\""), "{}", empty.text);
    let typed = [("ground", "conduct"), ("text", "違反 <b>管理規範</b> 五")];
    assert_eq!(reviewer.submit(&home, &format!("{home}/revoke"), &typed).await.status, 303);
    let page = reviewer.get(&home).await;
    assert!(page.text.contains("&lt;b&gt;"), "typed text is escaped: {}", page.text);
    assert!(!page.text.contains("/confirm"), "who asked is not offered to confirm");

    let supervisor = Console::of(&demo, "supervisor1").await;
    assert!(supervisor.get("/officer/waiting").await.text.contains(&applicant.ubn));
    let page = supervisor.get(&home).await;
    let (id, version) = (page.hidden("id"), page.hidden("version"));
    let typed = [("id", id.as_str()), ("version", version.as_str())];
    let began = Instant::now();
    assert_eq!(supervisor.submit(&home, &format!("{home}/confirm"), &typed).await.status, 303);
    let refused = caller.send(&demo.base_url, &caller.token(&person(&demo))).await;
    assert_eq!(refused.status, 401);
    assert!(began.elapsed() < Duration::from_secs(1), "revoked after {:?}", began.elapsed());
    // A form of another browser is refused.
    let foreign = supervisor.post(&format!("{home}/revoke"), &[("csrf", "0"), ("text", "x")]).await;
    assert_eq!(foreign.status, 403);
}

/// A form of the console that is refused, or wrong, is had back as it was typed.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_kept_when_it_is_refused() {
    let demo = Demo::start().await;
    let applicant = Applicant::of(&demo, "company", "valid", 0);
    let filed = applicant.done("apply", &Applicant::application()).await;
    Officer::of(&demo, "reviewer1").await.approve(filed["application"]["id"].as_str().unwrap()).await;
    let console = Console::of(&demo, "reviewer2").await;
    let home = format!("/officer/organisations/{}", applicant.ubn);
    let revoke = format!("{home}/revoke");
    let typed = [("ground", "abuse"), ("text", "大量試探，未說明。")];
    assert_eq!(console.submit(&home, &revoke, &typed).await.status, 303);
    let twice = console.submit(&home, &revoke, &typed).await;
    assert_eq!(twice.status, 409);
    assert!(twice.text.contains("大量試探，未說明。"), "{}", twice.text);
    let blank = console.submit(&home, &format!("{home}/suspend"), &[("text", "")]).await;
    assert_eq!(blank.status, 422);
    let id = "01a20947-c02a-7d0d-ba79-6c400c7f8e91";
    for days in ["0", "31", "", "x"] {
        let notice = [("id", id), ("version", "1"), ("text", "請說明原因"), ("days", days)];
        let refused = console.submit(&home, &format!("{home}/send-notice"), &notice).await;
        assert_eq!(refused.status, 422, "{days}");
        assert!(refused.text.contains("1 至 30 個工作日"), "{}", refused.text);
    }
}
