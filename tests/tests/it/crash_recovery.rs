//! SIGKILL at random moments, under queries and decisions: what was answered is there, and nothing happened by half.
//!
//! `IDCHECK_TEST_KILLS` sets how often (50 on each database here), `IDCHECK_TEST_SEED` repeats a campaign.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use idcheck_tests::{Applicant, Asked, Officer, Random, Site, ask, count_from, recorded, whole};
use serde_json::{Value, json};

/// Askers at work at once.
const ASKERS: u64 = 8;
/// Persons whom they ask about between two kills: few, so that strikes add up.
const PERSONS: usize = 12;
/// Persons to choose these from.
const ALL: usize = 900;

/// Files a case and has it decided, until told to stop; counts the decisions that were confirmed.
async fn decide(applicant: Applicant, officer: Officer, approve: bool, stop: Arc<AtomicBool>) -> u64 {
    let mut confirmed = 0;
    while !stop.load(Ordering::Relaxed) {
        confirmed += u64::from(decide_once(&applicant, &officer, approve).await.is_some());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    confirmed
}

/// `None` when an answer did not come. A case left open by an earlier kill is taken up where it was left.
async fn decide_once(applicant: &Applicant, officer: &Officer, approve: bool) -> Option<()> {
    let consent = json!({"noticeVersion": "108-06", "conductVersion": "108-06"});
    let content = json!({"hostAddresses": ["127.0.0.1"], "reason": "主機遷移", "consent": consent});
    let (status, filed) = applicant.try_act("changeAddress", &content).await?;
    let id = if status == 200 {
        filed["result"]["application"]["id"].as_str().unwrap().to_owned()
    } else {
        assert_eq!((status, &filed["type"]), (409, &json!("/problems/open-case")), "{filed}");
        let (_, progress) = applicant.try_act("progress", &json!({})).await?;
        let cases = progress["result"]["applications"].as_array().unwrap().clone();
        let open = |case: &&Value| case["state"] == "received" || case["state"] == "underReview";
        cases.iter().find(open)?["id"].as_str().unwrap().to_owned()
    };
    let (status, claimed) = officer.try_post(&format!("/applications/{id}/claim"), None).await?;
    assert_eq!(status, 200, "{claimed}");
    let (act, text) = if approve { ("approve", "note") } else { ("reject", "reason") };
    let body = json!({text: "已審", "version": claimed["version"]});
    let (status, decided) = officer.try_post(&format!("/applications/{id}/{act}"), Some(body)).await?;
    assert_eq!(status, 200, "{decided}");
    Some(())
}

/// One campaign.
async fn campaign(mut site: Site) {
    let mut random = Random::seeded("kills");
    let officers = [site.reviewer(1).await, site.reviewer(2).await];
    let (first, caller) = site.admitted(0, &officers[0]).await;
    let (second, _) = site.admitted(1, &officers[0]).await;
    let persons: Vec<Value> = (0..ALL).map(|number| site.person(number)).collect();
    let urls = site.urls();
    let mut all = Asked::default();
    let mut confirmed = 0;
    let kills = count_from("IDCHECK_TEST_KILLS", 50);
    for kill in 0..kills {
        let stop = Arc::new(AtomicBool::new(false));
        let now: Vec<_> = persons.iter().cycle().skip(kill * PERSONS % ALL).take(PERSONS).cloned().collect();
        let askers: Vec<_> = (0..ASKERS)
            .map(|_| {
                let own = Random::from(random.below(u64::MAX));
                tokio::spawn(ask(caller.clone(), urls.clone(), now.clone(), own, Arc::clone(&stop)))
            })
            .collect();
        let deciders = [(&first, &officers[0], true), (&second, &officers[1], false)].map(
            |(applicant, officer, approve)| {
                let url = &urls[usize::try_from(random.below(urls.len() as u64)).unwrap()];
                tokio::spawn(decide(applicant.at(url), officer.at(url), approve, Arc::clone(&stop)))
            },
        );
        tokio::time::sleep(Duration::from_micros(20_000 + random.below(400_000))).await;
        let node = usize::try_from(random.below(urls.len() as u64)).unwrap();
        site.kill(node);
        stop.store(true, Ordering::Relaxed);
        for asker in askers {
            all.add(asker.await.unwrap());
        }
        for decider in deciders {
            confirmed += decider.await.unwrap();
        }
        site.restart(node).await;
        whole(&site, &format!("after kill {kill}"));
    }
    let answered: u64 = all.answers.values().sum();
    println!(
        "{kills} kills: {answered} answers {:?}, {} lost; {confirmed} decisions",
        all.answers, all.unknown
    );
    recorded(&site, &all).unwrap();
    let decided = "SELECT count(*) FROM applications WHERE state IN ('approved', 'rejected')";
    let decided: u64 = site.query(decided).parse().unwrap();
    assert!(decided >= confirmed + 2, "{decided} decisions stand of {confirmed} confirmed");
    site.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_on_sqlite() {
    campaign(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_on_postgres() {
    campaign(Site::postgres(2).await).await;
}
