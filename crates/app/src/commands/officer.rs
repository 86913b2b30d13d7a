//! `officer add` and `officer list`.

use std::{io::BufRead, process::ExitCode};

use anyhow::Context;
use idcheck_domain::officer::Role;
use idcheck_usecases::officers::{AddOfficer, AddedBy};
use zeroize::Zeroizing;

use crate::{config::Config, wiring};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
pub(super) async fn add(config: &Config, username: &str, role: Role) -> anyhow::Result<ExitCode> {
    let store = super::store(config).await?;
    eprintln!("Type the password (12 to 128 characters) and press Enter:");
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line).context("no password on standard input")?;
    let password = line.trim_end_matches(['\r', '\n']);
    let add = AddOfficer::new(wiring::officer_ports(&store)?);
    let (officer, secrets) = add.execute(&AddedBy::Operator, username, password, role).await?;
    let secret = base32::encode(base32::Alphabet::Rfc4648 { padding: false }, &secrets.totp_secret);
    println!("added {} ({})", officer.username, officer.role.as_str());
    println!("second factor, shown only now: {secret}");
    println!("otpauth://totp/idcheck:{}?secret={secret}&issuer=idcheck", officer.username);
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn list(config: &Config) -> anyhow::Result<ExitCode> {
    let store = super::store(config).await?;
    for officer in AddOfficer::new(wiring::officer_ports(&store)?).list().await? {
        println!("{:<32} {}", officer.username, officer.role.as_str());
    }
    Ok(ExitCode::SUCCESS)
}
