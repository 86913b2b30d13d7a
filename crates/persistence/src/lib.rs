//! The store: repositories, ledger, outbox and migrations, on SQLite and PostgreSQL from one schema
//! (`docs/schema.md`).
//!
//! - [`Vault::new`] of the 32-byte master key; [`Store::connect`] with a URL `sqlite://…` or `postgres://…`, or
//!   [`Store::create`] where there may be no database yet; [`Store::migrate_up`]. A clone of the [`Store`] is every port but the ledger.
//! - [`LedgerWriter::start`] of a [`Store`], inside the runtime, once a process; its clones are the ledger.
//! - [`Store::verify_chain`] for `audit verify`; [`Store::ping`] for readiness; [`Store::purge`] once an hour.
//!
//! Entities are private: what leaves this crate is the domain's. Text of the database never leaves either; it is
//! logged here, once, without values.
//!
//! At rest: Iss Keys and second factors are sealed (AES-256-GCM), looked up by keyed hash; ID numbers exist as keyed
//! hash only, in the household register too ([`Vault`]).

mod application;
mod attachment;
mod audit;
mod calendar;
mod chain;
mod challenge;
mod change;
mod company_register;
mod draft;
mod household_register;
mod kernel;
mod last_use;
mod ledger;
mod mail;
mod migration;
mod notice;
mod officer;
mod open;
mod organisation;
mod own_session;
mod plan;
mod public_register;
mod restore;
mod revocation;
mod sweep;
mod template;
mod upkeep;
mod usage;
mod user_suspension;
mod webhook;
mod worklist;

pub use chain::{ChainReport, Fault, Gap};
pub use kernel::{
    address::{AddressFault, OpenError, address_fault, database_file, shown_address},
    store::Store,
    vault::Vault,
};
pub use ledger::{LedgerSettings, LedgerWriter};
pub use migration::MigrationState;
pub use restore::RestoreError;
pub use upkeep::{Keep, Removed};
