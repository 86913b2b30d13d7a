//! The program put together from its parts, and the jobs that run beside the server.

pub(crate) mod acts;
pub(crate) mod card;
pub(crate) mod identity;
pub(crate) mod mail;
pub(crate) mod office;
pub(crate) mod store;
mod webhook;

use std::{convert::Infallible, sync::Arc, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use chrono::TimeDelta;
use idcheck_certificate::FolderVerifier;
use idcheck_domain::application::Approvers;
use idcheck_http::{App, Bounded, Contact, DemoDesk, Fonts, HttpConfig, Readiness, Services, Surface};
use idcheck_persistence::{LedgerSettings, LedgerWriter, Store};
use idcheck_rates::{RateLimits, Rates};
use idcheck_token::{PublicKeys, Tokens, Window};
use idcheck_usecases::{
    acts::{IssueChallenge, ProveChallenge, ReadOwn, ReadReceipt},
    application::{ReadCases, ReviewApplication},
    mail::DeliverMail,
    notice::HandleNotices,
    officer::{KeepOfficers, SignIn},
    organisation::{GovernAccess, ReadOrganisations},
    plan::JudgePlans,
    ports::{CardVerifier, Changes, Clock, Entropy, Ledger, Limits, StoreError},
    sweep::SweepCompanies,
    user_suspension::GovernUsers,
    verify::{CallerSnapshot, InForce, VerifyCard, VerifyPorts},
    webhook::CallWebhooks,
};
use poem::{EndpointExt, Server, listener::TcpAcceptor};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    config::{Config, LimitsConfig, Role},
    jobs::{self, Jobs},
    latency::{Latencies, TimedLedger},
    lifecycle::stopped,
    system::{SystemClock, SystemEntropy},
};

/// How often the snapshot of callers is compared with the store: half of the second that a change may take.
const REFRESH: Duration = Duration::from_millis(400);
/// How often the outbox is looked at.
const MAIL: Duration = Duration::from_secs(2);
/// How often trusted certificates and lists are looked at.
const TRUST: Duration = Duration::from_secs(10);
/// How often what can have no effect any more is removed.
const PURGE: Duration = Duration::from_hours(1);
/// Connections at a time, each of some ten KiB.
const CONNECTIONS: usize = 10_000;
/// File descriptors for databases, files and lists.
const OWN_DESCRIPTORS: usize = 128;
/// How often it is kept when keys and addresses were used last.
const LAST_USES: Duration = Duration::from_secs(30);
/// How often measured latencies are handed on.
const LATENCIES: Duration = Duration::from_secs(20);
/// How long requests under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(10);

pub(crate) struct Service {
    app: App,
    store: Store,
    worker: bool,
    strikes_kept: TimeDelta,
    latencies: Latencies,
    callers: Arc<CallerSnapshot>,
    cards: Arc<FolderVerifier>,
    refresh_lists: Duration,
    rates: Arc<Rates>,
    mail: DeliverMail,
    calls: CallWebhooks,
    office: office::Jobs,
    jobs: jobs::Status,
}

/// More that must be true before the process is ready; the demo adds to it.
pub(crate) type AlsoReady = Arc<dyn Fn() -> Option<String> + Send + Sync>;

const fn ledger_settings(config: &Config) -> LedgerSettings {
    LedgerSettings {
        batch: config.ledger_batch,
        register_bytes: config.register_memory_mib.saturating_mul(1 << 20),
    }
}

impl Service {
    /// Puts the service together; the store is migrated already.
    ///
    /// # Errors
    /// What of the configuration can't be used.
    pub(crate) async fn new(config: &Config, store: Store, also_ready: AlsoReady) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::default());
        let cards = Arc::new(card::card_verifier(config)?);
        let shared = Arc::new(store.clone());
        let callers = Arc::new(CallerSnapshot::new(Arc::clone(&shared) as _, Arc::new(PublicKeys)));
        callers.refresh().await.context("callers can't be read; has `idcheck migrate up` been run?")?;
        let rates = Arc::new(Rates::new(&rate_limits(&config.limits)));
        let changes: Arc<dyn Changes> =
            Arc::new(InForce::new(Arc::clone(&shared) as _, Arc::clone(&callers)));
        let register = office::company_register(&config.company_register, &shared)?;
        let office = office::ports(&shared, &clock, &entropy, register, changes);
        let verifier: Arc<dyn CardVerifier> = Arc::clone(&cards) as _;
        let acts = acts::act_ports(config, &shared, &office, Arc::clone(&verifier));
        let sweeps = SweepCompanies::new(office.clone(), Arc::clone(&shared) as _);
        let office_jobs = office::Jobs::new(config, &shared, office.clone(), sweeps.clone());
        let (latencies, jobs) = (Latencies::default(), jobs::Status::default());
        let ledger = LedgerWriter::start_with(&store, ledger_settings(config));
        let timed = TimedLedger::new(ledger.clone(), latencies.clone());
        let verify = verify(config, (&clock, &callers, &rates), timed);
        let calls = webhook::calls(config, &shared, &office)?;
        let approvers = if config.review.two_officers { Approvers::Two } else { Approvers::One };
        let signing_in =
            identity::officer_ports(&store, &config.base_url, identity::sign_in_methods(config)?)?;
        let services = Services {
            issue_challenge: IssueChallenge::new(acts.clone()),
            prove_challenge: ProveChallenge::new(acts.clone()),
            read_own: ReadOwn::new(acts.clone()),
            read_receipt: ReadReceipt::new(acts),
            drafts: acts::drafts(config, &shared, &office),
            attachments: acts::attachments(config, &shared, &office),
            webhooks: Arc::clone(&shared) as _,
            read_cases: ReadCases::new(office.clone(), Arc::clone(&verifier), approvers),
            review: ReviewApplication::new(office.clone(), verifier, approvers),
            worklist: office::worklist(&shared, &clock),
            organisations: ReadOrganisations::new(office.clone()),
            govern: GovernAccess::new(office.clone()),
            plans: JudgePlans::new(office.clone()),
            users: GovernUsers::new(office.clone()),
            notices: HandleNotices::new(office.clone()),
            sweeps,
            audit: office::audit(&shared),
            public_register: office::public_register(&shared, &clock),
            usage: office.usage(),
            templates: office::templates(&shared, &clock, &entropy),
            dead_letters: office::dead_letters(&shared, &clock),
            demo: None,
            officers: KeepOfficers::new(signing_in.clone()),
            sign_in: SignIn::new(signing_in),
            rates: Arc::clone(&rates) as _,
            verify,
            readiness: Arc::new(Ready {
                store: store.clone(),
                callers: Arc::clone(&callers),
                ledger,
                jobs: jobs.clone(),
                more: also_ready,
            }),
            clock: Arc::clone(&clock),
            entropy,
        };
        let mail = DeliverMail::new(clock, shared, mail::mailer(&config.mail)?);
        Ok(Self {
            app: App { services, config: Arc::new(http(config)) },
            store,
            worker: config.roles.contains(&Role::Worker),
            strikes_kept: TimeDelta::days(i64::from(config.retention.strikes)),
            latencies,
            callers,
            cards,
            refresh_lists: Duration::from_secs(config.card.refresh_interval.max(1)),
            rates,
            mail,
            calls,
            office: office_jobs,
            jobs,
        })
    }

    /// The same as a demonstration, which shows itself.
    pub(crate) fn demonstrating(mut self, desk: Arc<dyn DemoDesk>) -> Self {
        self.app.services.demo = Some(desk);
        self
    }

    /// Serves until `stop` changes, with the jobs beside.
    ///
    /// # Errors
    /// When the server can't go on.
    pub(crate) async fn run(self, listener: TcpListener, stop: watch::Receiver<()>) -> anyhow::Result<()> {
        let mut jobs = Jobs::new(stop.clone(), self.jobs);
        let (callers, cards, rates) = (self.callers, self.cards, self.rates);
        let refreshed = Arc::clone(&callers);
        jobs.add("callers", REFRESH, move || {
            let callers = Arc::clone(&refreshed);
            async move {
                let refreshed = callers.refresh().await;
                crate::metrics::damaged_callers(callers.damaged());
                refreshed
            }
        });
        let (used, store) = (Arc::clone(&callers), self.store.clone());
        jobs.add("last uses", LAST_USES, move || {
            let (callers, store) = (Arc::clone(&used), store.clone());
            async move { callers.keep_uses(&store).await }
        });
        let (measured, store) = (self.latencies.clone(), self.store.clone());
        jobs.add("latencies", LATENCIES, move || {
            let (latencies, store) = (measured.clone(), store.clone());
            async move { latencies.hand_on(&store).await }
        });
        if self.worker {
            work(&mut jobs, (self.store.clone(), self.strikes_kept), self.mail, self.calls);
            self.office.add_to(&mut jobs);
        }
        let lists = Arc::clone(&cards);
        jobs.add("lists", self.refresh_lists, move || {
            let lists = Arc::clone(&lists);
            async move {
                lists.refresh(SystemClock.now()).await;
                Ok::<_, Infallible>(())
            }
        });
        jobs.add("trust", TRUST, move || {
            let (cards, rates) = (Arc::clone(&cards), Arc::clone(&rates));
            async move {
                rates.forget_idle();
                let reloaded = cards.reload_if_changed();
                if let Err(error) = &reloaded {
                    tracing::error!(%error, "trusted certificates could not be read again");
                }
                crate::metrics::lists(&cards.lists(), SystemClock.now());
                crate::metrics::tidy();
                reloaded
            }
        });
        let acceptor = Bounded::new(TcpAcceptor::from_tokio(listener)?, connections());
        let routes = idcheck_http::routes(self.app).boxed();
        let served = Server::new_with_acceptor(acceptor)
            .run_with_graceful_shutdown(routes, stopped(stop), Some(GRACE))
            .await;
        jobs.join().await;
        // What was measured since the last turn; when it fails it is lost, which the log tells.
        let _ = self.latencies.hand_on(&self.store).await;
        let _ = callers.keep_uses(&self.store).await;
        Ok(served?)
    }
}

/// How many connections may be open: what the system allows, less what the program itself needs.
fn connections() -> usize {
    let allowed = raise_descriptors().unwrap_or(1024);
    usize::try_from(allowed).unwrap_or(usize::MAX).saturating_sub(OWN_DESCRIPTORS).clamp(64, CONNECTIONS)
}

/// Takes as many file descriptors as the system gives; how many.
fn raise_descriptors() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.or(limit.current);
    match setrlimit(Resource::Nofile, Rlimit { current: most, maximum: limit.maximum }) {
        Ok(()) => most,
        Err(_) => limit.current,
    }
}

/// Queries about cards.
fn verify(
    config: &Config,
    (clock, callers, rates): (&Arc<dyn Clock>, &Arc<CallerSnapshot>, &Arc<Rates>),
    ledger: impl Ledger + 'static,
) -> VerifyCard {
    VerifyCard::new(VerifyPorts {
        clock: Arc::clone(clock),
        callers: Arc::clone(callers),
        tokens: Arc::new(tokens(config)),
        rates: Arc::clone(rates) as _,
        ledger: Arc::new(ledger),
        limits: Limits { quota: config.limits.quota, budget: config.limits.budget },
    })
}

/// What nobody waits for: mail, calls, and the removal of what ended.
fn work(jobs: &mut Jobs, (store, strikes_kept): (Store, TimeDelta), mail: DeliverMail, calls: CallWebhooks) {
    jobs.add("webhooks", MAIL, move || {
        let calls = calls.clone();
        async move {
            while calls.execute().await? > 0 {}
            Ok::<_, StoreError>(())
        }
    });
    jobs.add("mail", MAIL, move || {
        let mail = mail.clone();
        async move {
            while mail.execute().await? > 0 {}
            Ok::<_, StoreError>(())
        }
    });
    jobs.add("purge", PURGE, move || {
        let store = store.clone();
        async move { store.purge(SystemClock.now(), strikes_kept).await }
    });
}

const fn rate_limits(limits: &LimitsConfig) -> RateLimits {
    RateLimits {
        rate_per_organisation: limits.rate_per_organisation,
        rate_per_address: limits.rate_per_address,
        refused_per_address: limits.refused_per_address,
        challenges_per_address: limits.challenges_per_address,
        draft_changes_per_address: limits.draft_changes_per_address,
        proofs_per_address: limits.proofs_per_address,
        sign_ins_per_address: limits.sign_ins_per_address,
    }
}

/// What responses depend on.
fn http(config: &Config) -> HttpConfig {
    HttpConfig {
        base_url: config.base_url.trim_end_matches('/').to_owned(),
        card_component_origin: config.card_component_origin.clone(),
        contact: Contact {
            agency: [config.contact.agency.clone(), config.contact.agency_english.clone()],
            phone: config.contact.phone.clone(),
            email: config.contact.email.clone(),
        },
        fonts: Fonts::new(&config.document_fonts),
        secure_cookies: config.base_url.starts_with("https://"),
        trusted_proxies: config.trusted_proxies.iter().map(|proxies| proxies.0).collect(),
        surfaces: config.roles.iter().filter_map(|role| surface(*role)).collect(),
        metrics: crate::metrics::render,
    }
}

/// What a role serves.
const fn surface(role: Role) -> Option<Surface> {
    match role {
        Role::Portal => Some(Surface::Portal),
        Role::Officer => Some(Surface::Officer),
        Role::Verify => Some(Surface::Verify),
        Role::Worker => None,
    }
}

struct Ready {
    store: Store,
    callers: Arc<CallerSnapshot>,
    ledger: LedgerWriter,
    jobs: jobs::Status,
    more: AlsoReady,
}

#[async_trait]
impl Readiness for Ready {
    async fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        match self.store.migration_status().await {
            Err(_) => problems.push("the database does not answer".to_owned()),
            Ok(steps) => {
                let missing = steps.into_iter().filter(|step| !step.applied);
                problems.extend(missing.map(|step| format!("the schema lacks step {}", step.name)));
            }
        }
        if !self.callers.is_current() {
            problems.push("who may ask could not be read lately".to_owned());
        }
        if !self.ledger.is_alive() {
            problems.push("the ledger's writer stands still".to_owned());
        }
        problems.extend((self.more)());
        problems
    }

    fn jobs(&self) -> Vec<String> {
        self.jobs.lines()
    }
}

fn tokens(config: &Config) -> Tokens {
    let seconds = |seconds: u32| TimeDelta::seconds(seconds.into());
    let skew = seconds(config.tokens.skew);
    let window = |span| Window { skew, span: seconds(span) };
    Tokens::new(config.base_url.trim_end_matches('/'))
        .with_windows(window(config.tokens.legacy_span), window(config.tokens.strict_span))
}
