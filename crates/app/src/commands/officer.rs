//! `officer add`, `list`, `role`, `close`, `open`, `reset`.

use std::{
    io::{BufRead, IsTerminal},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::Subcommand;
use idcheck_domain::{officer::Role, taipei};
use idcheck_usecases::officer::{
    KeepOfficers, KeptBy, NewCredential, SecondFactor, ShownOnce, SignInMethods,
};
use zeroize::Zeroizing;

use super::shared::{ConfigArguments, store};
use crate::{config::Config, wiring};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add an officer; the password is read from standard input, the second factor's secret is printed once.
    Add {
        /// 3 to 32 lower-case letters, digits, '.' or '-'.
        username: String,
        /// reviewer, supervisor, auditor or admin.
        #[arg(long, value_parser = role)]
        role: Role,
        /// The officer's subject at the identity provider (`sub`); the officer then has no password and second factor here.
        #[arg(long)]
        subject: Option<String>,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Invite an officer: prints a code with which the officer sets a password and a second factor at /officer/invitation.
    Invite {
        /// 3 to 32 lower-case letters, digits, '.' or '-'.
        username: String,
        /// reviewer, supervisor, auditor or admin.
        #[arg(long, value_parser = role)]
        role: Role,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// List the officers with role, sign-in method and whether the account is closed.
    List(ConfigArguments),
    /// Change an officer's role, effective from the officer's next request.
    Role {
        /// The officer's user name.
        username: String,
        /// reviewer, supervisor, auditor or admin.
        #[arg(value_parser = role)]
        role: Role,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Close an account and sign the officer out everywhere; the officer's history is kept.
    Close {
        /// The officer's user name.
        username: String,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Reopen a closed account.
    Open {
        /// The officer's user name.
        username: String,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Set a new password and second factor, or another subject; signs the officer out everywhere and unlocks the account.
    Reset {
        /// The officer's user name.
        username: String,
        /// The officer's subject at the identity provider (`sub`); the officer then has no password and second factor here.
        #[arg(long)]
        subject: Option<String>,
        #[command(flatten)]
        config: ConfigArguments,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "reviewer, supervisor, auditor or admin".to_owned())
}

/// Runs it.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Add { username, role, subject, config } => {
            add(&config.read()?, &username, role, subject.as_deref()).await
        }
        Command::Invite { username, role, config } => invite(&config.read()?, &username, role).await,
        Command::List(config) => list(&config.read()?).await,
        Command::Role { username, role, config } => set_role(&config.read()?, &username, role).await,
        Command::Close { username, config } => set_closed(&config.read()?, &username, true).await,
        Command::Open { username, config } => set_closed(&config.read()?, &username, false).await,
        Command::Reset { username, subject, config } => {
            reset(&config.read()?, &username, subject.as_deref()).await
        }
    }
}

async fn accounts(config: &Config) -> anyhow::Result<KeepOfficers> {
    let store = store(config).await?;
    Ok(KeepOfficers::new(wiring::identity::officer_ports(&store, &config.base_url, SignInMethods::Local)?))
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn add(config: &Config, username: &str, role: Role, subject: Option<&str>) -> anyhow::Result<ExitCode> {
    let keep = accounts(config).await?;
    let password = password_unless(subject)?;
    let (officer, factor) =
        keep.add(&KeptBy::Operator, username, role, credential(subject, &password)).await?;
    println!("added {} ({})", officer.username, officer.role.as_str());
    tell(username, factor.as_ref());
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn invite(config: &Config, username: &str, role: Role) -> anyhow::Result<ExitCode> {
    ensure!(
        wiring::identity::sign_in_methods(config)?.local(),
        "officers sign in through the identity provider here; add them with `officer add --subject`"
    );
    let keep = accounts(config).await?;
    let (officer, shown) = keep.add(&KeptBy::Operator, username, role, NewCredential::Invitation).await?;
    println!("invited {} ({})", officer.username, officer.role.as_str());
    tell(username, shown.as_ref());
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn list(config: &Config) -> anyhow::Result<ExitCode> {
    for listed in accounts(config).await?.list(&KeptBy::Operator).await? {
        let by = if listed.by_provider { "provider" } else { "password" };
        let closed = match (listed.closed, listed.invited_until) {
            (true, _) => " closed",
            (false, Some(_)) => " invited",
            (false, None) => "",
        };
        println!("{:<32} {:<10} {by}{closed}", listed.officer.username, listed.officer.role.as_str());
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn set_role(config: &Config, username: &str, role: Role) -> anyhow::Result<ExitCode> {
    accounts(config).await?.set_role(&KeptBy::Operator, username, role).await?;
    println!("{username} is {} from now on", role.as_str());
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn set_closed(config: &Config, username: &str, closed: bool) -> anyhow::Result<ExitCode> {
    accounts(config).await?.set_closed(&KeptBy::Operator, username, closed).await?;
    println!("{username}: {}", if closed { "closed, signed out everywhere" } else { "open again" });
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
async fn reset(config: &Config, username: &str, subject: Option<&str>) -> anyhow::Result<ExitCode> {
    let keep = accounts(config).await?;
    let password = password_unless(subject)?;
    let factor = keep.reset(&KeptBy::Operator, username, credential(subject, &password)).await?;
    println!("{username}: signed out everywhere, the old way to sign in does not count any more");
    tell(username, factor.as_ref());
    Ok(ExitCode::SUCCESS)
}

const fn credential<'c>(subject: Option<&'c str>, password: &'c str) -> NewCredential<'c> {
    match subject {
        Some(subject) => NewCredential::Subject(subject),
        None => NewCredential::Password(password),
    }
}

/// A password from standard input, unless the identity provider vouches.
#[expect(clippy::print_stderr, reason = "the command's prompt")]
fn password_unless(subject: Option<&str>) -> anyhow::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    if subject.is_none() {
        eprintln!("Type the password (12 to 128 characters) and press Enter:");
        // At a terminal it is not shown while it is typed.
        if std::io::stdin().is_terminal() {
            return Ok(Zeroizing::new(rpassword::read_password().context("no password was typed")?));
        }
        std::io::stdin().lock().read_line(&mut line).context("no password on standard input")?;
    }
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The second factor, where there is one.
#[expect(clippy::print_stdout, reason = "the command's output")]
fn tell(username: &str, shown: Option<&ShownOnce>) {
    let secret = match shown {
        None => return,
        Some(ShownOnce::Factor(SecondFactor(secret))) => secret,
        Some(ShownOnce::Invitation { code, until }) => {
            println!("code for /officer/invitation, shown only now: {code}");
            println!("good until {}", taipei::local(*until).format("%Y-%m-%d %H:%M"));
            return;
        }
    };
    let secret = base32::encode(base32::Alphabet::Rfc4648 { padding: false }, secret);
    println!("second factor, shown only now: {secret}");
    println!("otpauth://totp/idcheck:{username}?secret={secret}&issuer=idcheck");
}
