//! `officer add`, `list`, `role`, `close`, `open`, `reset`.

use std::{
    io::{BufRead, IsTerminal},
    process::ExitCode,
};

use anyhow::Context;
use idcheck_domain::officer::Role;
use idcheck_usecases::officer::{KeepOfficers, KeptBy, NewCredential, SecondFactor, SignInMethods};
use zeroize::Zeroizing;

use crate::{config::Config, wiring};

async fn accounts(config: &Config) -> anyhow::Result<KeepOfficers> {
    let store = super::store(config).await?;
    Ok(KeepOfficers::new(wiring::officer_ports(&store, SignInMethods::Local)?))
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn add(
    config: &Config,
    username: &str,
    role: Role,
    subject: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let keep = accounts(config).await?;
    let password = password_unless(subject)?;
    let (officer, factor) =
        keep.add(&KeptBy::Operator, username, role, credential(subject, &password)).await?;
    println!("added {} ({})", officer.username, officer.role.as_str());
    tell(username, factor.as_ref());
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn list(config: &Config) -> anyhow::Result<ExitCode> {
    for listed in accounts(config).await?.list().await? {
        let by = if listed.by_provider { "provider" } else { "password" };
        let closed = if listed.closed { " closed" } else { "" };
        println!("{:<32} {:<10} {by}{closed}", listed.officer.username, listed.officer.role.as_str());
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn set_role(config: &Config, username: &str, role: Role) -> anyhow::Result<ExitCode> {
    accounts(config).await?.set_role(&KeptBy::Operator, username, role).await?;
    println!("{username} is {} from now on", role.as_str());
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn set_closed(config: &Config, username: &str, closed: bool) -> anyhow::Result<ExitCode> {
    accounts(config).await?.set_closed(&KeptBy::Operator, username, closed).await?;
    println!("{username}: {}", if closed { "closed, signed out everywhere" } else { "open again" });
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn reset(
    config: &Config,
    username: &str,
    subject: Option<&str>,
) -> anyhow::Result<ExitCode> {
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
fn tell(username: &str, factor: Option<&SecondFactor>) {
    let Some(SecondFactor(secret)) = factor else { return };
    let secret = base32::encode(base32::Alphabet::Rfc4648 { padding: false }, secret);
    println!("second factor, shown only now: {secret}");
    println!("otpauth://totp/idcheck:{username}?secret={secret}&issuer=idcheck");
}
