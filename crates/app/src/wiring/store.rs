//! The store of a configuration.

use std::sync::Arc;

use anyhow::Context;
use idcheck_persistence::{OpenError, Store, Vault, shown_address};

use crate::{keyfile::MasterKey, system::SystemClock};

/// The vault of a master key.
///
/// # Errors
/// When the cryptographic library refuses the key.
pub(crate) fn vault(key: &MasterKey) -> anyhow::Result<Vault> {
    Vault::new(key).ok().context("the key file's key can't be used")
}

/// Opens the store of a configuration, which is there.
///
/// # Errors
/// When it is not, can't be reached, or is of another key.
pub(crate) async fn open_store(database_url: &str, key: &MasterKey) -> anyhow::Result<Store> {
    let store = Store::connect(database_url, vault(key)?, Arc::new(SystemClock)).await;
    told(store, database_url)
}

/// Opens the store of a configuration, or makes an empty one.
///
/// # Errors
/// When it can't be made or reached, or is of another key.
pub(crate) async fn create_store(database_url: &str, key: &MasterKey) -> anyhow::Result<Store> {
    let store = Store::create(database_url, vault(key)?, Arc::new(SystemClock)).await;
    told(store, database_url)
}

fn told(store: Result<Store, OpenError>, database_url: &str) -> anyhow::Result<Store> {
    store.map_err(|error| match error {
        OpenError::Unreachable(why) => {
            anyhow::anyhow!("the database {} can't be reached: {why}", shown_address(database_url))
        }
        error => error.into(),
    })
}
