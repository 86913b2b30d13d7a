//! What does not come in: texts that no database holds, and what a link would fill in for somebody.

use idcheck_tests::{Console, Demo};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_of_a_database_that_it_can_t_hold() {
    let demo = Demo::start().await;
    let officer = Console::of(&demo, "auditor1").await;
    for path in [
        "/officer/applications?q=%00",
        "/officer/usage?ubn=0459%005257",
        "/officer/audit?actor=%00",
        "/apply/form?kind=%00",
        "/api/v1/officer/applications?text=%00",
        "/api/v1/register?x=%00",
        "/integration/rwv2c2?x=%00",
    ] {
        let answer = officer.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text);
    }
}

/// A form that a link opens: the kind and the number are filled in, consent and a public key are the person's own.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_neither_consents_nor_brings_a_key() {
    let demo = Demo::start().await;
    let nobody = Console::nobody(&demo.base_url).await;
    let link = "/apply/form?kind=apply&ubn=99900003&consent=108-06%20108-06&consent=on&%2FcompanyName=THEIRS";
    let shown = nobody.get(link).await.text;
    assert!(shown.contains("value=\"99900003\"") && !shown.contains("THEIRS"), "{shown}");
    assert!(!shown.contains("name=\"consent\""), "it is asked for where everything is shown: {shown}");
    let shown =
        nobody.get("/acts/registerKey?ubn=99900003&%2FpublicKeyPem=THEIR-KEY&%2Flabel=LABEL").await.text;
    assert!(
        shown.contains("value=\"99900003\"") && !shown.contains("THEIR-KEY") && !shown.contains("LABEL"),
        "{shown}"
    );
}
