//! When the process stops.

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Resolves when `stop` changes or its sender is gone.
pub(crate) async fn stopped(mut stop: watch::Receiver<()>) {
    drop(stop.changed().await);
}

/// Resolves on Ctrl-C or SIGTERM.
pub(crate) async fn terminated() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
