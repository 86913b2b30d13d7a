//! Searching the audit entries of the hash chain.

mod subjects;

use std::collections::HashMap;

use async_trait::async_trait;
use idcheck_domain::value::UnifiedBusinessNumber;
use idcheck_usecases::ports::{
    AuditEntryFound, AuditFilter, AuditLine, AuditLog, ChainStatus, KnownSubject, StoreError,
};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use crate::{
    chain::{self, ChainReport},
    kernel::{
        cell::{corrupt, instant, micros},
        store::{Store, unavailable},
    },
};

/// A member of an entry's body, in the words of the database, as the indexes have it. Nothing for what is no entry of ours:
/// the body of a batch is no JSON. Identities and actions hold no quotes.
pub(crate) fn member(backend: DbBackend, name: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("(substring(body from '\"{name}\":\"([^\"]*)\"') COLLATE \"C\")"),
        _ => format!("(CASE WHEN kind = 'audit' THEN json_extract(body, '$.{name}') END)"),
    }
}

/// Behind every text that begins with what stands before it.
const LAST: char = '\u{10FFFF}';

/// The conditions of a filter, and what is set into them.
fn conditions(backend: DbBackend, filter: &AuditFilter) -> (Vec<String>, Vec<Value>) {
    let mut values = Vec::<Value>::new();
    let mut set = |condition: &str, value: Value| {
        values.push(value);
        format!("{condition} ${}", values.len())
    };
    let mut asked = vec!["kind = 'audit'".to_owned()];
    asked.extend(filter.before.map(|seq| set("seq <", seq.into())));
    asked.extend(filter.from.map(|at| set("at >=", micros(at).into())));
    asked.extend(filter.until.map(|at| set("at <", micros(at).into())));
    let actor = format!("{} =", member(backend, "actor"));
    asked.extend(filter.actor.as_ref().map(|text| set(&actor, text.clone().into())));
    if !filter.about.is_empty() {
        let subject = format!("{} =", member(backend, "subject"));
        let itself = filter.about.iter().filter(|about| about.starts_with("organisation:"));
        let any =
            filter.about.iter().map(|about| (&subject, about)).chain(itself.map(|about| (&actor, about)));
        let any: Vec<_> = any.map(|(member, about)| set(member, about.clone().into())).collect();
        asked.push(format!("({})", any.join(" OR ")));
    }
    if let Some(begin) = &filter.action {
        // Not LIKE: its wildcards could be typed.
        let member = member(backend, "action");
        asked.push(set(&format!("{member} >="), begin.clone().into()));
        asked.push(set(&format!("{member} <"), format!("{begin}{LAST}").into()));
    }
    (asked, values)
}

fn line(row: &QueryResult) -> Result<AuditLine, StoreError> {
    let text = |column| row.try_get::<String>("", column).map_err(unavailable);
    let at: i64 = row.try_get("", "at").map_err(unavailable)?;
    let entry = chain::audit_entry(&text("body")?).ok_or_else(|| corrupt("audit_chain", "body"))?;
    Ok(AuditLine {
        seq: row.try_get("", "seq").map_err(unavailable)?,
        at: instant("audit_chain", "at", at)?,
        entry,
    })
}

#[async_trait]
impl AuditLog for Store {
    async fn search(&self, filter: &AuditFilter) -> Result<Vec<AuditLine>, StoreError> {
        let backend = self.reader.get_database_backend();
        let (asked, mut values) = conditions(backend, filter);
        values.push(i64::from(filter.limit).into());
        let sql = format!(
            "SELECT seq, at, body FROM audit_chain WHERE {} ORDER BY seq DESC LIMIT ${}",
            asked.join(" AND "),
            values.len()
        );
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let rows = self.reader.query_all_raw(statement).await.map_err(unavailable)?;
        rows.iter().map(line).collect()
    }

    async fn entry(&self, seq: i64) -> Result<Option<AuditEntryFound>, StoreError> {
        let sql = "SELECT seq, at, body, hash FROM audit_chain WHERE kind = 'audit' AND seq = $1";
        let backend = self.reader.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [seq.into()]);
        let row = self.reader.query_one_raw(statement).await.map_err(unavailable)?;
        let found = |row: QueryResult| {
            let hash = row.try_get("", "hash").map_err(unavailable)?;
            Ok(AuditEntryFound { line: line(&row)?, hash })
        };
        row.map(found).transpose()
    }

    async fn known(&self, identities: &[String]) -> Result<HashMap<String, KnownSubject>, StoreError> {
        self.known_subjects(identities).await
    }

    async fn identities_of(&self, ubn: UnifiedBusinessNumber) -> Result<Vec<String>, StoreError> {
        self.own_identities(ubn).await
    }

    async fn status(&self, entries: u32) -> Result<ChainStatus, StoreError> {
        let head = chain::end(&self.reader).await.map_err(unavailable)?;
        let walked_from = (head - i64::from(entries) + 1).max(1);
        let report = self.verify_chain(walked_from).await?;
        Ok(ChainStatus { head, walked_from, first_bad: report.first_bad.map(|(seq, _)| seq) })
    }
}

impl Store {
    /// The number of the hash chain's last entry; 0 of an empty one.
    ///
    /// # Errors
    /// The store's.
    pub async fn chain_end(&self) -> Result<i64, StoreError> {
        chain::end(&self.reader).await.map_err(unavailable)
    }

    /// Walks the hash chain from entry `from`, the first being 1, to its head; the entry before is taken as right.
    ///
    /// # Errors
    /// The store's. What is wrong with the chain is in the report.
    pub async fn verify_chain(&self, from: i64) -> Result<ChainReport, StoreError> {
        self.verify_chain_showing(from, |_, _| {}).await
    }

    /// The same; `progress` is told the number of each page's last entry, and the head's.
    ///
    /// # Errors
    /// The store's.
    pub async fn verify_chain_showing(
        &self,
        from: i64,
        progress: impl FnMut(i64, i64) + Send,
    ) -> Result<ChainReport, StoreError> {
        let removed = self.records_removed().await?;
        chain::verify(&self.reader, from, removed, progress).await.map_err(unavailable)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use idcheck_usecases::ports::{AuditAction, AuditActor, AuditEntry, AuditSubject, RecordedEntry};

    use super::*;

    #[test]
    fn a_body_is_read_as_it_was_written() {
        let entry =
            AuditEntry::new(AuditActor::Operator, AuditAction::CalendarImport, AuditSubject::Calendar(2027));
        let read = chain::audit_entry(&chain::audit_body(&entry.detail("role:\"x\""))).unwrap();
        let RecordedEntry { actor, action, subject, detail } = read;
        assert_eq!(
            [actor, action, subject, detail],
            ["operator", "calendar.import", "calendar:2027", "role:\"x\""]
        );
        assert_eq!(chain::audit_entry("records=1 digest=00"), None);
    }
}
