//! Templates of reasons.

use async_trait::async_trait;
use idcheck_domain::{
    template::{ReasonTemplate, TemplateId, TemplateUse},
    value::{Reason, TemplateTitle},
};
use idcheck_usecases::ports::{CommitError, ReasonTemplates, StoreError, Versioned, Write};
use sea_orm::{DatabaseTransaction, EntityTrait, QueryOrder};

use crate::kernel::{
    cell::corrupt,
    store::{Store, unavailable},
    versioned::{put, versions},
};

versions!(entity);

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

pub(crate) async fn write(
    tx: &DatabaseTransaction,
    write: &Write<ReasonTemplate>,
) -> Result<(), CommitError> {
    put::<entity::Entity, _>(tx, write, model).await
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

#[allow(unreachable_pub, reason = "sea-orm's derives ask for pub")]
pub(crate) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "reason_templates")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub version: i64,
        pub used_for: String,
        pub title: String,
        pub text: String,
        pub in_use: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
