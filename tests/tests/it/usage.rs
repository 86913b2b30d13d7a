//! Use, end to end: what was asked is counted, drawn with a table beside it, and taken away as CSV.

use std::time::{Duration, Instant};

use idcheck_tests::{Caller, Console, Demo, Officer};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_is_drawn_and_exported() {
    let demo = Demo::start().await;
    let (applicant, caller) = Caller::admitted(&demo, 0, "reviewer1").await;
    let persons = demo.file["persons"].as_array().unwrap();
    let mut normal = persons.iter().filter(|person| person["status"] == "normal");
    let right = normal.next().unwrap();
    assert_eq!(caller.ask(&demo.base_url, right).await, "1");
    assert_eq!(caller.ask(&demo.base_url, right).await, "1");
    let wrong = Caller::wrong(normal.next().unwrap());
    for answer in ["2", "3", "4", "5"] {
        assert_eq!(caller.ask(&demo.base_url, &wrong).await, answer);
    }

    let mut claims = caller.claims(right);
    claims["conditionMap"] = "no condition".into();
    caller.send(&demo.base_url, &caller.signer.token(&claims)).await;

    let officer = Officer::of(&demo, "reviewer2").await;
    let path = format!("/usage?ubn={}", applicant.ubn);
    let began = Instant::now();
    let usage = loop {
        let (status, usage) = officer.get(&path).await;
        assert_eq!(status, 200, "{usage}");
        let answers = usage["latency"].as_array().unwrap().iter().map(|c| c["answers"].as_u64().unwrap());
        if usage["total"]["queries"] == 7 && answers.sum::<u64>() >= 6 {
            break usage;
        }
        assert!(began.elapsed() < Duration::from_mins(1), "not counted within a minute: {usage}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_eq!(usage["total"]["results"], serde_json::json!([2, 1, 1, 1, 1, 0, 0, 0]));
    assert_eq!((&usage["total"]["lockOuts"], usage["days"].as_array().unwrap().len()), (&1.into(), 30));
    let refusals = usage["refusals"].as_array().unwrap();
    assert_eq!((refusals.len(), &refusals[0]["reason"]), (1, &"conditionMalformed".into()), "{usage}");
    assert_eq!(refusals[0]["queries"], 1);
    // The application was decided on the day it came in.
    assert_eq!(usage["reviews"]["byWorkingDays"][0], 1);
    assert_eq!(usage["organisations"], serde_json::json!([]));
    let (_, all) = officer.get("/usage").await;
    let named = all["organisations"].as_array().unwrap();
    assert!(named.iter().any(|one| one["unifiedBusinessNumber"] == applicant.ubn.as_str()), "{all}");
    let (status, refused) = officer.get("/usage?from=2026-02-30").await;
    assert_eq!((status, &refused["errors"][0]["pointer"]), (422, &"/from".into()));
    assert_eq!(officer.get("/usage?ubn=12345675").await.0, 404);

    let console = Console::of(&demo, "auditor1").await;
    let page = console.get("/officer/usage").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("查驗條件格式不正確"), "{}", page.text);
    assert!(page.text.matches("<svg").count() >= 4, "{}", page.text);
    let export = format!("/officer/usage/export?table=days&ubn={}", applicant.ubn);
    let csv = console.get(&export).await.text;
    assert_eq!(csv.lines().count(), 31, "{csv}");
    assert!(csv.trim_end().ends_with(",7,2,1,1,1,1,0,0,0,1,1"), "{csv}");
    assert_eq!(console.get("/officer/usage/export?table=none").await.status, 404);
    // The look at one organisation is in the log.
    let auditor = console.get(&format!("/officer/audit?what=usage.read&about={}", applicant.ubn)).await;
    assert!(auditor.text.contains("reviewer2"), "{}", auditor.text);
}
