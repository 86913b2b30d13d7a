//! Tools that the tests need and a fresh machine lacks; kept in the cache, installed from registries only.

use std::{path::PathBuf, process::Command};

use crate::shell::{cache, cargo, command, output, packages, run};

const CARGO_DENY: &str = "0.20.2";
const NEXTEST: &str = "0.9.143";
const TYPOS: &str = "1.52.0";
/// Carries the NIST PKITS certificates, lists and messages.
const VECTORS: &str = "50.0.2";
const PYTHON_PACKAGES: [&str; 4] =
    ["PyJWT==2.15.1", "cryptography==50.0.2", "openapi-python-client==0.29.1", "aiosmtpd==1.4.6"];

/// cargo-deny, compiled once into the cache.
pub(crate) fn cargo_deny() -> anyhow::Result<PathBuf> {
    installed("cargo-deny", CARGO_DENY)
}

/// `cargo nextest`: the machine's where it has one, or else compiled once into the cache.
pub(crate) fn nextest() -> anyhow::Result<Command> {
    if output(&mut cargo(&["nextest", "--version"])).is_ok() {
        return Ok(cargo(&["nextest"]));
    }
    Ok(command(installed("cargo-nextest", NEXTEST)?, &["nextest"]))
}

/// A program of the crate registry, compiled once into the cache.
fn installed(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let home = cache()?.join(format!("{name}-{version}"));
    let binary = home.join("bin").join(name);
    if !binary.exists() {
        println!("installing {name} {version} into {}", home.display());
        let target = cache()?.join(format!("{name}-target"));
        let home = home.to_string_lossy();
        let mut install = cargo(&["install", "--locked", "--root", &home, name, "--version", version]);
        run(install.env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"))?;
    }
    Ok(binary)
}

/// A Python environment with typos, with the libraries of the client that is not ours, with a generator of clients, and
/// with a mail server.
pub(crate) fn python() -> anyhow::Result<PathBuf> {
    let home = cache()?.join("python-3");
    let python = home.join("bin/python");
    if !home.join("complete").exists() {
        let target = home.to_string_lossy();
        // Debian keeps what `venv` needs in a package of its own.
        packages(|| output(&mut command("python3", &["-c", "import ensurepip"])).is_ok(), &["python3-venv"])?;
        run(&mut command("python3", &["-m", "venv", "--clear", &target]))?;
        let typos = format!("typos=={TYPOS}");
        let mut install = command(&python, &["-m", "pip", "install", "--quiet", &typos]);
        run(install.args(PYTHON_PACKAGES))?;
        std::fs::write(home.join("complete"), "")?;
    }
    Ok(python)
}

/// The NIST PKITS data, unpacked from a Python package once.
pub(crate) fn pkits() -> anyhow::Result<PathBuf> {
    let home = cache()?.join(format!("pkits-{VECTORS}"));
    let data = home.join("cryptography_vectors/x509/PKITS_data");
    if !home.join("complete").exists() {
        let target = home.to_string_lossy();
        let package = format!("cryptography-vectors=={VECTORS}");
        let options = ["-m", "pip", "install", "--quiet", "--no-deps", "--target"];
        run(command(python()?, &options).arg(&*target).arg(package))?;
        std::fs::write(home.join("complete"), "")?;
    }
    Ok(data)
}
