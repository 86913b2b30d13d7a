//! The tables.
#![allow(unreachable_pub, reason = "sea-orm's derives ask for pub; the module is private")]

pub(crate) mod organisation {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "organisations")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub ubn: String,
        pub version: i64,
        pub name: String,
        /// The name as it is searched.
        pub folded: Option<String>,
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
        pub expires_at: Option<i64>,
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
