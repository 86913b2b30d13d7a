//! `cargo xtask layers`: the edges between the crates and the circles between files are those of the golden lists, versions stand in one place, and
//! the architecture page names the crates that there are, and the table of threats the tests that there are.

use std::{collections::BTreeSet, fs};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::shell::{cargo, output, root};

const GOLDEN: &str = "xtask/layers.golden";

/// Checks all of it.
pub(crate) fn run() -> anyhow::Result<()> {
    let metadata = output(&mut cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata has no packages")?;
    edges(packages)?;
    crate::circles::run()?;
    versions()?;
    architecture(packages)?;
    threats()
}

fn name(value: &Value) -> &str {
    value["name"].as_str().unwrap_or_default()
}

/// Every dependency of one of our crates on another, with its kind.
fn edges(packages: &[Value]) -> anyhow::Result<()> {
    let ours: BTreeSet<_> = packages.iter().map(name).collect();
    let mut found = BTreeSet::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if ours.contains(name(dependency)) {
                let kind = dependency["kind"].as_str().unwrap_or("normal");
                found.insert(format!("{} -> {} ({kind})", name(package), name(dependency)));
            }
        }
    }
    let golden = fs::read_to_string(root().join(GOLDEN)).context(GOLDEN)?;
    let golden: BTreeSet<_> =
        golden.lines().filter(|l| !l.is_empty() && !l.starts_with('#')).map(str::to_owned).collect();
    let added: Vec<_> = found.difference(&golden).cloned().collect();
    let gone: Vec<_> = golden.difference(&found).cloned().collect();
    if !added.is_empty() || !gone.is_empty() {
        bail!("edges differ from {GOLDEN}\n  new: {added:#?}\n  gone: {gone:#?}");
    }
    println!("{} edges as in {GOLDEN}", found.len());
    Ok(())
}

/// Versions stand in the root's `[workspace.dependencies]`, one line each with its reason.
fn versions() -> anyhow::Result<()> {
    let text = fs::read_to_string(root().join("Cargo.toml"))?;
    let section = text.split("[workspace.dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    for line in section.lines().filter(|line| !line.trim().is_empty() && !line.contains("path = ")) {
        if !line.starts_with('#') && !line.contains(" # ") {
            bail!("Cargo.toml: no reason stands beside `{line}`");
        }
    }
    for folder in ["crates", "tests", "xtask"] {
        for manifest in manifests(&root().join(folder))? {
            let parsed: toml::Value = toml::from_str(&fs::read_to_string(&manifest)?)?;
            for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
                for (dependency, value) in
                    parsed.get(table).and_then(toml::Value::as_table).into_iter().flatten()
                {
                    if value.is_str() || value.get("version").is_some() {
                        bail!("{}: the version of {dependency} belongs into the root", manifest.display());
                    }
                }
            }
        }
    }
    Ok(())
}

fn manifests(folder: &std::path::Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let own = folder.join("Cargo.toml");
    if own.exists() {
        return Ok(vec![own]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let manifest = entry?.path().join("Cargo.toml");
        if manifest.exists() {
            found.push(manifest);
        }
    }
    Ok(found)
}

/// The page names every crate, and no crate that is gone.
fn architecture(packages: &[Value]) -> anyhow::Result<()> {
    let page = fs::read_to_string(root().join("docs/architecture.md")).context("docs/architecture.md")?;
    for package in packages {
        if !page.contains(&format!("`{}`", name(package))) {
            bail!("docs/architecture.md does not name `{}`", name(package));
        }
    }
    let named = page.split('`').filter(|word| {
        word.starts_with("idcheck-") && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    });
    for word in named {
        if !packages.iter().any(|package| name(package) == word) {
            bail!("docs/architecture.md names `{word}`, which is not in the workspace");
        }
    }
    Ok(())
}

/// Every test that `SECURITY.md` names is where it says: `` `file`: `function`, `function` ``. A test may be the first
/// word of a macro that makes one for each database.
fn threats() -> anyhow::Result<()> {
    let page = fs::read_to_string(root().join("SECURITY.md")).context("SECURITY.md")?;
    for row in page.lines().filter(|line| line.starts_with('|')) {
        let mut source: Option<(&str, String)> = None;
        for word in row.split('`').skip(1).step_by(2) {
            let ending = word.rsplit_once('.').map(|(_, ending)| ending);
            let function = word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if matches!(ending, Some("rs" | "mjs")) {
                let text = fs::read_to_string(root().join(word));
                source = Some((word, text.with_context(|| format!("SECURITY.md names {word}"))?));
            } else if let Some((file, text)) = source.as_ref().filter(|_| function && word.contains('_'))
                && ![format!("fn {word}("), format!("fn {word}<"), format!("!({word},")]
                    .iter()
                    .any(|definition| text.contains(definition))
            {
                bail!("SECURITY.md names `{word}`, which is not in {file}");
            }
        }
    }
    Ok(())
}
