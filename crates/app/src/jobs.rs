//! Background jobs: each has a name, an interval and a status, which `/readyz` lists and the metrics count.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{sync::watch, task::JoinSet};

use crate::lifecycle::stopped;

/// How each job of a process is doing.
#[derive(Clone, Default)]
pub(crate) struct Status(Arc<Mutex<BTreeMap<&'static str, State>>>);

struct State {
    interval: Duration,
    /// The end of the last run, and how many failed in a row.
    ended: Option<Instant>,
    failures: u32,
    /// Since when it runs.
    running: Option<Instant>,
}

impl Status {
    fn set(&self, name: &'static str, set: impl FnOnce(&mut State)) {
        if let Some(state) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(name) {
            set(state);
        }
    }

    fn add(&self, name: &'static str, interval: Duration) {
        let state = State { interval, ended: None, failures: 0, running: None };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, state);
    }

    /// A line for each job, by name.
    pub(crate) fn lines(&self) -> Vec<String> {
        let seconds = |since: Instant| since.elapsed().as_secs_f64();
        let states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(name, state): (&&str, &State)| {
            let mut line = format!("job {name}: every {:?}", state.interval);
            let _ = match (state.failures, state.ended) {
                (_, None) => write!(line, ", not run yet"),
                (0, Some(ended)) => write!(line, ", succeeded {:.1} s ago", seconds(ended)),
                (failures, Some(ended)) => {
                    write!(line, ", FAILED {:.1} s ago, {failures} in a row", seconds(ended))
                }
            };
            if let Some(since) = state.running {
                let _ = write!(line, ", running for {:.1} s", seconds(since));
            }
            line
        };
        states.iter().map(line).collect()
    }
}

/// The jobs of a process, until `stop` changes.
pub(crate) struct Jobs {
    running: JoinSet<()>,
    stop: watch::Receiver<()>,
    status: Status,
}

impl Jobs {
    pub(crate) fn new(stop: watch::Receiver<()>, status: Status) -> Self {
        Self { running: JoinSet::new(), stop, status }
    }

    /// Runs a job each time an interval after it ended. What fails is logged where it fails; the next turn tries again.
    pub(crate) fn add<F, T, E>(
        &mut self,
        name: &'static str,
        interval: Duration,
        mut job: impl FnMut() -> F + Send + 'static,
    ) where
        F: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: Send,
    {
        self.status.add(name, interval);
        let (status, stop) = (self.status.clone(), self.stop.clone());
        let runs = |outcome| metrics::counter!("idcheck_job_runs_total", "job" => name, "outcome" => outcome);
        let (succeeded, failed) = (runs("succeeded"), runs("failed"));
        // What is not there yet has no rate: the first failure would be missed.
        failed.increment(0);
        self.running.spawn(async move {
            let mut stopping = std::pin::pin!(stopped(stop));
            loop {
                tokio::select! {
                    () = &mut stopping => return,
                    () = tokio::time::sleep(interval) => {}
                }
                let begun = Instant::now();
                status.set(name, |state| state.running = Some(begun));
                let outcome = job().await;
                metrics::histogram!("idcheck_job_seconds", "job" => name).record(begun.elapsed());
                if outcome.is_ok() {
                    succeeded.increment(1);
                } else {
                    failed.increment(1);
                }
                status.set(name, |state| {
                    state.running = None;
                    state.ended = Some(Instant::now());
                    state.failures = if outcome.is_ok() { 0 } else { state.failures + 1 };
                });
            }
        });
    }

    /// What a job that looks at `stop` by itself watches.
    pub(crate) fn stop(&self) -> watch::Receiver<()> {
        self.stop.clone()
    }

    /// Waits until each has ended its run.
    pub(crate) async fn join(self) {
        self.running.join_all().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn a_status_tells_what_failed_and_what_goes_on() {
        let (sender, stop) = watch::channel(());
        let status = Status::default();
        let mut jobs = Jobs::new(stop, status.clone());
        let turns = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&turns);
        jobs.add("odd", Duration::from_millis(1), move || {
            let mut turns = counted.lock().unwrap();
            *turns += 1;
            let outcome = if *turns < 3 { Err("no") } else { Ok(()) };
            async move { outcome }
        });
        jobs.add("never", Duration::from_hours(1), || async { Ok::<_, ()>(()) });
        let told = async |what: &str| {
            for _ in 0..5_000 {
                if status.lines().iter().any(|line| line.contains(what)) {
                    return true;
                }
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
            false
        };
        assert!(told("job never: every 3600s, not run yet").await);
        assert!(told("job odd: every 1ms, FAILED").await, "{:?}", status.lines());
        assert!(told("job odd: every 1ms, succeeded").await, "{:?}", status.lines());
        sender.send(()).unwrap();
        jobs.join().await;
        assert!(*turns.lock().unwrap() >= 3);
    }
}
