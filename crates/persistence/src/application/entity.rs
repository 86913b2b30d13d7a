//! The tables.
#![allow(unreachable_pub, reason = "sea-orm's derives ask for pub; the module is private")]

pub(crate) mod application {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "applications")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub version: i64,
        pub case_number: String,
        pub ubn: String,
        pub kind: String,
        pub company_name: String,
        /// The name as it is searched.
        pub folded: Option<String>,
        pub card: String,
        pub contact: String,
        pub host_addresses: String,
        pub request: String,
        pub notice_version: String,
        pub conduct_version: String,
        pub consented_at: i64,
        pub received_at: i64,
        pub state: String,
        pub due_date: Option<String>,
        pub due_provisional: bool,
        pub assignee: Option<Uuid>,
        pub clarification_id: Option<Uuid>,
        pub days_left: Option<i32>,
        pub closed_at: Option<i64>,
        pub closed_by: Option<String>,
        pub closed_reason: Option<String>,
        /// The reason that follows from a rule; none for typed words.
        pub closed_reason_code: Option<String>,
        /// The contact that the organisation held when the case named another.
        pub replaces: Option<String>,
        /// What the decision is counted by, while the case is open.
        pub count_from: Option<String>,
        pub count_days: Option<i32>,
        /// The approval that waits for the second officer.
        pub proposed_by: Option<Uuid>,
        pub proposed_at: Option<i64>,
        pub proposed_note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod clarification {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "clarifications")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub application_id: Uuid,
        pub question: String,
        pub asked_by: Uuid,
        pub asked_at: i64,
        pub due_date: String,
        pub due_provisional: bool,
        pub answer: Option<String>,
        pub answered_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod history {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "application_history")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub application_id: Uuid,
        /// The version of the case that the step led to.
        #[sea_orm(primary_key, auto_increment = false)]
        pub version: i64,
        pub action: String,
        pub from_state: Option<String>,
        pub to_state: String,
        pub actor: String,
        pub at: i64,
        pub text: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
