//! PostgreSQL itself is killed under queries, as a power cut kills it: what was answered is there after its recovery, and
//! the nodes go on by themselves.
//!
//! `IDCHECK_TEST_DATABASE_KILLS` sets how often, `IDCHECK_TEST_SEED` repeats a campaign. The same campaign over a database that
//! commits before it wrote, or that drops a record now and then, must fail: else it would prove nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use idcheck_tests::{Asked, Cluster, Nodes, Random, Site, ask, count_from, recorded, whole};
use serde_json::Value;

/// Askers at work at once.
const ASKERS: u64 = 8;
/// Persons to ask about; many, so that most answers say something.
const PERSONS: usize = 900;
/// A log that is written only when somebody asks for it shows who does not ask.
const LAZY_WRITER: &str = "wal_writer_delay = 10s";
/// How long until queries are answered again, from the start of the recovery.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// Kills the database so often; what is missing afterwards.
async fn campaign(mutant: Option<&str>, kills: usize) -> Result<(), String> {
    let cluster = Cluster::start(&[LAZY_WRITER]);
    let nodes = Nodes::start_on(&cluster.url, 2, &[], None).await;
    if let Some(sql) = mutant {
        cluster.run(nodes.database(), sql);
    }
    let site = Site::Postgres(Box::new(nodes));
    let mut random = Random::seeded("database kills");
    let officer = site.reviewer(1).await;
    let (_, caller) = site.admitted(0, &officer).await;
    let persons: Vec<Value> = (0..PERSONS).map(|number| site.person(number)).collect();
    let mut all = Asked::default();
    let mut outcome = Ok(());
    for kill in 0..kills {
        let stop = Arc::new(AtomicBool::new(false));
        let askers: Vec<_> = (0..ASKERS)
            .map(|_| {
                let own = Random::from(random.below(u64::MAX));
                tokio::spawn(ask(caller.clone(), site.urls(), persons.clone(), own, Arc::clone(&stop)))
            })
            .collect();
        tokio::time::sleep(Duration::from_micros(300_000 + random.below(500_000))).await;
        cluster.kill();
        stop.store(true, Ordering::Relaxed);
        for asker in askers {
            all.add(asker.await.unwrap());
        }
        cluster.begin();
        outcome = recorded(&site, &all);
        if outcome.is_err() {
            break;
        }
        let begun = Instant::now();
        for url in site.urls() {
            loop {
                let person = site.person(PERSONS + kill % 90);
                match caller.try_send(&url, &caller.token(&person)).await {
                    Some(reply) if reply.status == 200 => {
                        *all.answers.entry(reply.result).or_default() += 1;
                        break;
                    }
                    _ => all.unknown += 1,
                }
                assert!(begun.elapsed() < BACK_WITHIN, "{url} does not answer again");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        println!("kill {kill}: answered again {} ms after the recovery", begun.elapsed().as_millis());
        whole(&site, &format!("after kill {kill}"));
    }
    let answered: u64 = all.answers.values().sum();
    println!(
        "{kills} kills: {answered} answers {:?}, {} without an answer: {outcome:?}",
        all.answers, all.unknown
    );
    site.close();
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_outlives_the_database() {
    campaign(None, count_from("IDCHECK_TEST_DATABASE_KILLS", 4)).await.unwrap();
}

/// A trigger on every record.
fn on_each_record(body: &str) -> String {
    format!(
        "CREATE FUNCTION mutant() RETURNS trigger AS $$ BEGIN {body} END $$ LANGUAGE plpgsql; \
         CREATE TRIGGER mutant BEFORE INSERT ON verification_records FOR EACH ROW EXECUTE FUNCTION mutant()"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_does_not_wait_for_the_log_is_found_out() {
    let mutant = on_each_record("PERFORM set_config('synchronous_commit', 'off', true); RETURN NEW;");
    campaign(Some(&mutant), 20).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_dropped_is_found_out() {
    let mutant = on_each_record("IF random() < 0.05 THEN RETURN NULL; END IF; RETURN NEW;");
    campaign(Some(&mutant), 1).await.unwrap_err();
}
