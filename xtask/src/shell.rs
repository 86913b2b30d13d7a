//! Running other programs.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Where tools and build results that outlive a clone are kept.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    if let Some(dir) = std::env::var_os("IDCHECK_CACHE") {
        return Ok(dir.into());
    }
    let home = std::env::var_os("HOME").context("neither IDCHECK_CACHE nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cache/idcheck"))
}

/// A program run in the workspace's root.
pub(crate) fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Cargo, as this tool was started by.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments)
}

/// Runs it and asks for success.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?} can't be started"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Runs it and takes what it printed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("{command:?} can't be started"))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Installs Debian packages, as root or with sudo, and says so. Needed only where `probe` is not there yet.
pub(crate) fn packages(probe: impl Fn() -> bool, names: &[&str]) -> anyhow::Result<()> {
    if probe() {
        return Ok(());
    }
    let remedy = format!("run `apt-get install {}` as root", names.join(" "));
    println!("installing {} with apt-get", names.join(", "));
    let apt = |arguments: &[&str]| {
        let mut apt = if is_root() { Command::new("apt-get") } else { command("sudo", &["-n", "apt-get"]) };
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        run(&mut apt)
    };
    apt(&["update", "-qq"]).context(remedy.clone())?;
    apt(&[&["install", "-y", "-qq", "--no-install-recommends"], names].concat()).context(remedy.clone())?;
    if !probe() {
        bail!("apt-get did not bring what is needed; {remedy}");
    }
    Ok(())
}

/// Whether this is root.
pub(crate) fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}
