//! The tables.
#![allow(unreachable_pub, reason = "sea-orm's derives ask for pub; the module is private")]

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
        /// Of an invitation that was not taken up: the password's hash is that of its code.
        pub invited_until: Option<i64>,
        pub signed_in_at: Option<i64>,
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
        pub address: String,
        pub browser: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}
