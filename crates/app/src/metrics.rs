//! Counters and histograms, as Prometheus reads them.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use idcheck_certificate::ListState;
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

/// How old the revocation lists are and how long they still count; below zero they do not.
#[expect(clippy::cast_precision_loss, reason = "seconds of a few years are exact")]
pub(crate) fn lists(lists: &[ListState], now: DateTime<Utc>) {
    for list in lists {
        let labels = [("issuer", list.issuer.clone()), ("key", list.key.clone())];
        let age = (now - list.this_update).num_seconds();
        metrics::gauge!("idcheck_crl_age_seconds", &labels).set(age as f64);
        let left = list.next_update.map_or(0, |next| (next - now).num_seconds());
        metrics::gauge!("idcheck_crl_seconds_left", &labels).set(left as f64);
    }
}

/// What was recorded until now.
pub(crate) fn render() -> String {
    RECORDER.get().map(PrometheusHandle::render).unwrap_or_default()
}
