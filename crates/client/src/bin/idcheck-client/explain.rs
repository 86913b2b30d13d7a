//! `explain`: causes and remedies in plain words. It shows no value of a token, only names of members, times and the
//! company's own key fingerprint.

use std::{fmt::Write, path::PathBuf};

use chrono::{DateTime, Utc};
use clap::Args;
use idcheck_client::{
    Client, Clock, Environment, Probe, Profile, Reading, Step,
    inspect::{self, Expected, Report},
    read,
};

use crate::{
    ConnectionArguments, read_input,
    settings::{Connection, HELP},
    words::Lang,
};

const STATUSES: &str = "\
Without --token and --answer it sends the service a question without conditions, which is refused before anything is \
compared: no token is spent, nothing is counted, nobody is asked about. The service records the refusal.

Exit status:
  0  nothing is wrong
  2  the command line or a setting can't be used
  3  a cause was found
  4  the service does not answer";

/// What to look at.
#[derive(Args)]
#[command(after_help = STATUSES, after_long_help = format!("{STATUSES}\n\n{HELP}"))]
pub(crate) struct ExplainArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    /// Look at a token without sending it: a file, or `-` for standard input. Compared with the settings where they
    /// are set.
    #[arg(long, value_name = "FILE", conflicts_with = "answer")]
    token: Option<PathBuf>,
    /// Look at the body of a reply that was kept: a file, or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
    /// The HTTP status of that reply, where its body does not tell.
    #[arg(long, requires = "answer")]
    status: Option<u16>,
    /// The key's fingerprint as the service shows it, instead of the setting `registered_fingerprint`.
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<String>,
}

/// What is printed, and the exit status that it comes to.
struct Findings {
    lang: Lang,
    text: String,
    status: u8,
}

/// Nothing is wrong.
const GOOD: u8 = 0;
/// A cause was found.
const FOUND: u8 = 3;
/// The service does not answer.
const AWAY: u8 = 4;

impl Findings {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn state(&mut self, state: &str, what: &str) {
        let line = format!("[{}] {what}", self.lang.t(state));
        self.line(&line);
    }

    fn failed(&mut self, what: &str, code: &str, status: u8) {
        self.state("state-failed", what);
        let reason = self.lang.reason(code);
        self.line(&reason);
        self.status = self.status.max(status);
    }
}

/// Looks, and prints what it found.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) async fn run(arguments: ExplainArguments) -> anyhow::Result<u8> {
    let connection = Connection::read(arguments.connection)?;
    let mut findings = Findings { lang: connection.lang, text: String::new(), status: GOOD };
    if let Some(path) = &arguments.token {
        let text = read_input(path)?;
        let credentials = connection.credentials_if_set()?;
        let expected =
            credentials.as_ref().map(|credentials| Expected { credentials, audience: connection.audience() });
        findings.token(&inspect::token(&text, expected, now()), expected.is_some());
    } else if let Some(path) = &arguments.answer {
        findings.answer(&read(arguments.status, read_input(path)?.as_bytes()));
    } else {
        let client = connection.client()?;
        let registered = arguments.fingerprint.as_deref().or_else(|| connection.registered_fingerprint());
        findings.connection(&connection, &client, registered);
        let probe = client.probe().await?;
        findings.probe(&probe, client.environment());
    }
    print!("{}", findings.text);
    Ok(findings.status)
}

#[expect(clippy::disallowed_methods, reason = "the program's clock")]
fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

impl Findings {
    /// What is asked with, and whether its key is the registered one.
    fn connection(&mut self, connection: &Connection, client: &Client, registered: Option<&str>) {
        let lang = self.lang;
        let fingerprint = client.credentials().key().fingerprint();
        self.line(&lang.say(
            "service",
            &[
                ("url", connection.base_url().to_owned()),
                ("profile", client.profile().as_str().to_owned()),
                ("environment", client.environment().as_str().to_owned()),
            ],
        ));
        self.line(&lang.say("fingerprint", &[("fingerprint", fingerprint.clone())]));
        if let Some(registered) = registered {
            let plain: String = registered.chars().filter(char::is_ascii_hexdigit).collect();
            let what = lang.t("step-fingerprint");
            if plain.eq_ignore_ascii_case(&fingerprint) {
                self.state("state-good", &what);
            } else {
                self.failed(&what, "fingerprint-differs", FOUND);
            }
        }
    }

    fn probe(&mut self, probe: &Probe, environment: Environment) {
        let lang = self.lang;
        let failed = probe.failed.map(|(step, _)| step);
        for step in Step::ALL {
            let what = lang.t(&format!("step-{}", step.as_str()));
            match probe.failed {
                Some((at, code)) if at == step => {
                    self.failed(&what, code, if step == Step::Connection { AWAY } else { FOUND });
                }
                Some((at, _)) if at < step => self.state("state-unknown", &what),
                _ if environment == Environment::Sandbox && matches!(step, Step::Address | Step::Access) => {
                    self.state("state-exempt", &what);
                }
                _ => self.state("state-good", &what),
            }
        }
        if let Some(clock) = probe.clock {
            self.clock(clock);
        }
        if let Some(address) = probe.local_address {
            self.line(&lang.say("local-address", &[("address", address.to_string())]));
        }
        if failed.is_none() && self.status == GOOD {
            self.line(&lang.t("all-good"));
        }
    }

    fn clock(&mut self, clock: Clock) {
        let seconds = |delta: chrono::TimeDelta| format!("{}", delta.num_seconds());
        let key = if clock.offset >= chrono::TimeDelta::zero() { "clock-slow" } else { "clock-fast" };
        let what = self.lang.say(
            key,
            &[
                ("seconds", seconds(clock.offset.abs())),
                ("within", seconds(clock.uncertainty + UP_TO_A_SECOND)),
            ],
        );
        if clock.is_off() {
            self.failed(&what, "clock-off", FOUND);
        } else {
            self.state("state-good", &what);
        }
    }

    fn answer(&mut self, reading: &Reading) {
        let lang = self.lang;
        let code = match reading {
            Reading::Answer { answer, .. } => {
                let line = lang.say(
                    &format!("answer-{}", answer.code()),
                    &[("left", format!("{}", 4_u8.saturating_sub(answer.digit())))],
                );
                self.line(&line);
                return;
            }
            Reading::Refused(refusal) => refusal.code(),
            Reading::AlreadyUsed => "already-recorded",
            Reading::TooMany => "too-many-requests",
            Reading::Unavailable => "unavailable",
            Reading::Undecided { .. } => "outcome-unknown",
            Reading::Unreadable => "unreadable",
        };
        self.failed(&lang.say("reply", &[("code", code.to_owned())]), code, FOUND);
    }

    fn token(&mut self, report: &Report, compared: bool) {
        let lang = self.lang;
        let profile = report.profile.map_or("?", Profile::as_str).to_owned();
        let algorithm = report.algorithm.map_or("?", |algorithm| algorithm.as_str()).to_owned();
        self.line(&lang.say("token", &[("profile", profile), ("algorithm", algorithm)]));
        let mut times = String::new();
        for (name, time) in [("iat", report.issued_at), ("exp", report.expires_at)] {
            if let Some(time) = time {
                let _ = write!(times, "{name} {}  ", time.format("%Y-%m-%dT%H:%M:%SZ"));
            }
        }
        if !times.is_empty() {
            self.line(times.trim_end());
        }
        for finding in &report.findings {
            self.failed(finding.member.unwrap_or("JWT"), finding.cause.code(), FOUND);
        }
        if report.findings.is_empty() {
            let key = if compared { "token-good" } else { "token-good-not-compared" };
            self.line(&lang.t(key));
        }
    }
}

/// So that what is shown in whole seconds is no less than it is.
const UP_TO_A_SECOND: chrono::TimeDelta = chrono::TimeDelta::milliseconds(999);
