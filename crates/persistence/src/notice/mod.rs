//! Notices of abnormal use.

pub(crate) mod entity;
pub(crate) mod row;

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use chrono::NaiveDate;
use idcheck_domain::{
    abuse::AbuseRule,
    notice::{Notice, NoticeId, NoticeState},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::ports::{CommitError, NoticeKey, Notices, StoreError, Versioned, Write};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, IntoActiveModel, Order, QueryFilter,
    QueryOrder, Select,
    sea_query::{NullOrdering, OnConflict},
};
use uuid::Uuid;

use crate::{
    kernel::{
        cell::corrupt,
        store::{Store, unavailable},
        versioned::{failed, put, versions},
    },
    notice::{
        entity::{notice, notice_sending},
        row::{notice_model, notice_of, sending_models},
    },
};

versions!(notice);

pub(crate) async fn write(tx: &DatabaseTransaction, write: &Write<Notice>) -> Result<(), CommitError> {
    put::<notice::Entity, _>(tx, write, notice_model).await?;
    for row in sending_models(write.value()) {
        let explained =
            OnConflict::columns([notice_sending::Column::NoticeId, notice_sending::Column::Number])
                .update_columns([
                    notice_sending::Column::DueDate,
                    notice_sending::Column::DueProvisional,
                    notice_sending::Column::Explanation,
                    notice_sending::Column::ExplainedAt,
                ])
                .to_owned();
        notice_sending::Entity::insert(row.into_active_model())
            .on_conflict(explained)
            .exec_without_returning(tx)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

impl Store {
    /// Notices with what was sent, in the order of the rows, in two queries.
    async fn notices(&self, query: Select<notice::Entity>) -> Result<Vec<Versioned<Notice>>, StoreError> {
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        let mut sent: HashMap<Uuid, Vec<notice_sending::Model>> = HashMap::new();
        if !rows.is_empty() {
            let sendings = notice_sending::Entity::find()
                .filter(notice_sending::Column::NoticeId.is_in(rows.iter().map(|row| row.id)))
                .order_by_asc(notice_sending::Column::NoticeId)
                .order_by_asc(notice_sending::Column::Number)
                .all(&self.reader)
                .await
                .map_err(unavailable)?;
            for row in sendings {
                sent.entry(row.notice_id).or_default().push(row);
            }
        }
        rows.iter().map(|row| notice_of(row, &sent.remove(&row.id).unwrap_or_default())).collect()
    }
}

#[async_trait]
impl Notices for Store {
    async fn find(&self, id: NoticeId) -> Result<Option<Versioned<Notice>>, StoreError> {
        Ok(self.notices(notice::Entity::find_by_id(id.0)).await?.pop())
    }

    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<Notice>>, StoreError> {
        let query = notice::Entity::find()
            .filter(notice::Column::Ubn.eq(ubn.as_str()))
            .order_by_desc(notice::Column::RaisedAt)
            .order_by_desc(notice::Column::Id);
        self.notices(query).await
    }

    async fn open(&self) -> Result<Vec<Versioned<Notice>>, StoreError> {
        let query = notice::Entity::find()
            .filter(notice::Column::State.is_in(NoticeState::OPEN))
            .order_by_with_nulls(notice::Column::DueDate, Order::Asc, NullOrdering::Last)
            .order_by_asc(notice::Column::RaisedAt)
            .order_by_asc(notice::Column::Id);
        self.notices(query).await
    }

    async fn standing(&self, day: NaiveDate) -> Result<HashSet<NoticeKey>, StoreError> {
        let query = notice::Entity::find().filter(
            Condition::any()
                .add(notice::Column::State.is_in(NoticeState::OPEN))
                .add(notice::Column::Day.eq(day.to_string())),
        );
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        let key = |row: notice::Model| {
            let ubn = UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt("notices", "ubn"))?;
            let rule = AbuseRule::parse(&row.rule).ok_or_else(|| corrupt("notices", "rule"))?;
            Ok((ubn, rule, Some(row.user_id).filter(|user| !user.is_empty())))
        };
        rows.into_iter().map(key).collect()
    }
}
