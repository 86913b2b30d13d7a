//! `idcheck-softcard`: software cards behind the protocol of the local signing component, on their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use clap::Parser;
use idcheck_softcard::{Component, DemoPki, Fault, refresh_crls, revoke, serve};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Software cards behind the protocol of the local signing component.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Where authorities and cards are kept; made if not there.
    #[arg(long)]
    data_dir: PathBuf,
    /// Addresses to listen on; the real component has 61161, newer ones 16888.
    #[arg(long = "listen", default_values = ["127.0.0.1:61161", "127.0.0.1:16888"])]
    listen: Vec<SocketAddr>,
    /// What goes wrong, repeatable: wrong-pin, no-card, locked, slow, absent, old-version, not-trusted, …
    #[arg(long = "fault")]
    faults: Vec<Fault>,
    /// Where the certificates that are made say that their revocation lists are, such as `http://127.0.0.1:9000`.
    #[arg(long)]
    list_address: Option<String>,
    /// Revoke the card in this reader, and end.
    #[arg(long)]
    revoke: Option<String>,
    /// Only the cards in these readers, repeatable; all if none is named.
    #[arg(long = "slot")]
    slots: Vec<String>,
}

#[allow(clippy::disallowed_methods)] // The clock of a program that has no use cases to take it from.
fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

/// Keeps the authorities' lists current for as long as the program runs; ends only with an error.
async fn renew_lists(dir: &Path) -> Result<()> {
    loop {
        tokio::time::sleep(Duration::from_hours(24)).await;
        refresh_crls(dir, now())?;
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let pki = match &arguments.list_address {
        Some(address) => DemoPki::load_or_create_at(&arguments.data_dir, address, now())?,
        None => DemoPki::load_or_create(&arguments.data_dir, now())?,
    };
    if let Some(slot) = &arguments.revoke {
        return revoke(&arguments.data_dir, slot, now());
    }
    let mut cards = pki.into_cards();
    if !arguments.slots.is_empty() {
        cards.retain(|card| arguments.slots.iter().any(|slot| slot == card.slot()));
    }
    let component = Arc::new(Component::new(cards, arguments.faults, Arc::new(now)));

    let (stop, stopped) = watch::channel(());
    let mut servers = tokio::task::JoinSet::new();
    for address in &arguments.listen {
        let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
        tracing::info!(%address, "softcard ready");
        let (component, mut stopped) = (Arc::clone(&component), stopped.clone());
        servers.spawn(serve(listener, component, async move {
            // An error means that the sender is gone, which is a stop too.
            let _ = stopped.changed().await;
        }));
    }
    tokio::select! {
        stopped = tokio::signal::ctrl_c() => stopped?,
        renewing = renew_lists(&arguments.data_dir) => renewing?,
    }
    drop(stop);
    while let Some(server) = servers.join_next().await {
        server??;
    }
    Ok(())
}
