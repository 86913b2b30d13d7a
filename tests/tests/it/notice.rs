//! Abnormal use, end to end: found, sent, explained, accepted — and cut off by a revocation.

use std::time::{Duration, Instant};

use idcheck_tests::{Caller, Console, Demo, Officer, idcheck};
use serde_json::{Value, json};

/// Asks wrongly about `count` persons, two times each, so that none is locked.
async fn guess(demo: &Demo, caller: &Caller, count: usize) {
    let persons = demo.file["persons"].as_array().unwrap();
    for person in persons.iter().filter(|p| p["status"] == "normal").take(count) {
        let wrong = Caller::wrong(person);
        assert_eq!(caller.ask(&demo.base_url, &wrong).await, "2");
        assert_eq!(caller.ask(&demo.base_url, &wrong).await, "3");
    }
}

/// What `abuse replay` says with this threshold for a user's wrong answers.
fn replay(demo: &Demo, user_wrong: &str) -> String {
    let data = demo.data_dir();
    let environment = [
        ("IDCHECK_DATABASE_URL", format!("sqlite://{}", data.join("idcheck.db").display())),
        ("IDCHECK_KEY_FILE", data.join("key").display().to_string()),
        ("IDCHECK_ABUSE__USER_WRONG", user_wrong.to_owned()),
    ];
    let output = idcheck(&["abuse", "replay", "--days", "3"], &environment, "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The notice of a rule, not later than a minute after what it tells of.
async fn notice(officer: &Officer, rule: &str) -> Value {
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(1) {
        let (status, open) = officer.get("/notices").await;
        assert_eq!(status, 200, "{open}");
        if let Some(found) = open["notices"].as_array().unwrap().iter().find(|n| n["rule"] == rule) {
            return found.clone();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    panic!("no notice of {rule} within a minute");
}

#[tokio::test(flavor = "multi_thread")]
async fn found_sent_explained_and_accepted() {
    let demo = Demo::start().await;
    let (applicant, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    guess(&demo, &caller, 30).await;
    let officer = Officer::of(&demo, "reviewer2").await;
    let found = notice(&officer, "mismatchRatio").await;
    assert_eq!(found["unifiedBusinessNumber"], applicant.ubn.as_str());
    assert_eq!((&found["state"], &found["suggestion"]), (&json!("raised"), &json!("askForExplanation")));
    assert_eq!(found["evidence"]["counts"][1], json!({"measure": "wrong", "count": 60}));
    let text = found.to_string();
    let persons = demo.file["persons"].as_array().unwrap();
    assert!(
        persons.iter().all(|p| !text.contains(p["personId"].as_str().unwrap())),
        "an ID number in {text}"
    );

    // Thresholds are tried on what was counted: the notice is known, and a lower one finds what was not told.
    let tried = replay(&demo, "2000000");
    assert!(tried.contains(&format!("{}  raised  mismatchRatio", applicant.ubn)), "{tried}");
    assert!(!tried.contains("lockedNumbers") && tried.contains("0 that were not"), "{tried}");
    assert!(replay(&demo, "50").contains("userMistakes"));

    let progress = applicant.done("progress", &json!({})).await;
    assert_eq!(progress["notices"], json!([]), "what is not sent is not told");
    let id = found["id"].as_str().unwrap();
    let path = |step: &str| format!("/notices/{id}/{step}");
    let send = json!({"message": "請說明當日大量不符之原因", "days": 3, "version": 1});
    let auditor = Officer::of(&demo, "auditor1").await;
    assert_eq!(auditor.post(&path("send"), Some(send.clone())).await.0, 403);
    let long = json!({"message": "請說明", "days": 31, "version": 1});
    assert_eq!(officer.post(&path("send"), Some(long)).await.0, 422);
    let early = officer.post(&path("accept"), Some(json!({"version": 1}))).await;
    assert_eq!((early.0, &early.1["type"]), (409, &json!("/problems/state")));
    let (status, sent) = officer.post(&path("send"), Some(send)).await;
    assert_eq!((status, &sent["state"], &sent["overdue"]), (200, &json!("sent"), &json!(false)), "{sent}");

    let progress = applicant.done("progress", &json!({})).await;
    assert_eq!(progress["notices"][0]["sendings"][0]["message"], "請說明當日大量不符之原因");
    let explain = json!({"noticeId": id, "explanation": "係測試資料誤植，已改正。"});
    let other = idcheck_tests::Applicant::of(&demo, "company", "valid", 1);
    let (status, refusal) = other.act("explain", &explain).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/notice-unknown")));
    let explained = applicant.done("explain", &explain).await;
    assert_eq!(explained["notice"]["state"], "explained");
    let (status, refusal) = applicant.act("explain", &explain).await;
    assert_eq!((status, &refusal["type"]), (409, &json!("/problems/notice-unknown")));
    let (status, accepted) = officer.post(&path("accept"), Some(json!({"version": 3}))).await;
    assert_eq!((status, &accepted["state"]), (200, &json!("accepted")), "{accepted}");
    let (_, open) = officer.get("/notices").await;
    let open = open["notices"].as_array().unwrap();
    assert!(open.iter().all(|n| n["id"] != found["id"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_pages_of_the_console_and_ended_by_a_revocation() {
    let demo = Demo::start().await;
    let (applicant, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    guess(&demo, &caller, 25).await;
    let supervisor = Officer::of(&demo, "supervisor1").await;
    let found = notice(&supervisor, "mismatchRatio").await;
    let (id, ubn) = (found["id"].as_str().unwrap(), &applicant.ubn);

    let console = Console::of(&demo, "reviewer2").await;
    assert!(console.get("/officer/notices").await.text.contains(&format!("#notice-{id}")));
    let home = format!("/officer/organisations/{ubn}");
    let typed = |text| [("id", id), ("version", "1"), ("days", "5"), ("text", text)];
    let empty = console.submit(&home, &format!("{home}/send-notice"), &typed("")).await;
    assert_eq!(empty.status, 422, "{}", empty.text);
    assert_eq!(console.submit(&home, &format!("{home}/send-notice"), &typed("請說明")).await.status, 303);

    let body = json!({"ground": "abuse", "reason": "試探不止"});
    let (_, asked) = supervisor.post(&format!("/organisations/{ubn}/revoke"), Some(body)).await;
    let confirm = format!("/revocations/{}/confirm", asked["id"].as_str().unwrap());
    let second = Officer::of(&demo, "supervisor2").await;
    assert_eq!(second.post(&confirm, Some(json!({"version": 1}))).await.0, 200);
    let (_, ended) = second.get(&format!("/notices/{id}")).await;
    assert_eq!(ended["state"], "ended");
}
