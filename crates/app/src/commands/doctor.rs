//! `doctor` and `config check`: whether the service can work as it is configured, one line for each thing, with what to
//! do where it can't. Nothing is changed, and nothing secret is printed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use idcheck_certificate::{Certificate, FolderVerifier};
use idcheck_domain::taipei;
use idcheck_identity::OpenIdProvider;
use idcheck_persistence::{Store, database_file, shown_address};
use idcheck_usecases::ports::{CalendarStore, Clock};

use super::shared::ConfigArguments;
use crate::{
    config::{self, Config},
    keyfile, logs,
    system::SystemClock,
    wiring,
};

/// A certificate or a list that ends sooner than this is told.
const CERTIFICATE_LEFT: TimeDelta = TimeDelta::days(90);
const LIST_LEFT: TimeDelta = TimeDelta::hours(12);
/// Clocks further apart than this disturb deadlines and tokens; sessions of officers fail soon after.
const CLOCK_WARN: TimeDelta = TimeDelta::seconds(2);
const CLOCK_FAIL: TimeDelta = TimeDelta::seconds(30);
/// Bytes that must be left on a disk.
const DISK_WARN: u64 = 2 << 30;
const DISK_FAIL: u64 = 200 << 20;

/// What was found about one thing.
enum Finding {
    /// As it should be.
    Fine(String),
    /// Works now; the second text is what to do.
    Attend(String, String),
    /// Does not work; the second text is what to do.
    Broken(String, String),
}

use Finding::{Attend, Broken, Fine};

/// The lines, and whether one is bad.
#[derive(Default)]
struct Report {
    broken: bool,
}

impl Report {
    #[expect(clippy::print_stdout, reason = "the command's output")]
    fn line(&mut self, about: &str, finding: Finding) {
        let (word, told) = match finding {
            Fine(told) => ("ok", told),
            Attend(told, todo) => ("warn", format!("{told}: {todo}")),
            Broken(told, todo) => ("fail", format!("{told}: {todo}")),
        };
        self.broken |= word == "fail";
        println!("{word:<4} {about:<12} {told}");
    }

    fn exit(&self) -> ExitCode {
        if self.broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Only the configuration. Exit status 0 when it can be used, 1 when not.
pub(super) fn check_config(arguments: &ConfigArguments) -> ExitCode {
    let mut report = Report::default();
    configuration(arguments, &mut report);
    report.exit()
}

/// Everything. Exit status 0 when nothing fails, 1 otherwise; a warning does not count.
pub(super) async fn run(arguments: &ConfigArguments) -> ExitCode {
    let mut report = Report::default();
    let Some(config) = configuration(arguments, &mut report) else { return report.exit() };
    // What a library says of a failure goes to standard error, beside the line about it.
    drop(logs::set_up(&config.log));
    let now = SystemClock.now();
    let store = match keyfile::read(&config.key_file) {
        Ok(key) => {
            report.line("key file", Fine(format!("{}, for its owner only", config.key_file.display())));
            database(&config, &key, &mut report).await
        }
        Err(error) => {
            report.line(
                "key file",
                Broken(format!("{error:#}"), "without it nothing at rest opens".to_owned()),
            );
            None
        }
    };
    if let Some(store) = &store {
        report.line("migrations", migrations(store).await);
        report.line("clock", clock(store).await);
        report.line("calendar", calendar(store, now).await);
    }
    trust(&config, now, &mut report);
    report.line("mail", mail(&config).await);
    if let Ok(Some(provider)) = wiring::identity::identity_provider(&config) {
        report.line("officers", officers(&provider).await);
    }
    for (about, folder) in disks(&config) {
        report.line(about, disk(&folder));
    }
    report.exit()
}

/// Reads the configuration and sets up from it what needs no connection.
fn configuration(arguments: &ConfigArguments, report: &mut Report) -> Option<Config> {
    let config = match config::read(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            report.line("config", Broken(format!("{error:#}"), "correct it and start again".to_owned()));
            return None;
        }
    };
    let broken = wiring::card::card_policy(&config.card)
        .err()
        .or_else(|| wiring::mail::mail_settings(&config.mail).err());
    let broken = broken.or_else(|| wiring::identity::identity_provider(&config).err());
    let again = || "correct it and start again".to_owned();
    let broken = broken.map(|error| format!("{error:#}")).or_else(|| config::trust_fault(&config));
    report.line(
        "config",
        match broken {
            Some(fault) => Broken(fault, again()),
            None => Fine(format!("serves {} on {}", config.base_url, config.listen)),
        },
    );
    for (told, todo) in loose(&config) {
        report.line("config", Attend(told, todo.to_owned()));
    }
    Some(config)
}

/// What works and is looser than a production service should be.
fn loose(config: &Config) -> Vec<(String, &'static str)> {
    let mut loose = Vec::new();
    if !config.base_url.starts_with("https://") {
        let told = format!("base_url {} is not https", config.base_url);
        loose.push((
            told,
            "put TLS in front and name it https; cookies are for TLS only then, and HSTS is sent",
        ));
    }
    if config.allow_loopback_hosts {
        let told = "allow_loopback_hosts is on".to_owned();
        loose.push((told, "switch it off: any program on this host passes for a registered address"));
    }
    if config.tokens.skew > 300 {
        let told = format!("tokens.skew is {} s", config.tokens.skew);
        loose.push((told, "300 s is what the wire format says; have the callers' clocks set"));
    }
    if config.card.allow_sha1 {
        loose.push(("card.allow_sha1 is on".to_owned(), "switch it off as soon as no card in use needs it"));
    }
    if !config.listen.ip().is_loopback() {
        let told = format!("/metrics is open at {} too", config.listen);
        loose.push((told, "let only the collector reach it, in the proxy or by the firewall"));
    }
    loose
}

async fn database(config: &Config, key: &keyfile::MasterKey, report: &mut Report) -> Option<Store> {
    let shown = shown_address(&config.database_url);
    let opened = async {
        let store = wiring::store::open_store(&config.database_url, key).await?;
        store.ping().await.with_context(|| format!("{shown} does not answer"))?;
        anyhow::Ok(store)
    };
    match opened.await {
        Ok(store) => {
            report.line("database", Fine(format!("{shown} answers")));
            Some(store)
        }
        Err(error) => {
            let todo = "see that it runs, and that address, user, password and key file are right".to_owned();
            report.line("database", Broken(format!("{error:#}"), todo));
            None
        }
    }
}

async fn migrations(store: &Store) -> Finding {
    match store.migration_status().await {
        Err(error) => Broken(error.to_string(), "the line on standard error tells more".to_owned()),
        Ok(steps) if steps.iter().any(|step| !step.known) => {
            Attend("the database is of a newer version".to_owned(), "update this node's idcheck".to_owned())
        }
        Ok(steps) => match steps.iter().filter(|step| !step.applied).count() {
            0 => Fine(format!("all {} steps taken", steps.len())),
            missing => Broken(format!("{missing} steps are missing"), "run `idcheck migrate up`".to_owned()),
        },
    }
}

async fn clock(store: &Store) -> Finding {
    let before = SystemClock.now();
    match store.time().await {
        Err(error) => Broken(error.to_string(), "the line on standard error tells more".to_owned()),
        Ok(None) => Fine("the database has this computer's".to_owned()),
        Ok(Some(theirs)) => {
            // The middle of the question is when it was read, as near as can be known.
            let ours = before + (SystemClock.now() - before) / 2;
            let apart = (theirs - ours).abs();
            let told = format!("{:.1} s apart from the database's", apart.as_seconds_f64());
            let todo = "set both by NTP".to_owned();
            match apart {
                apart if apart > CLOCK_FAIL => Broken(told, todo),
                apart if apart > CLOCK_WARN => Attend(told, todo),
                _ => Fine(told),
            }
        }
    }
}

async fn calendar(store: &Store, now: DateTime<Utc>) -> Finding {
    let year = taipei::day(now).year();
    let todo = |year: i32| format!("run `idcheck calendar import` with the government's file of {year}");
    match store.load().await {
        Err(error) => Broken(error.to_string(), "the line on standard error tells more".to_owned()),
        Ok(calendar) if calendar.days_off(year).is_none() => {
            Broken(format!("{year} is not known, so deadlines are provisional"), todo(year))
        }
        Ok(calendar) if calendar.days_off(year + 1).is_none() => {
            Attend(format!("{year} is known, {} is not", year + 1), todo(year + 1))
        }
        Ok(_) => Fine(format!("{year} and {} are known", year + 1)),
    }
}

fn trust(config: &Config, now: DateTime<Utc>, report: &mut Report) {
    let verifier = match wiring::card::card_verifier(config) {
        Ok(verifier) => verifier,
        Err(error) => {
            let todo = "every file there must be PEM or DER of what its folder is for".to_owned();
            report.line("anchors", Broken(format!("{error:#}"), todo));
            return;
        }
    };
    let current = verifier.current();
    let dir = &config.trust_dir;
    let anchors: Vec<_> = current.trust().anchors().map(Arc::as_ref).collect();
    report.line("anchors", certificates(&anchors, &dir.join("anchors"), now));
    let companies: Vec<_> = current.trust().company_cas().iter().map(Arc::as_ref).collect();
    report.line("company CAs", certificates(&companies, &dir.join("company-ca"), now));
    report.line("lists", lists(&verifier, config, now));
}

fn certificates(found: &[&Certificate], folder: &Path, now: DateTime<Utc>) -> Finding {
    let valid = found.iter().filter(|ca| ca.not_before() <= now && now <= ca.not_after()).count();
    let put = format!("put the CA's certificate into {}", folder.display());
    let Some(end) = found.iter().map(|ca| ca.not_after()).min() else {
        return Broken("there is none, so no card is accepted".to_owned(), put);
    };
    let told = format!("{} found, {valid} valid now, the first ends on {}", found.len(), end.date_naive());
    if valid == 0 {
        Broken(told, put)
    } else if end < now + CERTIFICATE_LEFT {
        Attend(told, put)
    } else {
        Fine(told)
    }
}

fn lists(verifier: &FolderVerifier, config: &Config, now: DateTime<Utc>) -> Finding {
    let lists = verifier.lists();
    let folder = config.trust_dir.join("crls");
    let put = format!("put current revocation lists into {}", folder.display());
    let Some(oldest) = lists.iter().map(|list| list.this_update).min() else {
        return if config.card.fetch {
            Fine("none as files; fetched when a card signs".to_owned())
        } else {
            Broken("there is none and none are fetched, so no card is accepted".to_owned(), put)
        };
    };
    let end = |list: &idcheck_certificate::ListState| list.next_update.unwrap_or(list.this_update);
    let stale = lists.iter().filter(|list| end(list) < now).count();
    let soon = lists.iter().filter(|list| end(list) < now + LIST_LEFT).count();
    let age = (now - oldest).num_hours();
    let told = format!("{} found, the oldest is {age} h old, {stale} past their end", lists.len());
    match (stale, soon) {
        (0, 0) => Fine(told),
        (0, _) => Attend(format!("{told}, {soon} end within 12 h"), put),
        _ if config.card.fetch => {
            Attend(told, "newer ones are fetched when a card signs, or put them there".to_owned())
        }
        _ => Broken(told, put),
    }
}

async fn mail(config: &Config) -> Finding {
    if let Some(folder) = &config.mail.folder {
        let probe = folder.join(".idcheck-doctor");
        return match fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)) {
            Ok(()) => Attend(
                format!("kept as files in {}", folder.display()),
                "set mail.smtp_host to send it".to_owned(),
            ),
            Err(error) => Broken(format!("{}: {error}", folder.display()), "make it writable".to_owned()),
        };
    }
    match wiring::mail::smtp(&config.mail) {
        Err(error) => Broken(format!("{error:#}"), "correct the section mail".to_owned()),
        Ok(smtp) if smtp.answers().await => Fine("the SMTP server answers".to_owned()),
        Ok(_) => {
            let todo =
                "see that host, port, security and password are right; mail waits meanwhile".to_owned();
            Broken("the SMTP server does not answer as configured".to_owned(), todo)
        }
    }
}

/// Whether officers can sign in.
async fn officers(provider: &OpenIdProvider) -> Finding {
    match provider.probe().await {
        Ok(keys) => Fine(format!("the identity provider answers, with {keys} keys")),
        Err(error) => {
            let todo = "see that oidc.issuer is right and reachable; nobody can sign in meanwhile".to_owned();
            Broken(format!("the identity provider: {error:#}"), todo)
        }
    }
}

/// Where this process writes.
fn disks(config: &Config) -> Vec<(&'static str, PathBuf)> {
    let database = database_file(&config.database_url).and_then(|file| file.parent().map(Path::to_owned));
    let folders = [("disk (data)", database), ("disk (mail)", config.mail.folder.clone())];
    folders.into_iter().filter_map(|(about, folder)| Some((about, folder?))).collect()
}

fn disk(folder: &Path) -> Finding {
    let todo = "make room".to_owned();
    match rustix::fs::statvfs(folder) {
        Err(error) => Broken(format!("{}: {error}", folder.display()), "make the folder".to_owned()),
        Ok(disk) => {
            let free = disk.f_bavail * disk.f_frsize;
            let told = format!("{} MiB free at {}", free >> 20, folder.display());
            match free {
                ..DISK_FAIL => Broken(told, todo),
                DISK_FAIL..DISK_WARN => Attend(told, todo),
                _ => Fine(told),
            }
        }
    }
}
