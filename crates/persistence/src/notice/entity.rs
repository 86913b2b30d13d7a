//! The tables.
#![allow(unreachable_pub, reason = "sea-orm's derives ask for pub; the module is private")]

pub(crate) mod notice {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notices")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub version: i64,
        pub ubn: String,
        pub rule: String,
        /// Empty where it is not about one user.
        pub user_id: String,
        pub day: String,
        /// A JSON list of pairs.
        pub counts: String,
        /// Counts of later days.
        pub later: Option<String>,
        pub raised_at: i64,
        pub state: String,
        pub due_date: Option<String>,
        pub due_provisional: bool,
        pub ruled_by: Option<Uuid>,
        pub ruled_at: Option<i64>,
        pub ruling_note: Option<String>,
        pub ended_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod notice_sending {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notice_sendings")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub notice_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub number: i32,
        pub message: String,
        pub sent_by: Uuid,
        pub sent_at: i64,
        pub due_date: String,
        pub due_provisional: bool,
        pub explanation: Option<String>,
        pub explained_at: Option<i64>,
        pub days: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
