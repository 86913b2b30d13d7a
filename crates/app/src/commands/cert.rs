//! `cert verify`: the verdict on one signature, as JSON.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use idcheck_certificate::{
    Certificate, CrlStore, Examination, Policy, Refusal, Revocation, TrustStore, Verifier, path::PathRules,
};
use idcheck_usecases::ports::Clock;
use serde_json::{Value, json};

use crate::system::SystemClock;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Verify a card signature; exits with 0 if it is accepted, 1 if refused, 2 if unreadable.
    Verify(VerifyArguments),
}

/// Runs it.
pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::Verify(arguments) = command;
    verify(arguments)
}

/// Parses an RFC 3339 time of the command line.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.with_timezone(&Utc)),
        Err(_) => Err("a time such as 2026-12-01T09:00:00+08:00".to_owned()),
    }
}

/// What is judged, and by what.
#[derive(Args)]
pub(super) struct VerifyArguments {
    /// The CMS signature, DER or BER.
    #[arg(long)]
    cms: PathBuf,
    /// What it must have signed; without it, whatever it carries.
    #[arg(long)]
    content: Option<PathBuf>,
    /// `anchors/`, `company-ca/` and `intermediates/`.
    #[arg(long)]
    trust: PathBuf,
    /// A revocation list, PEM or DER; repeatable.
    #[arg(long = "crl")]
    crls: Vec<PathBuf>,
    /// The time to judge at; now when absent.
    #[arg(long, value_parser = time)]
    at: Option<DateTime<Utc>>,
    /// The company that must have signed.
    #[arg(long)]
    require_ubn: Option<String>,
    /// Accept SHA-1.
    #[arg(long)]
    allow_sha1: bool,
    /// Don't look at revocation.
    #[arg(long)]
    no_revocation: bool,
}

/// Judges it. Exit status 0 accepted, 1 refused, 2 unreadable.
fn verify(arguments: &VerifyArguments) -> anyhow::Result<ExitCode> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("reading {}", path.display()));
    let cms = read(&arguments.cms)?;
    let content = arguments.content.as_deref().map(read).transpose()?;
    let trust = TrustStore::load(&arguments.trust).context("trusted certificates")?;
    let mut crls = Vec::new();
    for path in &arguments.crls {
        crls.extend(CrlStore::read_file(path).context("revocation list")?);
    }
    let policy = Policy {
        path: PathRules { allow_sha1: arguments.allow_sha1, ..PathRules::default() },
        revocation: if arguments.no_revocation { Revocation::Off } else { Revocation::Required },
    };
    let verifier = Verifier::new(Arc::new(trust), Arc::new(CrlStore::new(crls)), policy);
    let at = arguments.at.unwrap_or_else(|| SystemClock.now());
    let examination = verifier.examine(&cms, content.as_deref(), at);
    Ok(report(&examination, arguments.require_ubn.as_deref()))
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn report(examination: &Examination, required: Option<&str>) -> ExitCode {
    let (mut reason, facts, unreadable) = match &examination.outcome {
        Ok(facts) => (None, Some(facts), false),
        Err(refusal) => (Some(refusal.code()), None, refusal.is_unreadable()),
    };
    if let (Some(facts), Some(required)) = (facts, required)
        && facts.unified_business_number != required
    {
        reason = Some(Refusal::OtherCompany.code());
    }
    let chain: Vec<Value> = examination.chain.iter().map(|certificate| described(certificate)).collect();
    let output = json!({
        "accepted": reason.is_none(),
        "reason": reason.unwrap_or("accepted"),
        "subject": examination.signer.as_deref().map(described),
        "unifiedBusinessNumber": facts.map(|facts| facts.unified_business_number.as_str()),
        "companyName": facts.map(|facts| facts.company_name.as_str()),
        "chain": chain,
    });
    println!("{output:#}");
    match (reason, unreadable) {
        (None, _) => ExitCode::SUCCESS,
        (Some(_), false) => ExitCode::from(1),
        (Some(_), true) => ExitCode::from(2),
    }
}

fn described(certificate: &Certificate) -> Value {
    json!({
        "subject": certificate.subject().to_string(),
        "issuer": certificate.issuer().to_string(),
        "serial": certificate.serial_hex(),
        "notBefore": certificate.not_before().to_rfc3339(),
        "notAfter": certificate.not_after().to_rfc3339(),
    })
}
