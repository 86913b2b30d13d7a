//! `idcheck-client`: makes a key, asks one question, explains a refusal.
//!
//! A thin program over the library: it reads settings, prints, and turns outcomes into exit statuses. It shows no
//! personal data, no key and no token, and repeats nothing on its own but the same token.

mod explain;
mod keygen;
mod settings;
mod verify;
mod words;

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use zeroize::Zeroizing;

/// Nothing on standard input or in a file given is longer.
const MAX_INPUT: u64 = 64 * 1024;

/// Client of the verification API: makes a key, asks one question, explains a refusal.
#[derive(Parser)]
#[command(name = "idcheck-client", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key; its public half is to be registered with the service.
    Keygen(keygen::KeygenArguments),
    /// Ask one question and print the answer as JSON.
    Verify(verify::VerifyArguments),
    /// Say why questions are refused and what to do, without asking about anybody.
    Explain(explain::ExplainArguments),
}

/// Exit status of a command line or setting that can't be used.
const USAGE: u8 = 2;

#[expect(clippy::print_stderr, reason = "the program's own errors")]
fn main() -> ExitCode {
    match execute(Arguments::parse().command) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("idcheck-client: {error:#}");
            ExitCode::from(USAGE)
        }
    }
}

fn execute(command: Command) -> anyhow::Result<u8> {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("the runtime did not start")
    };
    match command {
        Command::Keygen(arguments) => keygen::run(&arguments),
        Command::Verify(arguments) => runtime()?.block_on(verify::run(arguments)),
        Command::Explain(arguments) => runtime()?.block_on(explain::run(arguments)),
    }
}

/// Reads a file, or standard input for `-`, up to a bound.
fn read_input(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let shown = path.display();
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MAX_INPUT + 1).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).with_context(|| shown.to_string())?;
        file.take(MAX_INPUT + 1).read_to_string(&mut text)
    };
    let length = read.with_context(|| format!("{shown}: not readable as text"))?;
    if length as u64 > MAX_INPUT {
        bail!("{shown}: longer than {MAX_INPUT} bytes");
    }
    Ok(text)
}

/// Reads a file with a secret, which nobody but its owner may read.
fn read_secret(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    owner_only(path)?;
    read_input(path)
}

#[cfg(unix)]
fn owner_only(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let metadata = std::fs::metadata(path).with_context(|| shown.to_string())?;
    if metadata.permissions().mode() & 0o077 != 0 {
        bail!("{shown}: others than its owner may read it; run `chmod 600 {shown}`");
    }
    Ok(())
}

/// Elsewhere the folder's access list decides.
#[cfg(not(unix))]
fn owner_only(path: &Path) -> anyhow::Result<()> {
    std::fs::metadata(path).with_context(|| path.display().to_string()).map(drop)
}

/// Where the connection's settings are; flags go before the environment, the environment before the file.
#[derive(clap::Args)]
struct ConnectionArguments {
    /// Settings, TOML; each also from the environment as `IDCHECK_CLIENT_…`.
    #[arg(long, env = "IDCHECK_CLIENT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The service's address, such as `https://idcheck.example`.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// `legacy` or `strict`: the wire format that the key is registered for.
    #[arg(long, value_parser = settings::profile)]
    profile: Option<idcheck_client::Profile>,
    /// `production` or `sandbox`.
    #[arg(long, value_parser = settings::environment)]
    environment: Option<idcheck_client::Environment>,
    /// Language of messages: `zh-Hant-TW` or `en`.
    #[arg(long, value_parser = words::lang)]
    lang: Option<words::Lang>,
}
