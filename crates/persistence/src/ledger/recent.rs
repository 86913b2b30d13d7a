//! What this process recorded lately, still in memory: it is counted from here instead of being read again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::NaiveDate;
use idcheck_domain::{key::Environment, outcome::RecordedOutcome};
use idcheck_usecases::ports::LedgerAnswer;

use crate::{chain::Head, kernel::cell::micros, ledger::batch::Asked};

/// Queries that are kept at most, some 300 bytes each; what was not counted by then is read.
const KEPT: usize = 50_000;

/// A record as it is counted.
pub(crate) struct Counted<'r> {
    pub(crate) ubn: &'r str,
    /// Empty where the query did not say.
    pub(crate) user: &'r str,
    pub(crate) production: bool,
    pub(crate) day: NaiveDate,
    pub(crate) at: i64,
    /// The word of what became of it.
    pub(crate) word: &'r str,
    /// None of a word that only a newer version knows.
    pub(crate) outcome: Option<RecordedOutcome>,
    pub(crate) person: Option<&'r [u8]>,
    pub(crate) neighbours: Option<&'r [u8]>,
}

/// One entry of the chain with its queries, in the order of their records.
pub(crate) struct Recorded {
    pub(crate) head: Head,
    batch: Vec<Asked>,
    answers: Vec<LedgerAnswer>,
}

impl Recorded {
    /// Its records behind a position, each with its own.
    pub(crate) fn behind(&self, position: i32) -> impl Iterator<Item = (i32, Counted<'_>)> {
        let recorded = self.batch.iter().zip(&self.answers);
        let recorded = recorded.filter_map(|(asked, answer)| Some((asked, asked.outcome(*answer)?)));
        (0..).zip(recorded).filter(move |(at, _)| *at > position).map(|(at, (asked, outcome))| {
            let counted = Counted {
                ubn: asked.entry.ubn.as_str(),
                user: &asked.entry.user_id,
                production: asked.entry.environment == Environment::Production,
                day: asked.day,
                at: micros(asked.entry.at),
                word: outcome.as_str(),
                outcome: Some(outcome),
                person: asked.keys.as_ref().map(|keys| &keys.person[..]),
                neighbours: asked.neighbours(outcome),
            };
            (at, counted)
        })
    }
}

/// Every record of the entries behind one, as long as nobody else appended any between.
#[derive(Default)]
struct Run {
    /// Whether anybody counts in this process.
    wanted: bool,
    /// The entry before the first.
    after: i64,
    entries: VecDeque<Arc<Recorded>>,
    queries: usize,
}

/// Shared by the ledger, which adds to it, and by who counts.
#[derive(Clone, Default)]
pub(crate) struct Recent(Arc<Mutex<Run>>);

impl Recent {
    /// Adds an entry that was appended.
    pub(crate) fn add(&self, head: Head, batch: Vec<Asked>, answers: Vec<LedgerAnswer>) {
        let mut run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !run.wanted {
            return;
        }
        if run.entries.back().is_none_or(|last| last.head.seq + 1 != head.seq) {
            *run = Run { after: head.seq - 1, wanted: true, ..Run::default() };
        }
        run.queries += batch.len();
        run.entries.push_back(Arc::new(Recorded { head, batch, answers }));
        while run.queries > KEPT && run.forget_first() {}
    }

    /// Forgets everything: the chain does not have it.
    pub(crate) fn forget(&self) {
        let mut run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *run = Run { wanted: run.wanted, ..Run::default() };
    }

    /// The entries with the records behind a position of an entry, those of `records` records at most but one entry at
    /// least; none where they are not all here. What is before it was counted, and is forgotten.
    pub(crate) fn behind(&self, seq: i64, records: usize) -> Vec<Arc<Recorded>> {
        let mut run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        run.wanted = true;
        if seq <= run.after {
            return Vec::new();
        }
        while run.entries.front().is_some_and(|first| first.head.seq < seq) && run.forget_first() {}
        let mut taken = Vec::new();
        let mut queries = 0;
        for entry in &run.entries {
            taken.push(Arc::clone(entry));
            queries += entry.batch.len();
            if queries >= records {
                break;
            }
        }
        taken
    }
}

impl Run {
    fn forget_first(&mut self) -> bool {
        let Some(first) = self.entries.pop_front() else { return false };
        self.after = first.head.seq;
        self.queries -= first.batch.len();
        true
    }
}
