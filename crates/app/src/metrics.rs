//! Counters and histograms, as Prometheus reads them.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use idcheck_certificate::ListState;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of times: from a fast query to the longest wait for a lock.
const SECONDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0];
/// Upper bounds of the queries in a batch.
const QUERIES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Begins to record.
///
/// # Errors
/// When another recorder is there already.
pub(crate) fn set_up() -> anyhow::Result<()> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_queries".to_owned()), &QUERIES)?
        .install_recorder()?;
    drop(RECORDER.set(handle));
    // What is not there yet has no rate: the first failure would be missed.
    for name in
        ["idcheck_ledger_failures_total", "idcheck_ledger_misses_total", "idcheck_forwarded_unreadable_total"]
    {
        metrics::counter!(name).increment(0);
    }
    Ok(())
}

/// Puts what was recorded into the buckets: between two scrapes, or where nobody scrapes, it would pile up.
pub(crate) fn tidy() {
    if let Some(recorder) = RECORDER.get() {
        recorder.run_upkeep();
    }
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

/// How many organisations have rows that can't be read.
pub(crate) fn damaged_callers(organisations: usize) {
    metrics::gauge!("idcheck_callers_damaged").set(u32::try_from(organisations).unwrap_or(u32::MAX));
}

/// What was recorded until now.
pub(crate) fn render() -> String {
    RECORDER.get().map(PrometheusHandle::render).unwrap_or_default()
}
