//! Every answer of mixed traffic is the one that the rule gives: the records, in the order of the chain, are counted
//! through again by ten lines that know nothing of the server.
//!
//! `IDCHECK_TEST_ORACLE` sets how many seconds the traffic lasts (4 here).

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use idcheck_tests::{Caller, Random, Site, count_from};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Connections, and persons that they ask about: few enough that many are locked, and each is hit by several at once.
const CONNECTIONS: u64 = 64;
const PERSONS: u64 = 150;

/// What was asked by one user, who asks once: about whom, whether rightly, and what came back.
struct Asked {
    person: u64,
    right: bool,
    answer: Option<String>,
}

async fn connection(
    number: u64,
    mut random: Random,
    caller: Caller,
    url: String,
    persons: Arc<Vec<Value>>,
    until: Instant,
) -> Vec<(String, Asked)> {
    let mut asked = Vec::new();
    while Instant::now() < until {
        let (person, right) = (random.below(PERSONS), random.below(3) > 0);
        let known = &persons[usize::try_from(person).unwrap()];
        let mut claims = caller.claims(&if right { known.clone() } else { Caller::wrong(known) });
        let user = format!("c{number}q{}", asked.len());
        claims["userId"] = json!(user);
        let reply = caller.try_send(&url, &caller.signer.token(&claims)).await;
        // An answer is a result: a refusal is none.
        let answer = reply.map(|reply| reply.result).filter(|result| !result.is_empty());
        asked.push((user, Asked { person, right, answer }));
    }
    asked
}

/// The rule (注意事項 六): what each user of `order` is told, by day in Taipei and person.
fn replay(order: &[(&str, i64)], asked: &HashMap<String, Asked>) -> Vec<String> {
    let mut wrong: HashMap<(i64, u64), u32> = HashMap::new();
    let told = order.iter().map(|(user, day)| {
        let question = &asked[*user];
        let count = wrong.entry((*day, question.person)).or_default();
        match (*count, question.right) {
            (3, _) => "5".to_owned(),
            (_, true) => "1".to_owned(),
            (_, false) => {
                *count += 1;
                (*count + 1).to_string()
            }
        }
    });
    told.collect()
}

async fn answers_are_what_the_rule_gives(site: Site) {
    let officer = site.reviewer(1).await;
    let callers = [site.admitted(0, &officer).await.1, site.admitted(1, &officer).await.1];
    let persons: Arc<Vec<Value>> =
        Arc::new((0..PERSONS).map(|n| site.person(usize::try_from(n).unwrap())).collect());
    let until =
        Instant::now() + Duration::from_secs(count_from("IDCHECK_TEST_ORACLE", 4).try_into().unwrap());
    let mut random = Random::seeded("oracle");
    let (urls, mut connections) = (site.urls(), JoinSet::new());
    for number in 0..CONNECTIONS {
        let place = usize::try_from(number).unwrap();
        let (caller, url) = (callers[place % 2].clone(), urls[place % urls.len()].clone());
        let own = Random::from(random.below(u64::MAX));
        connections.spawn(connection(number, own, caller, url, Arc::clone(&persons), until));
    }
    let asked: HashMap<_, _> = connections.join_all().await.into_iter().flatten().collect();

    let line = "user_id || ':' || ((at / 1000000 + 28800) / 86400) || ':' || outcome";
    let sorted = format!(
        "SELECT {line} AS l FROM verification_records WHERE user_id LIKE 'c%' ORDER BY seq, position"
    );
    let joined = match &site {
        Site::Sqlite(_) => format!("SELECT group_concat(l, ' ') FROM ({sorted})"),
        Site::Postgres(_) => format!("SELECT string_agg(l, ' ') FROM ({sorted}) AS s"),
    };
    let records = site.query(&joined);
    let records: Vec<Vec<&str>> = records.split(' ').map(|record| record.split(':').collect()).collect();
    let order: Vec<_> = records.iter().map(|record| (record[0], record[1].parse().unwrap())).collect();
    let mut kinds: HashMap<&str, usize> = HashMap::new();
    for (record, expected) in records.iter().zip(replay(&order, &asked)) {
        let question = &asked[record[0]];
        assert_eq!(record[2], expected, "{} is recorded otherwise", record[0]);
        if let Some(answer) = &question.answer {
            assert_eq!(*answer, expected, "{} was told otherwise", record[0]);
        }
        *kinds.entry(record[2]).or_default() += 1;
    }
    let answered = asked.values().filter(|question| question.answer.is_some()).count();
    println!("{} records, {answered} of {} answered: {kinds:?}", records.len(), asked.len());
    assert!(records.len() >= answered, "an answer without its record");
    assert!(["1", "2", "3", "4", "5"].iter().all(|kind| kinds.contains_key(kind)), "{kinds:?}");
    let (intact, printed) = site.audit();
    assert!(intact, "{printed}");
    site.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite() {
    answers_are_what_the_rule_gives(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_three_nodes() {
    answers_are_what_the_rule_gives(Site::postgres(3).await).await;
}
