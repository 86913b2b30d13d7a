//! What the tables hold of the state, read alike from both databases: rows of one shape.

use chrono::NaiveDate;
use idcheck_domain::{key::Environment, lockout::Strikes, value::UnifiedBusinessNumber};

use crate::ledger::{batch::DayCount, state::Tail};

/// A row: what it tells of, and its fields, those that it has no use for being empty.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) what: i64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) first: String,
    pub(crate) second: String,
    pub(crate) day: String,
    pub(crate) queries: i64,
    pub(crate) wrong: i64,
}

const BEFORE: i64 = 1;
const ACTS: i64 = 2;
const DAY: i64 = 3;
const STRIKE: i64 = 4;
const EPOCH: i64 = 5;
const ACTIVE: i64 = 6;
const SUSPENDED: i64 = 7;

/// `none` is how the database writes no bytes; `each` and `one` are what makes it look a row up by its key for each row before it,
/// whatever its statistics say of tables that grow.
macro_rules! statements {
    ($whole:ident, $since:ident, $callers:ident, $none:literal, $each:literal, $one:literal) => {
        /// Every count since day `$1`.
        pub(crate) const $whole: &str = concat!(
            "SELECT CAST(3 AS bigint), ",
            $none,
            ", ubn, environment, day, CAST(queries AS bigint), CAST(wrong AS bigint) \
             FROM organisation_days WHERE day >= $1 \
             UNION ALL SELECT CAST(4 AS bigint), person_hash, '', environment, day, CAST(0 AS bigint), \
             CAST(wrong AS bigint) FROM strikes WHERE day >= $1"
        );
        /// The hash of entry `$1`, whether an act came after it, and the counts since day `$2` that a later entry changed.
        pub(crate) const $since: &str = concat!(
            "SELECT CAST(1 AS bigint), hash, '', '', '', CAST(0 AS bigint), CAST(0 AS bigint) \
             FROM audit_chain WHERE seq = $1 \
             UNION ALL SELECT CAST(2 AS bigint), ",
            $none,
            ", '', '', '', CAST(0 AS bigint), CAST(0 AS bigint) \
             WHERE EXISTS (SELECT 1 FROM audit_chain WHERE seq > $1 AND kind <> 'batch') \
             UNION ALL SELECT CAST(3 AS bigint), ",
            $none,
            ", t.ubn, t.environment, t.day, CAST(t.queries AS bigint), CAST(t.wrong AS bigint) \
             FROM (SELECT DISTINCT ubn, environment FROM verification_records WHERE seq > $1) r ",
            $each,
            " organisation_days t WHERE t.ubn = r.ubn AND t.environment = r.environment AND t.day >= $2",
            $one,
            " UNION ALL SELECT CAST(4 AS bigint), t.person_hash, '', t.environment, t.day, CAST(0 AS bigint), \
             CAST(t.wrong AS bigint) \
             FROM (SELECT DISTINCT person_hash, environment FROM verification_records \
             WHERE seq > $1 AND outcome IN ('2', '3', '4')) r ",
            $each,
            " strikes t WHERE t.person_hash = r.person_hash AND t.environment = r.environment AND t.day >= $2",
            $one
        );
        pub(crate) const $callers: &str = concat!(
            "SELECT CAST(5 AS bigint), ",
            $none,
            ", '', '', '', CAST(epoch AS bigint), CAST(0 AS bigint) FROM caller_epoch WHERE id = 1 \
             UNION ALL SELECT CAST(6 AS bigint), ",
            $none,
            ", ubn, '', '', CAST(0 AS bigint), CAST(0 AS bigint) FROM organisations WHERE access = 'active' \
             UNION ALL SELECT CAST(7 AS bigint), ",
            $none,
            ", ubn, user_id, '', CAST(0 AS bigint), CAST(0 AS bigint) FROM suspended_users"
        );
    };
}

statements!(
    WHOLE_POSTGRES,
    SINCE_POSTGRES,
    CALLERS_POSTGRES,
    "''::bytea",
    "CROSS JOIN LATERAL (SELECT * FROM",
    " OFFSET 0) AS t"
);
statements!(WHOLE_SQLITE, SINCE_SQLITE, CALLERS_SQLITE, "x''", "CROSS JOIN", "");

/// Puts rows where they belong. A key that can't be read is one that nobody asks for: its row is left out.
pub(crate) fn take(tail: &mut Tail, rows: Vec<Told>) {
    for row in rows {
        if place(tail, row).is_none() {
            tracing::error!("a row of the ledger's state can't be read");
        }
    }
}

fn place(tail: &mut Tail, row: Told) -> Option<()> {
    let ubn = || UnifiedBusinessNumber::parse(&row.first).ok();
    let day = || row.day.parse::<NaiveDate>().ok();
    let environment = || Environment::parse(&row.second).map(Environment::as_str);
    match row.what {
        BEFORE => tail.before = row.bytes,
        ACTS => tail.acts = true,
        DAY => {
            let count = DayCount { queries: row.queries, wrong: row.wrong };
            tail.days.push(((ubn()?, environment()?, day()?), count));
        }
        STRIKE => {
            let strikes = Strikes::from_count(u8::try_from(row.wrong).unwrap_or(u8::MAX));
            let (environment, day) = (environment()?, day()?);
            tail.strikes.push(((row.bytes.try_into().ok()?, environment, day), strikes));
        }
        EPOCH => tail.callers.get_or_insert_default().epoch = row.queries,
        ACTIVE => {
            let ubn = ubn()?;
            tail.callers.get_or_insert_default().active.insert(ubn);
        }
        SUSPENDED => {
            let ubn = ubn()?;
            tail.callers.get_or_insert_default().suspended.entry(ubn).or_default().insert(row.second);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use idcheck_domain::outcome::RecordedOutcome;

    use super::*;
    use crate::usage::tally::words;

    /// The statements are texts of the compiler's, so the words stand in them once more.
    #[test]
    fn wrong_answers_are_those_of_the_rule() {
        for sql in [SINCE_POSTGRES, SINCE_SQLITE] {
            assert!(sql.contains(&format!("outcome IN ({})", words(RecordedOutcome::is_wrong))), "{sql}");
        }
    }
}
