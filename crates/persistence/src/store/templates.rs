//! Templates of reasons.

use async_trait::async_trait;
use idcheck_domain::{
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};
use idcheck_usecases::ports::{CommitError, ReasonTemplates, StoreError, Versioned, Write};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

use super::{
    Store,
    changes::{failed, refused},
    unavailable,
};
use crate::{entity::reason_template as entity, rows::corrupt};

const TABLE: &str = "reason_templates";

fn model(value: &ReasonTemplate, version: i64) -> entity::Model {
    entity::Model {
        id: value.id.0,
        version,
        used_for: value.used_for.as_str().to_owned(),
        title: value.title.as_str().to_owned(),
        text: value.text.as_str().to_owned(),
        in_use: value.in_use,
    }
}

fn template(row: &entity::Model) -> Result<Versioned<ReasonTemplate>, StoreError> {
    let value = ReasonTemplate {
        id: TemplateId(row.id),
        used_for: TemplateUse::parse(&row.used_for).ok_or_else(|| corrupt(TABLE, "used_for"))?,
        title: TemplateTitle::parse(&row.title).map_err(|_| corrupt(TABLE, "title"))?,
        text: Reason::parse(&row.text).map_err(|_| corrupt(TABLE, "text"))?,
        in_use: row.in_use,
    };
    Ok(Versioned { value, version: row.version })
}

pub(super) async fn write(
    tx: &DatabaseTransaction,
    write: &Write<ReasonTemplate>,
) -> Result<(), CommitError> {
    match write {
        Write::Insert(value) => {
            let inserted =
                entity::Entity::insert(model(value, 1).into_active_model()).exec_without_returning(tx).await;
            inserted.map(drop).map_err(|error| refused(error, &[], CommitError::Conflict))
        }
        Write::Update { value, expected } => {
            let updated = entity::Entity::update_many()
                .set(model(value, expected + 1).into_active_model().reset_all())
                .filter(entity::Column::Id.eq(value.id.0))
                .filter(entity::Column::Version.eq(*expected))
                .exec(tx)
                .await
                .map_err(failed)?;
            if updated.rows_affected == 1 { Ok(()) } else { Err(CommitError::Conflict) }
        }
    }
}

#[async_trait]
impl ReasonTemplates for Store {
    async fn all(&self) -> Result<Vec<Versioned<ReasonTemplate>>, StoreError> {
        let rows = entity::Entity::find()
            .order_by_asc(entity::Column::UsedFor)
            .order_by_asc(entity::Column::Id)
            .all(&self.reader)
            .await
            .map_err(unavailable)?;
        rows.iter().map(template).collect()
    }
}
