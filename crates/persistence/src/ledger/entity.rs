//! The table.
#![allow(unreachable_pub, reason = "sea-orm's derives ask for pub; the module is private")]

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
    pub neighbours: Option<Vec<u8>>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
impl ActiveModelBehavior for ActiveModel {}
