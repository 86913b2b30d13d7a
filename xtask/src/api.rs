//! `cargo xtask api`: what the crates for embedders promise, one line an item, so that a change of it shows in a review.

use std::fs;

use anyhow::{Context, bail};
use public_api::Builder;
use serde_json::Value;

use crate::shell::{cargo, output, root, run as shell};

/// Crates that strangers build on.
const CRATES: [&str; 2] = ["domain", "usecases"];

/// Writes the lists, or compares them with the code.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    for name in CRATES {
        let items = items(name)?;
        let path = root().join(format!("crates/{name}/public-api.txt"));
        if !check {
            fs::write(path, items)?;
            continue;
        }
        let known = fs::read_to_string(&path).unwrap_or_default();
        let gone: Vec<_> = known.lines().filter(|line| !items.lines().any(|item| item == *line)).collect();
        let added: Vec<_> = items.lines().filter(|item| !known.lines().any(|line| line == *item)).collect();
        if !gone.is_empty() || !added.is_empty() {
            bail!(
                "the public API of idcheck-{name} changed\n  gone: {gone:#?}\n  added: {added:#?}\n\
                 run `cargo xtask api`; whoever embeds the crate has to follow what is gone"
            );
        }
        println!("{} public items of idcheck-{name} as listed", known.lines().count());
    }
    Ok(())
}

/// The list of a crate. rustdoc tells it as JSON, which the stable toolchain has behind `RUSTC_BOOTSTRAP`; build scripts
/// look at that variable, so that a folder of its own keeps the usual build as it is.
fn items(name: &str) -> anyhow::Result<String> {
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"].as_str().context("cargo metadata has no target_directory")?;
    let target = format!("{target}/api");
    let package = format!("idcheck-{name}");
    let build = ["rustdoc", "--quiet", "--lib", "--package", &package, "--target-dir", &target];
    let format = ["--", "-Z", "unstable-options", "--output-format", "json"];
    shell(cargo(&[&build[..], &format[..]].concat()).env("RUSTC_BOOTSTRAP", "1"))?;
    let listed = Builder::from_rustdoc_json(format!("{target}/doc/idcheck_{name}.json"))
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| format!("the documentation of {package}"))?;
    let items: Vec<_> = listed.items().map(ToString::to_string).collect();
    Ok(items.join("\n") + "\n")
}

/// Packs the crates as the registry would take them; a warning is a failure.
pub(crate) fn package() -> anyhow::Result<()> {
    let mut arguments = vec!["package", "--allow-dirty", "--no-verify"];
    let packages = CRATES.map(|name| format!("idcheck-{name}"));
    for package in &packages {
        arguments.extend(["--package", package]);
    }
    let packed = cargo(&arguments).output()?;
    let told = String::from_utf8_lossy(&packed.stderr);
    // What cargo says of the machine's own configuration and network is not about the crates.
    let about_us = |line: &&str| !line.contains("warning: ignoring") && !line.contains("warning: spurious");
    if !packed.status.success() || told.lines().filter(about_us).any(|line| line.starts_with("warning")) {
        bail!("{told}");
    }
    println!("{} packed", packages.join(" and "));
    Ok(())
}
