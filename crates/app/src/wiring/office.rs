//! Officers' work put together: revocations, plans, notices, reminders, dead letters, and the jobs that go with it.

use std::{sync::Arc, time::Duration};

use idcheck_email::Composer;
use idcheck_open_data::Gcis;
use idcheck_persistence::Store;
use idcheck_usecases::{
    OfficePorts, Refusal,
    audit::ReadAudit,
    calendar::KeepCalendar,
    mail::DeadLetters,
    notice::WatchUsage,
    ports::{Changes, Clock, CompanyRegister, Entropy, StoreError},
    public_register::PublishRegister,
    reminder::{ReminderPorts, SendReminders},
    sweep::SweepCompanies,
    template::KeepTemplates,
    worklist::ReadWorklist,
};
use tokio::time::timeout;

use crate::{
    config::{CompanyRegisterConfig, Config},
    jobs,
    system::{SystemClock, SystemEntropy},
};

/// How often what came is counted.
const COUNT: Duration = Duration::from_secs(1);
/// Between two portions of it.
const COUNT_PAUSE: Duration = Duration::from_millis(10);
/// How often records are counted and judged; a notice is to be there a minute after what it tells of.
const WATCH: Duration = Duration::from_secs(20);
/// How often the company register is asked about what a sweep still has to ask.
const SWEEP: Duration = Duration::from_secs(2);
/// How often deadlines are looked at for reminders.
const REMIND: Duration = Duration::from_mins(10);

/// The company register that the configuration names: over HTTP, or the imported snapshot.
///
/// # Errors
/// When no HTTP client can be made.
pub(crate) fn company_register(
    config: &CompanyRegisterConfig,
    store: &Arc<Store>,
) -> anyhow::Result<Arc<dyn CompanyRegister>> {
    Ok(match &config.gcis {
        None => Arc::clone(store) as _,
        Some(url) => Arc::new(Gcis::new(url, Duration::from_secs(config.timeout))?),
    })
}

/// The ports that officers' use cases stand on, on the store.
pub(crate) fn ports(
    store: &Arc<Store>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    company_register: Arc<dyn CompanyRegister>,
    changes: Arc<dyn Changes>,
) -> OfficePorts {
    OfficePorts {
        clock: Arc::clone(clock),
        entropy: Arc::clone(entropy),
        applications: Arc::clone(store) as _,
        organisations: Arc::clone(store) as _,
        revocations: Arc::clone(store) as _,
        plans: Arc::clone(store) as _,
        notices: Arc::clone(store) as _,
        company_register,
        users: Arc::clone(store) as _,
        counts: Arc::clone(store) as _,
        dormancy: Arc::clone(store) as _,
        templates: Arc::clone(store) as _,
        calendar: Arc::clone(store) as _,
        officers: Arc::clone(store) as _,
        composer: Arc::new(Composer),
        changes,
    }
}

/// What waits for an officer.
pub(crate) fn worklist(store: &Arc<Store>, clock: &Arc<dyn Clock>) -> ReadWorklist {
    let (worklists, calendar) = (Arc::clone(store) as _, Arc::clone(store) as _);
    ReadWorklist::new(Arc::clone(clock), worklists, calendar, Arc::clone(store) as _)
}

/// The register of who may ask, for the public.
pub(crate) fn public_register(store: &Arc<Store>, clock: &Arc<dyn Clock>) -> PublishRegister {
    PublishRegister::new(Arc::clone(clock), Arc::clone(store) as _, Arc::clone(store) as _)
}

/// The audit log, for auditors.
pub(crate) fn audit(store: &Arc<Store>) -> ReadAudit {
    ReadAudit::new(
        Arc::clone(store) as _,
        Arc::clone(store) as _,
        Arc::clone(store) as _,
        Arc::clone(store) as _,
    )
}

pub(crate) fn templates(
    store: &Arc<Store>,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> KeepTemplates {
    let store = || Arc::clone(store);
    KeepTemplates::new(Arc::clone(clock), Arc::clone(entropy), store(), store())
}

/// The calendar, and the deadlines that are counted by it.
pub(crate) fn calendar(store: &Arc<Store>) -> KeepCalendar {
    KeepCalendar::new(Arc::new(SystemClock), Arc::new(SystemEntropy::default()), Arc::clone(store) as _)
}

/// Mails that were given up.
pub(crate) fn dead_letters(store: &Arc<Store>, clock: &Arc<dyn Clock>) -> DeadLetters {
    DeadLetters::new(Arc::clone(clock), Arc::clone(store) as _, Arc::new(Composer), Arc::clone(store) as _)
}

/// The jobs beside the server.
#[derive(Clone)]
pub(crate) struct Jobs {
    watch: WatchUsage,
    remind: SendReminders,
    sweeps: SweepCompanies,
}

impl Jobs {
    /// With the thresholds of the configuration.
    pub(crate) fn new(
        config: &Config,
        store: &Arc<Store>,
        ports: OfficePorts,
        sweeps: SweepCompanies,
    ) -> Self {
        let remind = SendReminders::new(ReminderPorts {
            clock: Arc::clone(&ports.clock),
            entropy: Arc::clone(&ports.entropy),
            applications: Arc::clone(store) as _,
            organisations: Arc::clone(store) as _,
            notices: Arc::clone(store) as _,
            dormancy: Arc::clone(store) as _,
            calendar: Arc::clone(store) as _,
            reminders: Arc::clone(store) as _,
            changes: Arc::clone(store) as _,
        });
        let watch = WatchUsage::new(ports, Arc::clone(store) as _, config.abuse.thresholds());
        Self { watch, remind, sweeps }
    }

    /// Adds them to those of the process.
    pub(crate) fn add_to(self, jobs: &mut jobs::Jobs) {
        let Self { watch, remind, sweeps } = self;
        let (count, stop) = (watch.clone(), jobs.stop());
        jobs.add("count", COUNT, move || {
            let (count, mut stop) = (count.clone(), stop.clone());
            async move {
                // Little by little: what is counted at once keeps queries waiting. While others ask, there is always more.
                while count.count().await? > 0 && timeout(COUNT_PAUSE, stop.changed()).await.is_err() {}
                Ok::<_, StoreError>(())
            }
        });
        jobs.add("watch", WATCH, move || {
            let watch = watch.clone();
            async move { watch.execute().await }
        });
        jobs.add("sweep", SWEEP, move || {
            let sweeps = sweeps.clone();
            async move {
                while sweeps.advance().await? > 0 {}
                Ok::<_, Refusal>(())
            }
        });
        jobs.add("remind", REMIND, move || {
            let remind = remind.clone();
            async move { remind.execute().await }
        });
    }
}
