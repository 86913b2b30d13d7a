//! The tables.
#![allow(unreachable_pub, reason = "sea-orm's derives ask for pub; the module is private")]

pub(crate) mod sweep {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sweeps")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        /// The day in Taipei; one sweep a day.
        pub day: String,
        pub begun_by: Option<Uuid>,
        pub begun_at: i64,
        pub register_of: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod sweep_item {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "sweep_items")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub sweep_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ubn: String,
        pub version: i64,
        pub name: String,
        pub finding: Option<String>,
        pub detail: Option<String>,
        pub state: String,
        pub ruled_by: Option<Uuid>,
        pub ruled_at: Option<i64>,
        pub ruling_note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
