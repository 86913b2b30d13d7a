//! The demo: what it has lived through before its first start, once, and what it shows of itself.

use idcheck_tests::{Console, Demo};

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_has_a_past_that_holds() {
    let mut demo = Demo::with_a_past().await;
    let reviewer = Console::of(&demo, "reviewer1").await;
    let queue = reviewer.get("/officer/applications").await.text;
    assert!(
        queue.contains("示範資產管理股份有限公司") && queue.contains("示範人壽保險股份有限公司"),
        "{queue}"
    );
    // The cards' own organisations have none.
    for card in demo.file["cards"].as_array().unwrap() {
        if let Some(ubn) = card["unifiedBusinessNumber"].as_str() {
            assert!(!queue.contains(ubn), "{ubn}");
        }
    }
    // What it shows of itself lets everybody in.
    let nobody = Console::nobody(&demo.base_url).await;
    let tour = nobody.get("/demo").await;
    assert_eq!(tour.status, 200);
    for officer in demo.file["officers"].as_array().unwrap() {
        assert!(tour.text.contains(officer["password"].as_str().unwrap()));
    }
    let (verified, printed) = demo.run(&["audit", "verify"]);
    assert!(verified, "{printed}");
    let cases = queue.matches("data-row").count();
    demo.restart().await;
    let again = Console::of(&demo, "reviewer2").await.get("/officer/applications").await.text;
    assert_eq!(again.matches("data-row").count(), cases, "started again, nothing happened a second time");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_demo_shows_itself_too() {
    let demo = Demo::start().await;
    let reviewer = Console::of(&demo, "reviewer1").await;
    assert!(!reviewer.get("/officer/applications").await.text.contains("data-row"));
    assert_eq!(reviewer.get("/demo").await.status, 200);
    assert_eq!(reviewer.get("/demo/mails/none").await.status, 404);
}
