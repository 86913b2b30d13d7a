//! A mail that was given up: the page says to whom, since when and why, and sends it again.

use idcheck_tests::{Console, Nodes, Site};

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_says_why() {
    let nodes = Nodes::start(1).await;
    let (name, password, secret) = nodes.officers[1].clone();
    let site = Site::Postgres(Box::new(nodes));
    let officer = site.reviewer(1).await;
    site.admitted(0, &officer).await;
    let console = Console::sign_in(&site.url(), &name, &password, &secret).await;
    assert!(console.get("/officer/mail").await.text.contains("沒有"), "nothing was given up");
    for (failure, words) in [
        ("temporary", "無法連線郵件伺服器，或郵件伺服器暫不收信。"),
        ("permanent", "郵件伺服器拒收此信，信箱可能有誤。"),
    ] {
        let sql = format!(
            "WITH dead AS (UPDATE outbox SET failure = '{failure}', attempts = 3, due_at = NULL, sent_at = NULL RETURNING 1) \
             SELECT count(*) FROM dead"
        );
        assert_ne!(site.query(&sql), "0");
        let page = console.get("/officer/mail").await;
        assert!(page.text.contains(words), "{failure}: {}", page.text);
    }
    site.close();
}
