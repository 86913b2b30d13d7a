//! `demo`: everything on one computer, with made-up companies, cards and persons. No one in it is real.

mod desk;
mod file;
mod life;
pub(crate) mod persons;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, bail};
use chrono::NaiveDate;
use clap::Args;
use idcheck_domain::{
    consent::{CONDUCT_VERSION, NOTICE_VERSION},
    officer::Role,
};
use idcheck_persistence::Store;
use idcheck_softcard::{Component, DemoPki, SoftCard};
use idcheck_usecases::{
    officer::{KeepOfficers, KeptBy, NewCredential, SecondFactor, ShownOnce, SignInMethods},
    ports::{CalendarEdit, Clock, Entropy, HouseholdRegister},
};
use tokio::{net::TcpListener, sync::watch};

use self::{
    desk::Desk,
    file::{CardEntry, ConsentEntry, DemoFile, OfficerEntry, PersonEntry},
    persons::{persons, status_word},
};
use crate::{
    config::{Abuse, Card, Config, LimitsConfig, Log, Mail},
    keyfile,
    lifecycle::{stopped, terminated},
    logs, metrics,
    system::{SystemClock, SystemEntropy},
    wiring::{self, AlsoReady, Service, office},
};

/// Persons in the demo's register.
const PERSONS: usize = 1000;
/// Days off of the year that the demo knows: weekends and holidays of the government's calendar.
const CALENDAR: &str = include_str!("../../data/calendar-2026.csv");
/// Officers: two reviewers, two supervisors, an auditor, an admin.
const OFFICERS: [(&str, Role); 6] = [
    ("reviewer1", Role::Reviewer),
    ("reviewer2", Role::Reviewer),
    ("supervisor1", Role::Supervisor),
    ("supervisor2", Role::Supervisor),
    ("auditor1", Role::Auditor),
    ("admin1", Role::Admin),
];

/// What `/demo` shows.
fn desk(file: &DemoFile) -> Arc<Desk> {
    Arc::new(Desk {
        cards: file.cards.clone(),
        officers: file.officers.clone(),
        mails: file.mail_dir.clone(),
    })
}

/// Where the demo lives.
#[derive(Args)]
pub(crate) struct DemoArguments {
    /// Where its data are kept; started again here, it goes on with them.
    #[arg(long, default_value = "demo-data")]
    pub(crate) data_dir: PathBuf,
    /// Where the service listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// Where the software cards listen.
    #[arg(long, default_value = "127.0.0.1:61161")]
    pub(crate) softcard_listen: SocketAddr,
    /// Let other computers reach it: whoever does can sign with its cards and work as its officers.
    #[arg(long)]
    pub(crate) anyone: bool,
    /// Begin without the made-up organisations, cases and queries of the time before.
    #[arg(long)]
    pub(crate) empty: bool,
    /// Let an application be approved by two officers: one proposes, another approves.
    #[arg(long)]
    pub(crate) two_officers: bool,
}

/// Runs the demo until Ctrl-C.
pub(crate) async fn run(arguments: DemoArguments) -> anyhow::Result<ExitCode> {
    logs::set_up(&Log { filter: "warn".to_owned(), json: false })?;
    metrics::set_up()?;
    fs::create_dir_all(&arguments.data_dir)
        .with_context(|| format!("data folder {}", arguments.data_dir.display()))?;
    for address in [arguments.listen, arguments.softcard_listen] {
        if !address.ip().is_loopback() && !arguments.anyone {
            bail!(
                "{address} can be reached from other computers, and everybody can read the demo's card PINs and passwords; \
                 where that is meant, add --anyone"
            );
        }
    }
    let dir = fs::canonicalize(&arguments.data_dir)?;
    let listener = bind(arguments.listen).await?;
    let card_listener = bind(arguments.softcard_listen).await?;
    let (address, card_address) = (listener.local_addr()?, card_listener.local_addr()?);

    let pki = DemoPki::load_or_create(&dir.join("pki"), SystemClock.now())?;
    let mut config = config(&dir, &pki, address, card_address);
    config.review.two_officers = arguments.two_officers;
    let entropy = SystemEntropy::default();
    let key = keyfile::read_or_create(&config.key_file, &entropy)?;
    let officers = known_officers(&dir)?;
    if officers.is_none() {
        forget_unfinished(&dir)?;
    }
    let store = wiring::store::create_store(&config.database_url, &key).await?;
    store.migrate_up().await?;
    let officers = if let Some(officers) = officers {
        officers
    } else {
        let officers = seed(&store, &entropy).await?;
        if !arguments.empty {
            life::make(&config, &key, &pki).await.context("what happened before the demo")?;
        }
        officers
    };
    let file = demo_file(&config, &pki, card_address, officers);
    let ready = Arc::new(AtomicBool::new(false));
    let service = Service::new(&config, store, also_ready(&ready)).await?.demonstrating(desk(&file));

    let (stop, stopping) = watch::channel(());
    let component = Component::new(pki.into_cards(), Vec::new(), Arc::new(|| SystemClock.now()));
    let cards =
        tokio::spawn(idcheck_softcard::serve(card_listener, Arc::new(component), stopped(stopping.clone())));
    tokio::spawn(renew_lists(dir.join("pki"), stopping.clone()));
    let served = tokio::spawn(service.run(listener, stopping));
    write(&dir.join("demo.json"), &file)?;
    ready.store(true, Ordering::Release);
    print_welcome(&file, &dir);
    tokio::select! {
        () = terminated() => {}
        () = stopped_early(&served) => {}
    }
    drop(stop);
    served.await??;
    cards.await??;
    Ok(ExitCode::SUCCESS)
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| {
        format!("{address} is taken or not ours; choose another with --listen or --softcard-listen")
    })
}

/// A demo that runs for weeks needs current revocation lists.
async fn renew_lists(pki: PathBuf, stop: watch::Receiver<()>) {
    let mut stopping = std::pin::pin!(stopped(stop));
    loop {
        tokio::select! {
            () = &mut stopping => return,
            () = tokio::time::sleep(std::time::Duration::from_hours(12)) => {}
        }
        if let Err(error) = idcheck_softcard::refresh_crls(&pki, SystemClock.now()) {
            tracing::error!(%error, "the demo's revocation lists could not be renewed");
        }
    }
}

/// Resolves when the server ended by itself.
async fn stopped_early<T>(served: &tokio::task::JoinHandle<T>) {
    while !served.is_finished() {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

fn also_ready(ready: &Arc<AtomicBool>) -> AlsoReady {
    let ready = Arc::clone(ready);
    Arc::new(move || (!ready.load(Ordering::Acquire)).then(|| "the demo is not set up yet".to_owned()))
}

fn config(dir: &Path, pki: &DemoPki, address: SocketAddr, card_address: SocketAddr) -> Config {
    Config {
        listen: address,
        base_url: format!("http://{address}"),
        database_url: format!("sqlite://{}", dir.join("idcheck.db").display()),
        key_file: dir.join("key"),
        trust_dir: pki.trust_dir(),
        card_component_origin: format!("http://localhost:{}", card_address.port()),
        // The demo's lists are files; their addresses do not resolve.
        card: Card { fetch: false, ..Card::default() },
        allow_loopback_hosts: true,
        mail: Mail { folder: Some(dir.join("mail")), ..Mail::default() },
        limits: LimitsConfig {
            rate_per_organisation: 20_000,
            rate_per_address: 20_000,
            quota: 10_000_000,
            budget: 100_000,
            challenges_per_address: 60_000,
            draft_changes_per_address: 60_000,
            proofs_per_address: 60_000,
            sign_ins_per_address: 60_000,
            refused_per_address: 1_200_000,
            open_challenges: 100_000,
            open_challenges_per_address: 1_000_000,
            drafts_per_address: 1_000_000,
            files_per_address: 10_000,
            files: 10_000,
        },
        // Whoever tries things out asks wrongly on purpose.
        abuse: Abuse { user_wrong: 10_000, ..Abuse::default() },
        ..Config::default()
    }
}

/// The officers of an earlier start; none when there was none that came to its end.
fn known_officers(dir: &Path) -> anyhow::Result<Option<Vec<OfficerEntry>>> {
    let path = dir.join("demo.json");
    if !path.exists() {
        return Ok(None);
    }
    let file: DemoFile = serde_json::from_slice(&fs::read(&path)?)
        .with_context(|| format!("{} can't be read; remove its folder to start anew", path.display()))?;
    Ok(Some(file.officers))
}

/// A first start that was killed left a database whose officers nobody knows the passwords of.
fn forget_unfinished(dir: &Path) -> anyhow::Result<()> {
    for name in ["idcheck.db", "idcheck.db-wal", "idcheck.db-shm"] {
        let path = dir.join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
        }
    }
    Ok(())
}

async fn seed(store: &Store, entropy: &dyn Entropy) -> anyhow::Result<Vec<OfficerEntry>> {
    store.import(&persons(PERSONS)).await?;
    let mut days_off = Vec::new();
    for record in csv::Reader::from_reader(CALENDAR.as_bytes()).records() {
        let day: NaiveDate = record?.get(0).unwrap_or_default().parse()?;
        days_off.push(day);
    }
    let edit = CalendarEdit::Year { year: 2026, days_off };
    office::calendar(&Arc::new(store.clone())).change(&edit).await?;
    let keep = KeepOfficers::new(wiring::identity::officer_ports(store, "", SignInMethods::Local)?);
    let mut officers = Vec::new();
    for (username, role) in OFFICERS {
        let password = hex::encode(entropy.bytes::<8>());
        let credential = NewCredential::Password(&password);
        let (officer, factor) = keep.add(&KeptBy::Operator, username, role, credential).await?;
        let Some(ShownOnce::Factor(SecondFactor(totp_secret))) = factor else { continue };
        officers.push(OfficerEntry {
            username: officer.username,
            password,
            totp_secret: base32::encode(base32::Alphabet::Rfc4648 { padding: false }, &totp_secret),
            role: role.as_str().to_owned(),
        });
    }
    Ok(officers)
}

fn card_entry(card: &SoftCard) -> CardEntry {
    CardEntry {
        slot: card.slot().to_owned(),
        kind: serde_json::to_value(card.kind()).unwrap_or_default(),
        state: serde_json::to_value(card.state()).unwrap_or_default(),
        unified_business_number: card.unified_business_number().map(str::to_owned),
        company_name: card.company_name().map(str::to_owned),
        pin: card.pin().to_owned(),
    }
}

fn demo_file(
    config: &Config,
    pki: &DemoPki,
    card_address: SocketAddr,
    officers: Vec<OfficerEntry>,
) -> DemoFile {
    let person = |row: &idcheck_usecases::ports::RegisterRow| PersonEntry {
        person_id: row.person_id.expose().to_owned(),
        apply_code: row.data.apply_code.as_str().to_owned(),
        apply_yyymmdd: row.data.applied_on.to_string(),
        issue_site_id: row.data.issue_site.code().to_owned(),
        status: status_word(row.status).to_owned(),
    };
    DemoFile {
        base_url: config.base_url.clone(),
        softcard_url: format!("http://{card_address}"),
        cards: pki.cards().iter().map(card_entry).collect(),
        officers,
        persons: persons(PERSONS).iter().map(person).collect(),
        consent: ConsentEntry {
            notice_version: NOTICE_VERSION.to_owned(),
            conduct_version: CONDUCT_VERSION.to_owned(),
        },
        mail_dir: config.mail.folder.clone().unwrap_or_default(),
    }
}

/// Whole or not at all.
fn write(path: &Path, file: &DemoFile) -> anyhow::Result<()> {
    let partial = path.with_extension("json.part");
    fs::write(&partial, serde_json::to_vec_pretty(file)?)?;
    fs::rename(&partial, path)?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the person at the terminal came for")]
fn print_welcome(file: &DemoFile, dir: &Path) {
    println!("idcheck demo: everything in it is made up.\n");
    println!("  tour      {}/demo", file.base_url);
    println!("  portal    {}/", file.base_url);
    println!("  console   {}/officer", file.base_url);
    println!("  API       {}/docs", file.base_url);
    println!("  cards     {}/selfTest.htm\n", file.softcard_url);
    if let Some(card) = file.cards.first() {
        let name = card.company_name.as_deref().unwrap_or_default();
        let ubn = card.unified_business_number.as_deref().unwrap_or_default();
        println!("  company   {name}, {ubn}; card PIN {}", card.pin);
    }
    for officer in file.officers.iter().filter(|o| o.role == "reviewer" || o.role == "supervisor").take(3) {
        println!(
            "  officer   {} / {} / TOTP secret {}",
            officer.username, officer.password, officer.totp_secret
        );
    }
    println!("\n  everything else is in {}", dir.join("demo.json").display());
    println!("  Ctrl-C stops; started again on the same folder it goes on.");
}
