//! `cargo xtask openapi`.

use std::fs;

use anyhow::bail;

use crate::shell::{cargo, output, root};

/// Writes `docs/openapi.json`, or compares it with what the program prints.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let document = output(&mut cargo(&["run", "--quiet", "--package", "idcheck", "--", "openapi"]))?;
    let path = root().join("docs/openapi.json");
    if !check {
        return Ok(fs::write(path, document)?);
    }
    if fs::read_to_string(&path).unwrap_or_default() != document {
        bail!(
            "docs/openapi.json is not what the program prints; run `cargo xtask openapi` and look at the change"
        );
    }
    Ok(())
}
