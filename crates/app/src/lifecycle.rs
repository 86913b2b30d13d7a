//! When the process stops, and what it does again and again until then.

use std::time::Duration;

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Resolves when `stop` changes or its sender is gone.
pub(crate) async fn stopped(mut stop: watch::Receiver<()>) {
    drop(stop.changed().await);
}

pub(crate) async fn every<F: Future<Output = ()>>(
    pause: Duration,
    stop: watch::Receiver<()>,
    mut job: impl FnMut() -> F,
) {
    let mut stopping = std::pin::pin!(stopped(stop));
    loop {
        tokio::select! {
            () = &mut stopping => return,
            () = tokio::time::sleep(pause) => job().await,
        }
    }
}

/// Resolves on Ctrl-C or SIGTERM.
pub(crate) async fn terminated() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
