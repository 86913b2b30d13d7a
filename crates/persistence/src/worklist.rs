//! What waits for an officer, over the tables of cases, notices, revocations, plans, sweeps and mails. A list and its count ask the
//! same.

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use idcheck_domain::{
    abuse::AbuseRule,
    access::Ground,
    application::{ApplicationId, Kind, StateName},
    calendar::DueDate,
    notice::NoticeId,
    officer::OfficerId,
    sweep::SweepId,
    value::{CaseNumber, CompanyName, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{StoreError, Task, WaitsFor, WorkCounts, WorkItem, Worklists};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait, NullOrdering},
};
use uuid::Uuid;

use crate::{
    application::entity::application,
    kernel::{
        cell::{corrupt, date, instant},
        store::{Store, unavailable},
    },
    mail::entity::outbox,
    notice::entity::notice,
    organisation::entity::organisation,
    plan::entity as plan,
    revocation::entity as revocation,
    sweep::entity::{sweep, sweep_item},
};

/// A case that this officer can do something about, and that no other officer works on.
fn cases(of: WaitsFor) -> Condition {
    use application::Column::{Assignee, DueDate, ProposedBy, State};
    let own = || Condition::any().add(Assignee.is_null()).add(Assignee.eq(of.officer.0));
    let in_review = [StateName::Received, StateName::UnderReview].map(StateName::as_str);
    let unanswered =
        State.eq(StateName::ClarificationRequested.as_str()).and(DueDate.lt(of.today.to_string()));
    Condition::any()
        .add(Condition::all().add(State.is_in(in_review)).add(own()))
        .add(State.eq(StateName::ApprovalProposed.as_str()).and(ProposedBy.ne(of.officer.0)))
        .add(Condition::all().add(unanswered).add(own()))
}

fn notices(of: WaitsFor) -> Condition {
    use notice::Column::{DueDate, State};
    Condition::any()
        .add(State.is_in(["raised", "explained"]))
        .add(State.eq("sent").and(DueDate.lt(of.today.to_string())))
}

fn revocations(of: WaitsFor) -> Condition {
    use revocation::Column::{AskedBy, State};
    Condition::all().add(State.eq("asked")).add(AskedBy.ne(of.officer.0))
}

fn plans() -> Condition {
    Condition::all().add(plan::Column::State.eq("filed"))
}

/// The condition of its index, word by word.
fn found() -> Condition {
    Condition::all().add(Expr::cust("state = 'waiting' AND finding IS NOT NULL AND finding <> 'matches'"))
}

fn given_up() -> Condition {
    Condition::all().add(outbox::Column::SentAt.is_null()).add(outbox::Column::DueAt.is_null())
}

fn due(table: &'static str, text: Option<&str>, provisional: bool) -> Result<Option<DueDate>, StoreError> {
    let day = text.map(|text| date(table, "due_date", text)).transpose()?;
    Ok(day.map(|date: NaiveDate| DueDate { date, provisional }))
}

type About = (UnifiedBusinessNumber, CompanyName);

impl Store {
    async fn waiting_cases(&self, of: WaitsFor, limit: u64) -> Result<Vec<WorkItem>, StoreError> {
        const TABLE: &str = "applications";
        let query = application::Entity::find()
            .filter(cases(of))
            .order_by_asc(application::Column::DueDate)
            .order_by_asc(application::Column::ReceivedAt)
            .limit(limit);
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        let item = |row: application::Model| {
            let number = CaseNumber::parse(&row.case_number).ok_or_else(|| corrupt(TABLE, "case_number"))?;
            let task = Task::Case {
                id: ApplicationId(row.id),
                number,
                kind: Kind::parse(&row.kind).ok_or_else(|| corrupt(TABLE, "kind"))?,
                state: StateName::parse(&row.state).ok_or_else(|| corrupt(TABLE, "state"))?,
                assignee: row.assignee.map(OfficerId),
            };
            Ok(WorkItem {
                task,
                about: Some(about(TABLE, &row.ubn, &row.company_name)?),
                due: due(TABLE, row.due_date.as_deref(), row.due_provisional)?,
                since: Some(instant(TABLE, "received_at", row.received_at)?),
            })
        };
        rows.into_iter().map(item).collect()
    }

    async fn waiting_access(&self, of: WaitsFor, limit: u64) -> Result<Vec<Waiting>, StoreError> {
        let mut waiting = Vec::new();
        let found = notice::Entity::find()
            .filter(notices(of))
            .order_by_with_nulls(notice::Column::DueDate, Order::Asc, NullOrdering::Last)
            .order_by_asc(notice::Column::RaisedAt)
            .limit(limit);
        for row in found.all(&self.reader).await.map_err(unavailable)? {
            let rule = AbuseRule::parse(&row.rule).ok_or_else(|| corrupt("notices", "rule"))?;
            let due = due("notices", row.due_date.as_deref(), row.due_provisional)?;
            let since = instant("notices", "raised_at", row.raised_at)?;
            let task = Task::Notice { id: NoticeId(row.id), rule, state: row.state };
            waiting.push(Waiting { task, ubn: row.ubn, due, since });
        }
        if of.confirms {
            let asked = revocation::Entity::find()
                .filter(revocations(of))
                .order_by_asc(revocation::Column::AskedAt)
                .limit(limit);
            for row in asked.all(&self.reader).await.map_err(unavailable)? {
                let ground = Ground::parse(&row.ground).ok_or_else(|| corrupt("revocations", "ground"))?;
                let task = Task::Revocation { ground, asked_by: OfficerId(row.asked_by) };
                let since = instant("revocations", "asked_at", row.asked_at)?;
                waiting.push(Waiting { task, ubn: row.ubn, due: None, since });
            }
        }
        let filed = plan::Entity::find().filter(plans()).order_by_asc(plan::Column::FiledAt).limit(limit);
        for row in filed.all(&self.reader).await.map_err(unavailable)? {
            let since = instant("improvement_plans", "filed_at", row.filed_at)?;
            waiting.push(Waiting { task: Task::Plan, ubn: row.ubn, due: None, since });
        }
        Ok(waiting)
    }

    async fn waiting_sweeps(&self) -> Result<Vec<WorkItem>, StoreError> {
        let query = sweep_item::Entity::find()
            .select_only()
            .column(sweep_item::Column::SweepId)
            .column_as(sweep_item::Column::Ubn.count(), "waiting")
            .filter(found())
            .group_by(sweep_item::Column::SweepId);
        let rows: Vec<(Uuid, i64)> = query.into_tuple().all(&self.reader).await.map_err(unavailable)?;
        let ids = rows.iter().map(|(id, _)| *id);
        let begun = sweep::Entity::find().filter(sweep::Column::Id.is_in(ids));
        let begun = begun.all(&self.reader).await.map_err(unavailable)?;
        let begun: HashMap<_, _> = begun.into_iter().map(|row| (row.id, row.begun_at)).collect();
        let item = |(id, waiting): (Uuid, i64)| {
            let since = begun.get(&id).map(|at| instant("sweeps", "begun_at", *at)).transpose()?;
            let task = Task::Sweep { id: SweepId(id), waiting: waiting.unsigned_abs() };
            Ok(WorkItem { task, about: None, due: None, since })
        };
        rows.into_iter().map(item).collect()
    }
}

/// What waits about an organisation whose name is looked up.
struct Waiting {
    task: Task,
    ubn: String,
    due: Option<DueDate>,
    since: DateTime<Utc>,
}

fn about(table: &'static str, ubn: &str, name: &str) -> Result<About, StoreError> {
    let ubn = UnifiedBusinessNumber::parse(ubn).map_err(|_| corrupt(table, "ubn"))?;
    let name = CompanyName::parse(name).map_err(|_| corrupt(table, "company_name"))?;
    Ok((ubn, name))
}

#[async_trait]
impl Worklists for Store {
    async fn work(&self, of: WaitsFor, limit: u16) -> Result<Vec<WorkItem>, StoreError> {
        let mut items = self.waiting_cases(of, limit.into()).await?;
        let waiting = self.waiting_access(of, limit.into()).await?;
        let ubns = waiting.iter().map(|waiting| waiting.ubn.as_str());
        let held = organisation::Entity::find().filter(organisation::Column::Ubn.is_in(ubns));
        let held = held.all(&self.reader).await.map_err(unavailable)?;
        let names: HashMap<_, _> = held.into_iter().map(|row| (row.ubn, row.name)).collect();
        for Waiting { task, ubn, due, since } in waiting {
            let name = names.get(&ubn).ok_or_else(|| corrupt("organisations", "ubn"))?;
            let about = Some(about("organisations", &ubn, name)?);
            items.push(WorkItem { task, about, due, since: Some(since) });
        }
        items.extend(self.waiting_sweeps().await?);
        let given_up = outbox::Entity::find().filter(given_up()).count(&self.reader);
        let waiting = given_up.await.map_err(unavailable)?;
        if waiting > 0 {
            items.push(WorkItem { task: Task::DeadLetters { waiting }, about: None, due: None, since: None });
        }
        Ok(items)
    }

    async fn work_counts(&self, of: WaitsFor) -> Result<WorkCounts, StoreError> {
        let db = &self.reader;
        let asked = revocation::Entity::find().filter(revocations(of));
        let asked = if of.confirms { asked.count(db).await.map_err(unavailable)? } else { 0 };
        let filed = plan::Entity::find().filter(plans()).count(db).await.map_err(unavailable)?;
        // One line for each sweep, however much it found.
        let swept = sweep_item::Entity::find().select_only().column(sweep_item::Column::SweepId).distinct();
        let swept = swept.filter(found()).count(db).await.map_err(unavailable)?;
        Ok(WorkCounts {
            cases: application::Entity::find().filter(cases(of)).count(db).await.map_err(unavailable)?,
            notices: notice::Entity::find().filter(notices(of)).count(db).await.map_err(unavailable)?,
            access: asked + filed + swept,
            mails: outbox::Entity::find().filter(given_up()).count(db).await.map_err(unavailable)?,
        })
    }
}
