//! Queries under load while something dies, and what must be there afterwards.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;

use crate::{Caller, Random, Site};

/// What came back, by result; and how many queries have no answer: the connection ended, or the node said 503. Nothing is
/// promised about their records.
#[derive(Default)]
pub struct Asked {
    pub answers: BTreeMap<String, u64>,
    pub unknown: u64,
}

impl Asked {
    /// These and those of another.
    pub fn add(&mut self, other: Self) {
        self.unknown += other.unknown;
        for (result, count) in other.answers {
            *self.answers.entry(result).or_default() += count;
        }
    }
}

/// Asks until told to stop.
pub async fn ask(
    caller: Caller,
    urls: Vec<String>,
    persons: Vec<Value>,
    mut random: Random,
    stop: Arc<AtomicBool>,
) -> Asked {
    let mut asked = Asked::default();
    while !stop.load(Ordering::Relaxed) {
        let node = usize::try_from(random.below(urls.len() as u64)).unwrap();
        let person = &persons[usize::try_from(random.below(persons.len() as u64)).unwrap()];
        let question = if random.below(4) == 0 { Caller::wrong(person) } else { person.clone() };
        match caller.try_send(&urls[node], &caller.token(&question)).await {
            Some(reply) if reply.status == 200 => *asked.answers.entry(reply.result).or_default() += 1,
            reply => {
                if let Some(reply) = reply {
                    assert_eq!(reply.status, 503, "{reply:?}");
                }
                asked.unknown += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
    asked
}

/// Every answer that was given has its record, and there are no more records than queries.
///
/// # Errors
/// What is missing, or is there too often.
pub fn recorded(site: &Site, asked: &Asked) -> Result<(), String> {
    for (result, count) in &asked.answers {
        let sql = format!("SELECT count(*) FROM verification_records WHERE outcome = '{result}'");
        let found: u64 = site.query(&sql).parse().unwrap();
        if found < *count || found > count + asked.unknown {
            return Err(format!(
                "result {result}: {count} answered, {} without an answer, {found} recorded",
                asked.unknown
            ));
        }
    }
    Ok(())
}

/// What must hold at any moment, whatever was killed.
pub fn whole(site: &Site, context: &str) {
    let (intact, printed) = site.audit();
    assert!(intact, "{context}: {printed}");
    let none = |what: &str, sql: &str| {
        assert_eq!(site.query(sql), "0", "{context}: {what}");
    };
    none(
        "a number whose strikes are not its wrong answers",
        "SELECT count(*) FROM strikes s WHERE s.wrong <> (SELECT count(*) FROM verification_records r \
         WHERE r.person_hash = s.person_hash AND r.outcome IN ('2', '3', '4'))",
    );
    none(
        "a wrong answer without a strike",
        "SELECT count(*) FROM verification_records r WHERE r.outcome IN ('2', '3', '4') AND NOT EXISTS \
         (SELECT 1 FROM strikes s WHERE s.person_hash = r.person_hash)",
    );
    none(
        "a case whose history does not end where it stands",
        "SELECT count(*) FROM applications a WHERE NOT EXISTS (SELECT 1 FROM application_history h \
         WHERE h.application_id = a.id AND h.version = a.version AND h.to_state = a.state)",
    );
    none(
        "a case without its mails: one for its receipt, one for its end",
        "SELECT count(*) FROM applications a WHERE \
         (SELECT count(*) FROM outbox o WHERE o.message LIKE '%\"' || a.case_number || '\"%') \
         <> CASE WHEN a.state IN ('approved', 'rejected') THEN 2 ELSE 1 END",
    );
}
