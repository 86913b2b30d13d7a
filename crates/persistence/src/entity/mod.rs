//! The tables as rows. Times are microseconds since 1970 UTC, days are `YYYY-MM-DD`: the same on both databases.
#![allow(unreachable_pub, reason = "sea-orm's derives ask for pub; the modules are private")]

mod casework;
mod company;

pub(crate) use casework::{improvement_plan, notice, notice_sending, reason_template, reminder, revocation};
pub(crate) use company::{company_record, snapshot, sweep, sweep_item};

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

pub(crate) mod organisation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "organisations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub ubn: String,
        pub version: i64,
        pub name: String,
        pub access: String,
        pub access_since: Option<i64>,
        pub access_reason: Option<String>,
        /// The reason that follows from a rule; none for typed words.
        pub access_reason_code: Option<String>,
        pub access_ground: Option<String>,
        pub may_return: bool,
        /// The account as its number in the sequence.
        pub account: Option<i64>,
        pub addresses: Option<String>,
        pub contact: String,
        pub purpose: Option<String>,
        pub former_ubn: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod registered_key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "registered_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub ubn: String,
        pub fingerprint: String,
        pub public_key_pem: String,
        pub profile: String,
        pub environment: String,
        pub label: String,
        pub registered_at: i64,
        pub revoked_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod iss_key {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "iss_keys")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub ubn: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub environment: String,
        pub lookup: Vec<u8>,
        pub sealed: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod challenge {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "challenges")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub act: String,
        pub ubn: String,
        pub content: String,
        pub tbs: String,
        pub session: Option<Vec<u8>>,
        pub issued_at: i64,
        pub expires_at: i64,
        pub spent_at: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod outbox {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub recipient: String,
        pub message: String,
        pub queued_at: i64,
        /// When it may be taken next; none when it is given up.
        pub due_at: Option<i64>,
        pub attempts: i32,
        pub sent_at: Option<i64>,
        pub failure: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod officer {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "officers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub username: String,
        pub role: String,
        pub password_hash: String,
        pub totp_sealed: Vec<u8>,
        pub totp_step: i64,
        pub failures: i32,
        pub locked_until: Option<i64>,
        pub added_at: i64,
        /// The identity provider's name for the officer; password and second factor are empty then.
        pub subject: Option<String>,
        pub closed: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod officer_session {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "officer_sessions")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub token_hash: Vec<u8>,
        pub officer_id: Uuid,
        pub opened_at: i64,
        pub used_at: i64,
        pub expires_at: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod calendar_year {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "calendar_years")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub year: i32,
        /// A JSON list of days.
        pub days_off: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod register_row {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "household_register")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub person_hash: Vec<u8>,
        pub apply_code: String,
        pub applied_on: String,
        pub issue_site: String,
        pub status: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod suspended_user {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "suspended_users")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub ubn: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: String,
        pub since: i64,
        pub rule: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod chain_entry {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "audit_chain")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        pub at: i64,
        pub kind: String,
        pub body: String,
        pub hash: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod record {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "verification_records")]
    pub struct Model {
        /// The batch: its entry in the chain.
        #[sea_orm(primary_key, auto_increment = false)]
        pub seq: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub position: i32,
        pub at: i64,
        pub ubn: String,
        pub environment: String,
        pub user_id: String,
        pub address: String,
        pub person_hash: Option<Vec<u8>>,
        pub outcome: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
