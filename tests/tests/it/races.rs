//! Rules that two requests can race on, raced: over two processes on one PostgreSQL, and in one process on SQLite.
//!
//! `IDCHECK_TEST_RACES` sets how often two officers meet (200 here).

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use idcheck_tests::{Applicant, Caller, Nodes, Officer, Random, Signer, Site, count_from};
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinSet};

/// Requests under way at once.
const AT_ONCE: usize = 64;

/// Sends all tokens at once, node by node in turn, and counts what came back: result, or status and message.
async fn storm(caller: &Caller, urls: &[String], tokens: Vec<String>) -> BTreeMap<String, usize> {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    let mut sent = JoinSet::new();
    for (number, token) in tokens.into_iter().enumerate() {
        let (caller, url) = (caller.clone(), urls[number % urls.len()].clone());
        let permits = Arc::clone(&permits);
        sent.spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            let reply = caller.send(&url, &token).await;
            if reply.status == 200 { reply.result } else { format!("{} {}", reply.status, reply.message) }
        });
    }
    let mut counts = BTreeMap::new();
    while let Some(answer) = sent.join_next().await {
        *counts.entry(answer.unwrap()).or_default() += 1;
    }
    counts
}

fn counts(expected: &[(&str, usize)]) -> BTreeMap<String, usize> {
    expected.iter().map(|(answer, count)| ((*answer).to_owned(), *count)).collect()
}

/// 注意事項 六: however many ask at once, three are compared.
async fn wrong_answers(site: Site) {
    let officer = site.reviewer(1).await;
    let (_, caller) = site.admitted(0, &officer).await;
    let wrong = Caller::wrong(&site.person(0));
    let tokens = (0..100).map(|_| caller.token(&wrong)).collect();
    let answers = storm(&caller, &site.urls(), tokens).await;
    assert_eq!(answers, counts(&[("2", 1), ("3", 1), ("4", 1), ("5", 97)]));

    let token = caller.token(&site.person(1));
    let answers = storm(&caller, &site.urls(), vec![token; 1000]).await;
    assert_eq!(answers, counts(&[("1", 1), ("401 already used", 999)]));
    intact(&site);
    site.close();
}

fn intact(site: &Site) {
    let (intact, printed) = site.audit();
    assert!(intact, "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_and_replays_on_sqlite() {
    wrong_answers(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_and_replays_on_postgres() {
    wrong_answers(Site::postgres(2).await).await;
}

/// One proof sent many times acts once; two proofs of one kind file one case.
async fn proofs(site: Site) {
    let applicant = site.applicant(0);
    let (_, first) = applicant.challenge("apply", &Applicant::application()).await;
    let (_, second) = applicant.challenge("apply", &Applicant::application()).await;
    let mut sent = JoinSet::new();
    for (number, challenge) in [&first, &second].into_iter().cycle().take(200).enumerate() {
        let signature = applicant.sign(challenge["tbs"].as_str().unwrap()).await;
        let node = site.urls()[number / 2 % site.urls().len()].clone();
        let (applicant, id) = (applicant.at(&node), challenge["id"].as_str().unwrap().to_owned());
        sent.spawn(async move {
            let (status, answer) = applicant.prove(&id, &signature).await;
            if status == 200 { "filed".to_owned() } else { answer["type"].as_str().unwrap().to_owned() }
        });
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(answer) = sent.join_next().await {
        *seen.entry(answer.unwrap()).or_default() += 1;
    }
    // The challenge that did not file is not spent: the precondition refuses it.
    assert_eq!(
        seen,
        counts(&[("/problems/challenge-spent", 99), ("/problems/open-case", 100), ("filed", 1)])
    );
    let progress = applicant.done("progress", &json!({})).await;
    assert_eq!(progress["applications"].as_array().unwrap().len(), 1);
    intact(&site);
    site.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_on_sqlite() {
    proofs(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_on_postgres() {
    proofs(Site::postgres(2).await).await;
}

/// Files a case that asks for the address it has; always possible while nothing else of its kind is open.
async fn file_change(applicant: &Applicant) -> Value {
    let consent = json!({"noticeVersion": "108-06", "conductVersion": "108-06"});
    let content = json!({"hostAddresses": ["127.0.0.1"], "reason": "主機遷移", "consent": consent});
    applicant.done("changeAddress", &content).await["application"].clone()
}

async fn decide(officer: Officer, id: String, version: Value, approve: bool) -> u16 {
    let (act, text) = if approve { ("approve", "note") } else { ("reject", "reason") };
    let body = json!({text: "已審", "version": version});
    officer.post(&format!("/applications/{id}/{act}"), Some(body)).await.0
}

/// Two officers decide on one case at once, or an officer and the applicant: one gets through.
async fn decisions(site: Site) {
    let (one, two) = (site.reviewer(1).await, site.reviewer(2).await.at(&site.other_url()));
    let (applicant, _) = site.admitted(0, &one).await;
    let mut random = Random::seeded("decisions");
    let races = count_from("IDCHECK_TEST_RACES", 200);
    let mut withdrawn = 0;
    for race in 0..races {
        let case = file_change(&applicant).await;
        let id = case["id"].as_str().unwrap().to_owned();
        let (_, claimed) = one.post(&format!("/applications/{id}/claim"), None).await;
        let version = claimed["version"].clone();
        let first = decide(one.clone(), id.clone(), version.clone(), random.below(2) == 0);
        let statuses = if race % 4 == 3 {
            let content = json!({"applicationId": id});
            let at_other = applicant.at(&site.other_url());
            let withdraw = async move { at_other.act("withdraw", &content).await.0 };
            tokio::join!(tokio::spawn(first), tokio::spawn(withdraw))
        } else {
            let second = decide(two.clone(), id.clone(), version, random.below(2) == 0);
            tokio::join!(tokio::spawn(first), tokio::spawn(second))
        };
        let mut statuses = [statuses.0.unwrap(), statuses.1.unwrap()];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "race {race}");
        let (_, after) = one.get(&format!("/applications/{id}")).await;
        withdrawn += usize::from(after["state"] == "withdrawn");
        // Received, claimed, and one end.
        assert_eq!(after["application"]["history"].as_array().unwrap().len(), 3, "{after}");
    }
    println!("{races} races, {withdrawn} won by the applicant");
    let filed = races + 1;
    let mails = site.query(
        "SELECT count(*) FROM outbox WHERE message LIKE '%\"approved\"%' OR message LIKE '%\"rejected\"%' \
         OR message LIKE '%\"withdrawn\"%'",
    );
    assert_eq!(mails, filed.to_string(), "one mail for each end");
    intact(&site);
    site.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_on_sqlite() {
    decisions(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_on_postgres() {
    decisions(Site::postgres(2).await).await;
}

/// Where it takes two: who proposed never approves, wherever it is tried; of what others do at once one thing gets through.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_officer_approves() {
    let nodes = Nodes::start_with(2, &[("IDCHECK_REVIEW__TWO_OFFICERS", "true")], None).await;
    let site = Site::Postgres(Box::new(nodes));
    let (one, two) = (site.reviewer(1).await, site.reviewer(2).await.at(&site.other_url()));
    let (mut approved, mut returned) = (0, 0);
    for company in 0..site.companies() {
        let applicant = site.applicant(company);
        let filed = applicant.done("apply", &Applicant::application()).await;
        let path = format!("/applications/{}", filed["application"]["id"].as_str().unwrap());
        let state = propose(&one, &path).await;
        // The applicant is told of a review, and not of what officers say to each other.
        let told = applicant.done("progress", &json!({})).await;
        assert_eq!(told["applications"][0]["state"], "underReview");
        assert!(!told.to_string().contains("請先測試"), "{told}");
        let mut sent = JoinSet::new();
        for (officer, step, mine) in [
            (one.clone(), "approve", true),
            (one.at(&site.other_url()), "approve", true),
            (two.clone(), "approve", false),
            (two.at(&site.url()), "approve", false),
            (two.clone(), "return-to-review", false),
        ] {
            let (path, body) = (format!("{path}/{step}"), json!({"version": state}));
            sent.spawn(async move { (officer.post(&path, Some(body)).await.0, mine) });
        }
        let mut done = 0;
        while let Some(answer) = sent.join_next().await {
            let (status, mine) = answer.unwrap();
            assert!(status == 409 || (status == 200 && !mine), "{status} for {mine}");
            done += usize::from(status == 200);
        }
        assert_eq!(done, 1);
        match two.get(&path).await.1["state"].as_str() {
            Some("approved") => approved += 1,
            Some("underReview") => returned += 1,
            state => panic!("{state:?}"),
        }
    }
    println!("{approved} approved, {returned} returned");
    let mails = site.query("SELECT count(*) FROM outbox WHERE message LIKE '%\"approved\"%'");
    assert_eq!(mails, approved.to_string());
    intact(&site);
    site.close();
}

/// Claims the case, is refused to approve it alone, proposes it; the version that waits for the second officer.
async fn propose(officer: &Officer, path: &str) -> Value {
    let (_, claimed) = officer.post(&format!("{path}/claim"), None).await;
    let body = json!({"version": claimed["version"]});
    let (status, alone) = officer.post(&format!("{path}/approve"), Some(body)).await;
    assert_eq!((status, &alone["type"]), (409, &json!("/problems/not-proposed")), "{alone}");
    let body = json!({"note": "請先測試", "version": claimed["version"]});
    let (status, proposed) = officer.post(&format!("{path}/propose-approval"), Some(body)).await;
    assert_eq!((status, &proposed["state"]), (200, &json!("approvalProposed")), "{proposed}");
    proposed["version"].clone()
}

/// 注意事項 八: a suspension is in force before its reply on the node that did it, and within a second elsewhere;
/// no query recorded after it is answered.
async fn suspension(site: Site) {
    let officer = site.reviewer(1).await;
    let (applicant, caller) = site.admitted(0, &officer).await;
    let person = site.person(0);
    let elsewhere = site.other_url();
    assert_eq!(caller.ask(&elsewhere, &person).await, "1");
    let consent = json!({"noticeVersion": "108-06", "conductVersion": "108-06"});
    let filed = applicant.done("suspend", &json!({"reason": "系統停用", "consent": consent})).await;
    let id = filed["application"]["id"].as_str().unwrap().to_owned();

    let (asking, url, same) = (caller.clone(), elsewhere.clone(), person.clone());
    let load = tokio::spawn(async move {
        let mut last = Instant::now();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            let reply = asking.send(&url, &asking.token(&same)).await;
            if reply.status == 403 {
                return Some(last);
            }
            last = Instant::now();
        }
        None
    });
    officer.approve(&id).await;
    let decided = Instant::now();
    let here = caller.send(&site.url(), &caller.token(&person)).await;
    assert_eq!((here.status, here.message.as_str()), (403, "access suspended or revoked"));
    let last_answer = load.await.unwrap().unwrap_or_else(|| panic!("never refused"));
    let late = last_answer.saturating_duration_since(decided);
    println!("the last answer elsewhere came {late:?} after the decision's reply");
    assert!(late < Duration::from_secs(1), "{late:?}");
    intact(&site);
    site.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn suspension_on_sqlite() {
    suspension(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn suspension_on_postgres() {
    suspension(Site::postgres(2).await).await;
}

/// A user reaches the threshold while batches of two processes run, and both count: one suspension, one mail, and in the order of
/// the chain no answer but result 8 after it and none before.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_suspended_between_two_batches() {
    let settings = [("IDCHECK_ABUSE__USER_WRONG", "40")];
    let site = Site::Postgres(Box::new(Nodes::start_with(2, &settings, None).await));
    let officer = site.reviewer(1).await;
    let (_, caller) = site.admitted(0, &officer).await;
    let (begun, mut seen) = (Instant::now(), BTreeMap::<String, usize>::new());
    for round in 0.. {
        let persons = (0..40).map(|place| site.person((round * 40 + place) % 900));
        let tokens = persons.enumerate().map(|(place, person)| {
            if place % 2 == 0 { caller.token(&Caller::wrong(&person)) } else { caller.token(&person) }
        });
        for (answer, count) in storm(&caller, &site.urls(), tokens.collect()).await {
            *seen.entry(answer).or_default() += count;
        }
        if seen.get("8").is_some_and(|suspended| *suspended > 200) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_mins(2), "never suspended: {seen:?}");
    }
    let suspended = "FROM audit_chain WHERE body LIKE '%user.suspend%'";
    assert_eq!(site.query(&format!("SELECT count(*) {suspended}")), "1");
    assert_eq!(site.query("SELECT count(*) FROM suspended_users"), "1");
    assert_eq!(site.query("SELECT count(*) FROM outbox WHERE message LIKE '%userSuspended%'"), "1");
    let at = site.query(&format!("SELECT min(seq) {suspended}"));
    let records = |rule: &str| {
        site.query(&format!("SELECT count(*) FROM verification_records WHERE user_id = 'user1' AND {rule}"))
    };
    assert_eq!(records(&format!("seq < {at} AND outcome = '8'")), "0");
    assert_eq!(records(&format!("seq > {at} AND outcome <> '8'")), "0");
    println!("{seen:?}; {} records before the suspension", records(&format!("seq < {at}")));
    intact(&site);
    site.close();
}

/// One key, registered by the same company over two processes at once, is registered once; withdrawn, it is refused however often it
/// is brought.
#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_registered_once() {
    let site = Site::postgres(2).await;
    let officer = site.reviewer(1).await;
    let (applicant, _) = site.admitted(0, &officer).await;
    let key = json!({"publicKeyPem": Signer::new().public_pem, "profile": "legacy", "label": "主機二"});
    let bring = async || {
        let mut acts = JoinSet::new();
        for url in site.urls().into_iter().cycle().take(12) {
            let (applicant, key) = (applicant.at(&url), key.clone());
            acts.spawn(async move { applicant.act("registerKey", &key).await });
        }
        let answers = acts.join_all().await;
        let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(status, _)| *status == 200);
        for (status, problem) in &refused {
            assert_eq!((*status, &problem["type"]), (409, &json!("/problems/key-known")), "{problem}");
        }
        done
    };
    let done = bring().await;
    assert_eq!(done.len(), 1);
    applicant.done("revokeKey", &json!({"keyId": done[0].1["result"]["key"]["id"]})).await;
    assert_eq!(bring().await.len(), 0);
    intact(&site);
    site.close();
}
