//! Requests to revoke and improvement plans.

pub(crate) mod revocation {
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

pub(crate) mod improvement_plan {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "improvement_plans")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub version: i64,
        pub ubn: String,
        pub plan: String,
        pub filed_at: i64,
        pub state: String,
        pub ruled_by: Option<Uuid>,
        pub ruled_at: Option<i64>,
        pub ruling_note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
