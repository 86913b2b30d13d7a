//! `cargo xtask demo`.

use std::os::unix::process::CommandExt;

use crate::shell::{self, cargo, output};

/// Builds in release and becomes the demo, so that Ctrl-C reaches it directly.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    shell::run(&mut cargo(&["build", "--release", "--package", "idcheck"]))?;
    let binary = target_directory()?.join("release/idcheck");
    Err(std::process::Command::new(binary).arg("demo").args(arguments).exec().into())
}

/// Where cargo puts what it builds.
pub(crate) fn target_directory() -> anyhow::Result<std::path::PathBuf> {
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    Ok(metadata["target_directory"].as_str().unwrap_or("target").into())
}
