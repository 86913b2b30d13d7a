//! `serve`.

use std::{process::ExitCode, sync::Arc};

use anyhow::Context;
use tokio::{net::TcpListener, sync::watch};

use super::shared::store;
use crate::{
    config::{Config, trust_fault},
    lifecycle::terminated,
    logs, metrics,
    wiring::Service,
};

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    logs::set_up(&config.log)?;
    metrics::set_up()?;
    if let Some(fault) = trust_fault(config) {
        anyhow::bail!("{fault}");
    }
    let store = store(config).await?;
    // While a newer version is rolled out, this one goes on: steps fit two neighbouring versions.
    if let Some(step) = store.migration_status().await?.iter().find(|step| !step.known) {
        tracing::warn!(step = %step.name, "the database is of a newer version; update this node soon");
    }
    let service = Service::new(config, store, Arc::new(|| None)).await?;
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("listening on {}", config.listen))?;
    tracing::info!(listen = %config.listen, "serving");
    let (stop, stopping) = watch::channel(());
    tokio::spawn(async move {
        terminated().await;
        drop(stop);
    });
    Box::pin(service.run(listener, stopping)).await?;
    Ok(ExitCode::SUCCESS)
}
