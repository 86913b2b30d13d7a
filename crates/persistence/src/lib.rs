//! The store: repositories, ledger, outbox and migrations, on SQLite and PostgreSQL from one schema.
//!
//! [`Store`] is every port but the ledger; [`LedgerWriter`] is the ledger. Entities are private: what leaves this
//! crate is the domain's. Text of the database never leaves either; it is logged here, once, without values.
//!
//! At rest: Iss Keys and second factors are sealed (AES-256-GCM), looked up by keyed hash; ID numbers exist as keyed
//! hash only, in the household register too ([`Vault`]).

mod chain;
mod entity;
mod ledger;
mod migration;
mod rows;
mod store;
mod vault;

pub use chain::{ChainReport, Fault};
pub use ledger::LedgerWriter;
pub use migration::MigrationState;
pub use store::Store;
pub use vault::Vault;
