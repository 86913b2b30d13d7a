//! The working calendar, and what a change of it moves.
//!
//! The chain's head is locked before anything is read: every other change locks it last, so what is read here is all there is,
//! and a deadline that is counted by the old calendar meanwhile is refused when it is written.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::NaiveDate;
use idcheck_domain::{
    application::{State, Step},
    calendar::WorkingCalendar,
};
use idcheck_usecases::ports::{
    CalendarEdit, CalendarStore, OutgoingMail, Redate, Redated, RunningDeadlines, StoreError, Versioned,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, Statement,
    sea_query::{Expr, OnConflict},
};

use crate::{
    application::{
        entity::{application, clarification},
        row::{application_of, history_model},
    },
    calendar::entity as calendar_year,
    chain, change as changes,
    kernel::{
        batch::{Cell, Column, Rows, table},
        cell::{corrupt, micros},
        store::{Store, unavailable},
    },
    mail::row::message_text,
    notice::{
        entity::{notice, notice_sending},
        row::notice_of,
    },
    organisation::{entity::organisation, row::organisation_of},
};

/// Cases with a deadline.
const OPEN: [&str; 4] = ["received", "underReview", "approvalProposed", "clarificationRequested"];

const CASES: [Column; 6] = [
    Column::Bytes("id"),
    Column::Integer("version"),
    Column::Text("due_date"),
    Column::Integer("provisional"),
    Column::Integer("days_left"),
    Column::Bytes("clarification_id"),
];
const HISTORY: [Column; 6] = [
    Column::Bytes("id"),
    Column::Integer("version"),
    Column::Text("action"),
    Column::Text("state"),
    Column::Text("text"),
    Column::Integer("at"),
];
const MAIL: [Column; 4] =
    [Column::Bytes("id"), Column::Text("recipient"), Column::Text("message"), Column::Integer("at")];

/// How a `UUID` is made of its bytes: SQLite keeps the bytes.
fn uuid(backend: DbBackend, column: &str) -> String {
    if backend == DbBackend::Postgres { format!("encode({column}, 'hex')::uuid") } else { column.to_owned() }
}

async fn calendar(db: &impl ConnectionTrait) -> Result<Result<WorkingCalendar, StoreError>, DbErr> {
    let sql = "SELECT edition FROM calendar_head WHERE id = 1";
    let edition = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let edition = edition.map(|row| row.try_get("", "edition")).transpose()?.unwrap_or_default();
    let mut calendar = WorkingCalendar::default().with_edition(edition);
    for row in calendar_year::Entity::find().all(db).await? {
        let Ok(days) = serde_json::from_str::<Vec<NaiveDate>>(&row.days_off) else {
            return Ok(Err(corrupt("calendar_years", "days_off")));
        };
        calendar.set_year(row.year, days);
    }
    Ok(Ok(calendar))
}

async fn execute(tx: &DatabaseTransaction, sql: String, rows: Rows) -> Result<u64, DbErr> {
    if rows.is_empty() {
        return Ok(0);
    }
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, rows.values());
    Ok(tx.execute_raw(statement).await?.rows_affected())
}

/// Everything with a deadline, and the organisations that it is of.
async fn running(tx: &DatabaseTransaction) -> Result<Result<RunningDeadlines, StoreError>, DbErr> {
    let cases = application::Entity::find().filter(application::Column::State.is_in(OPEN)).all(tx).await?;
    let asked = clarification::Entity::find()
        .filter(Expr::cust(
            "application_id IN (SELECT id FROM applications \
             WHERE state IN ('received', 'underReview', 'approvalProposed', 'clarificationRequested'))",
        ))
        .order_by_asc(clarification::Column::AskedAt)
        .all(tx)
        .await?;
    let mut asked_of: HashMap<_, Vec<_>> = HashMap::new();
    for row in asked {
        asked_of.entry(row.application_id).or_default().push(row);
    }
    let notices = notice::Entity::find().filter(notice::Column::State.eq("sent")).all(tx).await?;
    let sendings = notice_sending::Entity::find()
        .filter(Expr::cust("notice_id IN (SELECT id FROM notices WHERE state = 'sent')"))
        .order_by_asc(notice_sending::Column::Number)
        .all(tx)
        .await?;
    let mut sent: HashMap<_, Vec<_>> = HashMap::new();
    for row in sendings {
        sent.entry(row.notice_id).or_default().push(row);
    }
    let organisations = organisation::Entity::find()
        .filter(Expr::cust(
            "ubn IN (SELECT ubn FROM applications \
             WHERE state IN ('received', 'underReview', 'approvalProposed', 'clarificationRequested') \
             UNION SELECT ubn FROM notices WHERE state = 'sent')",
        ))
        .all(tx)
        .await?;
    let read = || {
        let mut running = RunningDeadlines::default();
        for row in cases {
            let asked = asked_of.remove(&row.id).unwrap_or_default();
            running.cases.push(application_of(row, &asked)?);
        }
        for row in &notices {
            running.notices.push(notice_of(row, &sent.remove(&row.id).unwrap_or_default())?);
        }
        for row in &organisations {
            let held = organisation_of(row, Vec::new())?.value;
            running.held.insert(held.ubn, (held.name, held.contact.email().clone()));
        }
        Ok(running)
    };
    Ok(read())
}

type Case = (Versioned<idcheck_domain::application::Application>, Step);

async fn write_cases(tx: &DatabaseTransaction, cases: &[Case]) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let (mut rows, mut lines) = (Rows::new(backend, &CASES), Rows::new(backend, &HISTORY));
    for (Versioned { value: case, version }, step) in cases {
        let Some(due) = case.state.due() else { continue };
        let (asked, days_left) = match &case.state {
            State::ClarificationRequested { open, .. } => (Some(open.id.0), i64::from(open.days_left)),
            _ => (None, -1),
        };
        let id = case.id.0.as_bytes();
        rows.push(&[
            Cell::Bytes(Some(id)),
            Cell::Integer(*version),
            Cell::Text(&due.date.to_string()),
            Cell::Integer(due.provisional.into()),
            Cell::Integer(days_left),
            Cell::Bytes(asked.as_ref().map(|asked| asked.as_bytes().as_slice())),
        ]);
        let line = history_model(case.id, version + 1, step);
        lines.push(&[
            Cell::Bytes(Some(id)),
            Cell::Integer(version + 1),
            Cell::Text(&line.action),
            Cell::Text(&line.to_state),
            Cell::Text(line.text.as_deref().unwrap_or_default()),
            Cell::Integer(line.at),
        ]);
    }
    let moved = table(backend, 1, &CASES);
    let id = uuid(backend, "i.id");
    let sql = format!(
        "UPDATE applications SET version = applications.version + 1, due_date = i.due_date, \
         due_provisional = (i.provisional = 1), \
         days_left = CASE WHEN i.days_left < 0 THEN applications.days_left ELSE i.days_left END \
         FROM {moved} WHERE applications.id = {id} AND applications.version = i.version"
    );
    let asked = uuid(backend, "i.clarification_id");
    let answers = format!(
        "UPDATE clarifications SET due_date = i.due_date, due_provisional = (i.provisional = 1) \
         FROM {moved} WHERE i.clarification_id IS NOT NULL AND clarifications.id = {asked}"
    );
    let values = rows.values();
    if cases.is_empty() {
        return Ok(());
    }
    let statement = |sql: String| Statement::from_sql_and_values(backend, sql, values.clone());
    let updated = tx.execute_raw(statement(sql)).await?.rows_affected();
    if usize::try_from(updated).ok() != Some(cases.len()) {
        // Nobody else can have come between: what is read and written here is behind the chain's head.
        return Err(DbErr::RecordNotUpdated);
    }
    tx.execute_raw(statement(answers)).await?;
    let history = format!(
        "INSERT INTO application_history (application_id, version, action, from_state, to_state, actor, at, text) \
         SELECT {id}, i.version, i.action, i.state, i.state, 'system', i.at, i.text FROM {}",
        table(backend, 1, &HISTORY)
    );
    execute(tx, history, lines).await.map(drop)
}

async fn write_mail(tx: &DatabaseTransaction, mail: &[OutgoingMail], now: i64) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let mut rows = Rows::new(backend, &MAIL);
    for mail in mail {
        rows.push(&[
            Cell::Bytes(Some(mail.id.as_bytes())),
            Cell::Text(mail.to.as_str()),
            Cell::Text(&message_text(&mail.message)),
            Cell::Integer(now),
        ]);
    }
    let sql = format!(
        "INSERT INTO outbox (id, recipient, message, queued_at, due_at, attempts) \
         SELECT {}, i.recipient, i.message, i.at, i.at, 0 FROM {}",
        uuid(backend, "i.id"),
        table(backend, 1, &MAIL)
    );
    execute(tx, sql, rows).await.map(drop)
}

impl Store {
    /// What a change of the calendar moves, in its transaction; none where it changes nothing.
    async fn redated(
        &self,
        tx: &DatabaseTransaction,
        edit: &CalendarEdit,
        redate: &(dyn Redate + 'static),
    ) -> Result<Option<Redated>, StoreError> {
        if tx.get_database_backend() == DbBackend::Postgres {
            // Before the head, as every change takes rows before the head, and in the order in which a change writes them:
            // there is no circle. SQLite has one writer.
            let gate = "LOCK TABLE applications, notices IN SHARE ROW EXCLUSIVE MODE";
            tx.execute_unprepared(gate).await.map_err(unavailable)?;
        }
        chain::lock_head(tx).await.map_err(unavailable)?;
        let mut known = calendar(tx).await.map_err(unavailable)??;
        let year = match edit {
            CalendarEdit::Year { year, days_off } => {
                known.set_year(*year, days_off.iter().copied());
                *year
            }
            CalendarEdit::Day { day, off } => {
                if !known.set_day(*day, *off) {
                    return Ok(None);
                }
                chrono::Datelike::year(day)
            }
        };
        let days_off: Vec<_> = known.days_off(year).into_iter().flatten().collect();
        let days_off = serde_json::to_string(&days_off).map_err(|_| StoreError::Unavailable)?;
        let row = calendar_year::Model { year, days_off }.into_active_model();
        let replace = OnConflict::column(calendar_year::Column::Year)
            .update_column(calendar_year::Column::DaysOff)
            .to_owned();
        let written =
            calendar_year::Entity::insert(row).on_conflict(replace).exec_without_returning(tx).await;
        written.map_err(unavailable)?;
        let next = "UPDATE calendar_head SET edition = edition + 1 WHERE id = 1";
        tx.execute_unprepared(next).await.map_err(unavailable)?;
        Ok(Some(redate.redate(&known, running(tx).await.map_err(unavailable)??)))
    }
}

#[async_trait]
impl CalendarStore for Store {
    async fn load(&self) -> Result<WorkingCalendar, StoreError> {
        calendar(&self.reader).await.map_err(unavailable)?
    }

    async fn change(
        &self,
        edit: &CalendarEdit,
        redate: &(dyn Redate + 'static),
    ) -> Result<Option<usize>, StoreError> {
        let tx = self.begin().await.map_err(unavailable)?;
        let Some(redated) = self.redated(&tx, edit, redate).await? else { return Ok(None) };
        let moved = redated.cases.len() + redated.notices.len();
        let written = async {
            write_cases(&tx, &redated.cases).await?;
            write_mail(&tx, &redated.mail, micros(self.clock.now())).await?;
            self.audit(&tx, &redated.audit).await
        };
        written.await.map_err(unavailable)?;
        for Versioned { value, version } in redated.notices {
            let write = idcheck_usecases::ports::Write::Update { value, expected: version };
            crate::notice::write(&tx, &write).await.map_err(|_| StoreError::Unavailable)?;
        }
        tx.commit().await.map_err(unavailable)?;
        changes::tell(&redated.audit);
        Ok(Some(moved))
    }
}

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "calendar_years")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub year: i32,
        /// A JSON list of days.
        pub days_off: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
