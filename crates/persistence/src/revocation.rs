//! Requests to revoke: written as part of a change, read by officers.

use async_trait::async_trait;
use idcheck_domain::{
    access::Ground,
    officer::OfficerId,
    revocation::{Revocation, RevocationId, RevocationState},
    ruling::Ruling,
    value::{Reason, UnifiedBusinessNumber},
};
use idcheck_usecases::ports::{CommitError, Revocations, StoreError, Versioned, Write};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, Select};
use uuid::Uuid;

use crate::{
    kernel::{
        cell::{corrupt, instant, micros},
        store::{Store, unavailable},
        versioned::{put, versions},
    },
    revocation::entity as revocation,
};

versions!(revocation);

/// A ruling's three columns.
pub(crate) type RulingColumns = (Option<Uuid>, Option<i64>, Option<String>);

pub(crate) fn ruling_columns(ruling: Option<&Ruling>) -> RulingColumns {
    match ruling {
        None => (None, None, None),
        Some(ruling) => {
            let note = ruling.note.as_ref().map(|note| note.as_str().to_owned());
            (Some(ruling.by.0), Some(micros(ruling.at)), note)
        }
    }
}

pub(crate) fn ruling_of(table: &'static str, columns: &RulingColumns) -> Result<Ruling, StoreError> {
    let (by, at, note) = columns;
    let note = note.as_deref().map(Reason::parse).transpose();
    Ok(Ruling {
        by: OfficerId(by.ok_or_else(|| corrupt(table, "ruled_by"))?),
        at: instant(table, "ruled_at", at.ok_or_else(|| corrupt(table, "ruled_at"))?)?,
        note: note.map_err(|_| corrupt(table, "ruling_note"))?,
    })
}

/// The row of a request at a version.
pub(crate) fn revocation_model(value: &Revocation, version: i64) -> revocation::Model {
    let (ruled_by, ruled_at, ruling_note) = ruling_columns(value.state.ruling());
    revocation::Model {
        id: value.id.0,
        version,
        ubn: value.ubn.to_string(),
        ground: value.ground.as_str().to_owned(),
        reason: value.reason.as_str().to_owned(),
        asked_by: value.asked_by.0,
        asked_at: micros(value.asked_at),
        state: value.state.as_str().to_owned(),
        ruled_by,
        ruled_at,
        ruling_note,
    }
}

/// The request of a row.
pub(crate) fn revocation_of(row: revocation::Model) -> Result<Versioned<Revocation>, StoreError> {
    const TABLE: &str = "revocations";
    let columns = (row.ruled_by, row.ruled_at, row.ruling_note);
    let state = match row.state.as_str() {
        "asked" => RevocationState::Asked,
        "confirmed" => RevocationState::Confirmed(ruling_of(TABLE, &columns)?),
        "declined" => RevocationState::Declined(ruling_of(TABLE, &columns)?),
        _ => return Err(corrupt(TABLE, "state")),
    };
    let value = Revocation {
        id: RevocationId(row.id),
        ubn: UnifiedBusinessNumber::parse(&row.ubn).map_err(|_| corrupt(TABLE, "ubn"))?,
        ground: Ground::parse(&row.ground).ok_or_else(|| corrupt(TABLE, "ground"))?,
        reason: Reason::parse(&row.reason).map_err(|_| corrupt(TABLE, "reason"))?,
        asked_by: OfficerId(row.asked_by),
        asked_at: instant(TABLE, "asked_at", row.asked_at)?,
        state,
    };
    Ok(Versioned { value, version: row.version })
}

pub(crate) async fn write(tx: &DatabaseTransaction, write: &Write<Revocation>) -> Result<(), CommitError> {
    put::<revocation::Entity, _>(tx, write, revocation_model).await
}

impl Store {
    async fn revocations(
        &self,
        query: Select<revocation::Entity>,
    ) -> Result<Vec<Versioned<Revocation>>, StoreError> {
        let rows = query.all(&self.reader).await.map_err(unavailable)?;
        rows.into_iter().map(revocation_of).collect()
    }
}

#[async_trait]
impl Revocations for Store {
    async fn find(&self, id: RevocationId) -> Result<Option<Versioned<Revocation>>, StoreError> {
        Ok(self.revocations(revocation::Entity::find_by_id(id.0)).await?.pop())
    }

    async fn of_organisation(
        &self,
        ubn: UnifiedBusinessNumber,
    ) -> Result<Vec<Versioned<Revocation>>, StoreError> {
        let query = revocation::Entity::find()
            .filter(revocation::Column::Ubn.eq(ubn.as_str()))
            .order_by_desc(revocation::Column::AskedAt)
            .order_by_desc(revocation::Column::Id);
        self.revocations(query).await
    }

    async fn waiting(&self) -> Result<Vec<Versioned<Revocation>>, StoreError> {
        let query = revocation::Entity::find()
            .filter(revocation::Column::State.eq("asked"))
            .order_by_asc(revocation::Column::AskedAt)
            .order_by_asc(revocation::Column::Id);
        self.revocations(query).await
    }
}

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "revocations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub version: i64,
        pub ubn: String,
        pub ground: String,
        pub reason: String,
        pub asked_by: Uuid,
        pub asked_at: i64,
        pub state: String,
        pub ruled_by: Option<Uuid>,
        pub ruled_at: Option<i64>,
        pub ruling_note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
