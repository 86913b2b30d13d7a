//! `serve` and `migrate`.

use std::{process::ExitCode, sync::Arc};

use anyhow::Context;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{config::Config, logs, metrics, wiring::Service};

pub(super) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    logs::set_up(&config.log)?;
    metrics::set_up()?;
    let store = super::store(config).await?;
    let missing: Vec<_> = store.migration_status().await?.into_iter().filter(|step| !step.applied).collect();
    if !missing.is_empty() {
        anyhow::bail!("the database's schema lacks {} steps; run `idcheck migrate up` first", missing.len());
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

/// Resolves on Ctrl-C or SIGTERM.
pub(crate) async fn terminated() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn migrate_up(config: &Config) -> anyhow::Result<ExitCode> {
    let store = super::store(config).await?;
    store.migrate_up().await?;
    println!("the schema is up to date");
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn migration_status(config: &Config) -> anyhow::Result<ExitCode> {
    for step in super::store(config).await?.migration_status().await? {
        println!("{} {}", if step.applied { "taken  " } else { "missing" }, step.name);
    }
    Ok(ExitCode::SUCCESS)
}
