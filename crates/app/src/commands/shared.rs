//! What commands have in common: where the configuration is, and the store that it names.

use std::path::PathBuf;

use clap::Args;
use idcheck_persistence::Store;

use crate::{
    config::{self, Config},
    keyfile, logs, wiring,
};

/// Where the configuration is.
#[derive(Args)]
pub(super) struct ConfigArguments {
    /// Path of the configuration file (TOML); every value can also be set in the environment as `IDCHECK_…`.
    #[arg(long)]
    pub(super) config: Option<PathBuf>,
}

impl ConfigArguments {
    /// Reads the configuration.
    pub(super) fn read(&self) -> anyhow::Result<Config> {
        config::read(self.config.as_deref())
    }
}

/// Opens the store of a configuration, with the schema that this version works with.
pub(super) async fn store(config: &Config) -> anyhow::Result<Store> {
    let store = store_of_any_schema(config).await?;
    let missing = store.migration_status().await?.iter().filter(|step| !step.applied).count();
    if missing > 0 {
        anyhow::bail!("the database's schema lacks {missing} steps; run `idcheck migrate up` first");
    }
    Ok(store)
}

/// Opens the store of a configuration, which is there; its schema need not be.
pub(super) async fn store_of_any_schema(config: &Config) -> anyhow::Result<Store> {
    logs::set_up_for_commands();
    let key = keyfile::read(&config.key_file)?;
    wiring::store::open_store(&config.database_url, &key).await
}

/// The same where there may be no database yet: for `migrate up` only.
pub(super) async fn store_to_migrate(config: &Config) -> anyhow::Result<Store> {
    logs::set_up_for_commands();
    let key = keyfile::read(&config.key_file)?;
    wiring::store::create_store(&config.database_url, &key).await
}
