//! `keygen`: a private key for the company, a public one for the service.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::Args;
use idcheck_client::{KeyKind, Profile, SigningKey};
use serde_json::json;

const PRIVATE: &str = "private-key.pem";
const PUBLIC: &str = "public-key.pem";

/// What to make and where.
#[derive(Args)]
#[command(after_help = "Exit status: 0 made, 2 not made (a key that is there is never overwritten).")]
pub(crate) struct KeygenArguments {
    /// rsa-2048, rsa-3072 and rsa-4096 sign for both profiles, p256 and ed25519 for the strict one.
    #[arg(long, default_value = "rsa-2048", value_parser = kind)]
    kind: KeyKind,
    /// The folder for `private-key.pem` (mode 0600) and `public-key.pem`; made if not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn kind(text: &str) -> Result<KeyKind, String> {
    KeyKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| format!("one of {}", KeyKind::ALL.map(KeyKind::as_str).join(", ")))
}

/// Makes the key and prints where it is and its fingerprint, as JSON.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(crate) fn run(arguments: &KeygenArguments) -> anyhow::Result<u8> {
    let (private, public) = (arguments.out.join(PRIVATE), arguments.out.join(PUBLIC));
    fs::create_dir_all(&arguments.out).with_context(|| arguments.out.display().to_string())?;
    // Both or none: a public half that is there belongs to another key.
    if let Some(there) = [&private, &public].into_iter().find(|path| path.exists()) {
        anyhow::bail!("{} is there already; choose another folder", there.display());
    }
    let made = SigningKey::generate(arguments.kind)?;
    write(&private, made.private_pem.as_bytes(), 0o600)?;
    write(&public, made.key.public_pem().as_bytes(), 0o644)?;
    let profiles: Vec<_> = [Profile::Legacy, Profile::Strict]
        .into_iter()
        .filter(|profile| !made.key.algorithms(*profile).is_empty())
        .map(Profile::as_str)
        .collect();
    let printed = json!({
        "kind": arguments.kind.as_str(), "privateKeyFile": private, "publicKeyFile": public,
        "fingerprint": made.key.fingerprint(), "profiles": profiles,
    });
    println!("{printed:#}");
    Ok(0)
}

/// Writes a file that must not be there yet.
fn write(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| path.display().to_string())
}
