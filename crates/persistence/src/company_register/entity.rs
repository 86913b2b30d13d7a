//! The tables.
#![allow(unreachable_pub, reason = "sea-orm's derives ask for pub; the module is private")]

pub(crate) mod company_record {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "company_records")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub snapshot: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub ubn: String,
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod snapshot {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "company_snapshots")]
    pub struct Model {
        /// When it was begun, in microseconds; the latest complete one is in force.
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub digest: String,
        pub rows_done: i64,
        pub completed_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
