//! Counters and histograms, as Prometheus reads them.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to record.
///
/// # Errors
/// When another recorder is there already.
pub(crate) fn set_up() -> anyhow::Result<()> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    drop(RECORDER.set(handle));
    Ok(())
}

/// What was recorded until now.
pub(crate) fn render() -> String {
    RECORDER.get().map(PrometheusHandle::render).unwrap_or_default()
}
