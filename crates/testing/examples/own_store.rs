//! A store of one's own: how a host that embeds the use cases shows that its adapter keeps the ports' contracts.
//!
//! `Memory` keeps templates, mails and the working calendar in maps. Its tests are one line a port: the contract suites of
//! this crate, the same that the store on SQLite and PostgreSQL passes. A change with anything that it can't keep is refused
//! whole, since half a change is what [`Changes`] forbids first.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use idcheck_domain::{
    calendar::WorkingCalendar,
    officer::{OfficerId, Role},
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};
use idcheck_testing::{FixedClock, SeededEntropy};
use idcheck_usecases::{
    ports::{
        AuditEntry, CalendarEdit, CalendarStore, Change, Changes, Clock, CommitError, MailError, Officer,
        Outbox, QueuedMail, ReasonTemplates, Redate, StoreError, StoredChallenge, Versioned, Waiting, Write,
    },
    template::{KeepTemplates, TemplateDraft},
};
use uuid::Uuid;

/// A mail in the outbox: due at a time, or given up, or gone.
struct Queued {
    mail: QueuedMail,
    due: Option<DateTime<Utc>>,
}

#[derive(Default)]
struct Tables {
    templates: Vec<Versioned<ReasonTemplate>>,
    outbox: Vec<Queued>,
    calendar: BTreeMap<i32, Vec<NaiveDate>>,
    edition: i64,
    audit: Vec<AuditEntry>,
}

/// Everything behind one lock: a transaction is the time for which it is held.
struct Memory {
    tables: Mutex<Tables>,
    clock: Arc<dyn Clock>,
}

impl Memory {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let templates = TemplateUse::ALL.into_iter().zip(1..).filter_map(|(used_for, number)| {
            let title = TemplateTitle::parse("一般").ok()?;
            let text = Reason::parse("{company}:{caseNumber}").ok()?;
            let id = TemplateId(Uuid::from_u128(number));
            let value = ReasonTemplate { id, used_for, title, text, in_use: true };
            Some(Versioned { value, version: 1 })
        });
        let tables = Tables { templates: templates.collect(), ..Tables::default() };
        Self { tables: Mutex::new(tables), clock }
    }

    /// A lock that a panicking thread left behind may guard half a change, so nothing is read or written any more.
    fn tables(&self) -> Result<MutexGuard<'_, Tables>, StoreError> {
        self.tables.lock().map_err(|_| StoreError::Unavailable)
    }
}

fn write_template(
    rows: &mut Vec<Versioned<ReasonTemplate>>,
    write: Write<ReasonTemplate>,
) -> Result<(), CommitError> {
    let id = write.value().id;
    let known = rows.iter_mut().find(|row| row.value.id == id);
    match (write, known) {
        (Write::Insert(value), None) => rows.push(Versioned { value, version: 1 }),
        (Write::Update { value, expected }, Some(row)) if row.version == expected => {
            *row = Versioned { value, version: expected + 1 };
        }
        _ => return Err(CommitError::Conflict),
    }
    Ok(())
}

#[async_trait]
impl Changes for Memory {
    async fn commit(&self, change: Change) -> Result<(), CommitError> {
        let Change { template, mail, audit, .. } = change.clone();
        let kept = Change {
            template: template.clone(),
            mail: mail.clone(),
            audit: audit.clone(),
            ..Change::default()
        };
        if kept != change {
            return Err(StoreError::Unavailable.into());
        }
        let queued_at = self.clock.now();
        let mut tables = self.tables()?;
        // The one step that can refuse comes first, so that a refusal leaves nothing behind.
        if let Some(write) = template {
            write_template(&mut tables.templates, write)?;
        }
        tables.outbox.extend(mail.into_iter().map(|mail| Queued {
            mail: QueuedMail {
                id: mail.id,
                to: mail.to,
                message: mail.message,
                queued_at,
                attempts: 0,
                failure: None,
            },
            due: Some(queued_at),
        }));
        tables.audit.extend(audit);
        Ok(())
    }

    async fn issue_challenge(&self, _: StoredChallenge, _: &Waiting) -> Result<bool, StoreError> {
        Err(StoreError::Unavailable)
    }

    async fn note(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.tables()?.audit.push(entry);
        Ok(())
    }
}

#[async_trait]
impl ReasonTemplates for Memory {
    async fn all(&self) -> Result<Vec<Versioned<ReasonTemplate>>, StoreError> {
        let mut all = self.tables()?.templates.clone();
        all.sort_by_key(|row| TemplateUse::ALL.iter().position(|used_for| *used_for == row.value.used_for));
        Ok(all)
    }
}

#[async_trait]
impl Outbox for Memory {
    async fn take(
        &self,
        now: DateTime<Utc>,
        lease_until: DateTime<Utc>,
        limit: u16,
    ) -> Result<Vec<QueuedMail>, StoreError> {
        let mut tables = self.tables()?;
        let due = tables.outbox.iter_mut().filter(|row| row.due.is_some_and(|due| due <= now));
        Ok(due
            .take(limit.into())
            .map(|row| {
                row.due = Some(lease_until);
                row.mail.clone()
            })
            .collect())
    }

    async fn sent(&self, id: Uuid, _: DateTime<Utc>) -> Result<(), StoreError> {
        self.tables()?.outbox.retain(|row| row.mail.id != id);
        Ok(())
    }

    async fn given_up(&self, limit: u16) -> Result<Vec<QueuedMail>, StoreError> {
        let tables = self.tables()?;
        let given_up = tables.outbox.iter().rev().filter(|row| row.due.is_none());
        Ok(given_up.take(limit.into()).map(|row| row.mail.clone()).collect())
    }

    async fn revive(&self, id: Uuid, at: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut tables = self.tables()?;
        let Some(row) = tables.outbox.iter_mut().find(|row| row.mail.id == id && row.due.is_none()) else {
            return Ok(false);
        };
        row.due = Some(at);
        row.mail.attempts = 0;
        Ok(true)
    }

    async fn failed(
        &self,
        id: Uuid,
        error: MailError,
        retry_at: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables()?;
        if let Some(row) = tables.outbox.iter_mut().find(|row| row.mail.id == id) {
            row.due = retry_at;
            row.mail.attempts += 1;
            row.mail.failure = Some(error);
        }
        Ok(())
    }
}

#[async_trait]
impl CalendarStore for Memory {
    async fn load(&self) -> Result<WorkingCalendar, StoreError> {
        let tables = self.tables()?;
        let mut calendar = WorkingCalendar::default().with_edition(tables.edition);
        for (year, days_off) in &tables.calendar {
            calendar.set_year(*year, days_off.iter().copied());
        }
        Ok(calendar)
    }

    /// This host keeps no cases, so nothing has a deadline that could move.
    async fn change(
        &self,
        edit: &CalendarEdit,
        _: &(dyn Redate + 'static),
    ) -> Result<Option<usize>, StoreError> {
        let mut calendar = self.load().await?;
        let year = match edit {
            CalendarEdit::Year { year, days_off } => {
                calendar.set_year(*year, days_off.iter().copied());
                *year
            }
            CalendarEdit::Day { day, off } => {
                if !calendar.set_day(*day, *off) {
                    return Ok(None);
                }
                day.year()
            }
        };
        let days_off = calendar.days_off(year).into_iter().flatten().collect();
        let mut tables = self.tables()?;
        tables.calendar.insert(year, days_off);
        tables.edition += 1;
        Ok(Some(0))
    }
}

/// An admin of the host adds a template through the use case; the store has it, and its audit entry.
async fn run(output: &mut impl io::Write) -> Result<(), Box<dyn std::error::Error>> {
    let clock = Arc::new(FixedClock::default());
    let store = Arc::new(Memory::new(clock.clone()));
    let templates =
        KeepTemplates::new(clock, Arc::new(SeededEntropy::default()), store.clone(), store.clone());
    let admin =
        Officer { id: OfficerId(Uuid::from_u128(7)), username: "admin".to_owned(), role: Role::Admin };
    let draft = TemplateDraft {
        used_for: TemplateUse::Reject,
        title: TemplateTitle::parse("用途未敘明")?,
        text: Reason::parse("用途未敘明法令依據")?,
        in_use: true,
    };
    templates.add(&admin, draft).await?;
    writeln!(output, "{} templates", templates.list(&admin).await?.len())?;
    for entry in &store.tables()?.audit {
        writeln!(output, "{} {}", entry.action, entry.detail)?;
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(&mut io::stdout().lock()).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use idcheck_testing::contract;

    use super::*;

    fn memory() -> Memory {
        Memory::new(Arc::new(FixedClock::default()))
    }

    #[tokio::test]
    async fn templates() {
        contract::template::suite(&memory()).await;
    }

    #[tokio::test]
    async fn mail() {
        contract::mail::suite(&memory()).await;
    }

    #[tokio::test]
    async fn calendar() {
        contract::calendar::suite(&memory()).await;
    }

    #[tokio::test]
    async fn what_it_cannot_keep_is_refused_whole() {
        let store = memory();
        let change = Change {
            reminder: Some("key".to_owned()),
            audit: idcheck_testing::builders::audit(),
            ..Change::default()
        };
        assert_eq!(store.commit(change).await, Err(CommitError::Store(StoreError::Unavailable)));
        assert!(store.tables().unwrap().audit.is_empty());
    }

    #[tokio::test]
    async fn a_use_case_runs_on_it() {
        let mut told = Vec::new();
        run(&mut told).await.unwrap();
        assert_eq!(String::from_utf8(told).unwrap(), "4 templates\ntemplate.add use:reject inUse:true\n");
    }
}
