//! Searching the audit entries of the hash chain.

use async_trait::async_trait;
use idcheck_usecases::ports::{AuditFilter, AuditLine, AuditLog, ChainStatus, StoreError};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};

use super::{Store, unavailable};
use crate::{
    chain,
    rows::{corrupt, instant, micros},
};

/// A member of an entry's body, in the words of the database.
fn member(backend: DbBackend, name: &str) -> String {
    match backend {
        DbBackend::Postgres => format!("(body::json ->> '{name}')"),
        _ => format!("json_extract(body, '$.{name}')"),
    }
}

/// The conditions of a filter: those on the key and the time, those on the body, and what is set into both.
fn conditions(backend: DbBackend, filter: &AuditFilter) -> (Vec<String>, Vec<String>, Vec<Value>) {
    let mut values = Vec::<Value>::new();
    let mut set = |condition: &str, value: Value| {
        values.push(value);
        format!("{condition} ${}", values.len())
    };
    let mut places = Vec::new();
    places.extend(filter.before.map(|seq| set("seq <", seq.into())));
    places.extend(filter.from.map(|at| set("at >=", micros(at).into())));
    places.extend(filter.until.map(|at| set("at <", micros(at).into())));
    let mut bodies = Vec::new();
    for (name, asked) in [("actor", &filter.actor), ("subject", &filter.subject)] {
        let is = format!("{} =", member(backend, name));
        bodies.extend(asked.as_ref().map(|text| set(&is, text.clone().into())));
    }
    if let Some(action) = &filter.action {
        // Not LIKE: its wildcards could be typed.
        let begins = format!("substr({}, 1, {}) =", member(backend, "action"), action.chars().count());
        bodies.push(set(&begins, action.clone().into()));
    }
    (places, bodies, values)
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
        let (mut asked, bodies, mut values) = conditions(backend, filter);
        values.push(i64::from(filter.limit).into());
        // The kind is looked at before the body is read as JSON: that of a batch is none.
        asked.push(match bodies.as_slice() {
            [] => "kind = 'audit'".to_owned(),
            all => format!("CASE WHEN kind = 'audit' THEN {} ELSE false END", all.join(" AND ")),
        });
        let sql = format!(
            "SELECT seq, at, body FROM audit_chain WHERE {} ORDER BY seq DESC LIMIT ${}",
            asked.join(" AND "),
            values.len()
        );
        let statement = Statement::from_sql_and_values(backend, sql, values);
        let rows = self.reader.query_all_raw(statement).await.map_err(unavailable)?;
        rows.iter().map(line).collect()
    }

    async fn status(&self, entries: u32) -> Result<ChainStatus, StoreError> {
        let head = chain::end(&self.reader).await.map_err(unavailable)?;
        let walked_from = (head - i64::from(entries) + 1).max(1);
        let report = self.verify_chain(walked_from).await?;
        Ok(ChainStatus { head, walked_from, first_bad: report.first_bad.map(|(seq, _)| seq) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use idcheck_usecases::ports::AuditEntry;

    use super::*;

    #[test]
    fn a_body_is_read_as_it_was_written() {
        let text = |text: &str| text.to_owned();
        let entry = AuditEntry {
            actor: text("operator"),
            action: text("officer.add"),
            subject: text("officer:1"),
            detail: text("role:\"x\""),
        };
        assert_eq!(chain::audit_entry(&chain::audit_body(&entry)).unwrap(), entry);
        assert_eq!(chain::audit_entry("records=1 digest=00"), None);
    }
}
