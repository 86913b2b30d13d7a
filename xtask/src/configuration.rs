//! `cargo xtask configuration`: the reference of the configuration, made from its types (their doc comments say what a value is
//! for) and from the values that `idcheck config default` prints. So the page can't tell of a key that is not there.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use anyhow::{Context, bail};

use crate::shell::{cargo, output, root};

const SOURCE: &str = "crates/app/src/config.rs";
const PAGE: &str = "docs/configuration.md";

/// A field of a struct, or a variant of an enum.
struct Member {
    name: String,
    kind: String,
    told: String,
}

/// A struct or an enum of the source.
struct Type {
    told: String,
    members: Vec<Member>,
    is_enum: bool,
}

/// Writes the page, or compares it.
pub(crate) fn run(check: bool) -> anyhow::Result<()> {
    let source = fs::read_to_string(root().join(SOURCE)).context(SOURCE)?;
    let defaults =
        output(&mut cargo(&["run", "--quiet", "--package", "idcheck", "--", "config", "default"]))?;
    let page = page(&types(&source), &toml::from_str(&defaults)?)?;
    let path = root().join(PAGE);
    if !check {
        return Ok(fs::write(path, page)?);
    }
    if fs::read_to_string(path).unwrap_or_default() != page {
        bail!("{PAGE} is not what the types say; run `cargo xtask configuration` and look at the change");
    }
    Ok(())
}

/// The types of a source that rustfmt has laid out: members one level in, doc comments before what they tell of.
fn types(source: &str) -> BTreeMap<String, Type> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    let mut types = BTreeMap::new();
    let mut told = String::new();
    let mut rename = "";
    let mut open: Option<(String, Type)> = None;
    for line in source.lines() {
        let trimmed = line.trim();
        if let Some(text) = trimmed.strip_prefix("/// ") {
            if !told.is_empty() {
                told.push(' ');
            }
            told.push_str(text);
            continue;
        }
        if trimmed.starts_with("#[") {
            rename =
                trimmed.split("rename_all = \"").nth(1).map_or(rename, |r| r.split('"').next().unwrap_or(r));
            continue;
        }
        let words: Vec<_> = trimmed.trim_end_matches('{').split_whitespace().collect();
        match (&mut open, words.as_slice()) {
            (None, [.., what @ ("struct" | "enum"), name]) if line.ends_with('{') => {
                let is_enum = *what == "enum";
                let told = std::mem::take(&mut told);
                open = Some(((*name).to_owned(), Type { told, members: Vec::new(), is_enum }));
            }
            (Some(_), ["}"]) if !line.starts_with(' ') => {
                types.extend(open.take());
                rename = "";
            }
            (Some((_, found)), _) if line.starts_with("    ") && !line.starts_with("     ") => {
                let (name, kind) = trimmed.trim_end_matches(',').split_once(": ").unwrap_or((trimmed, ""));
                let name = name.trim_start_matches("pub(crate) ").trim_end_matches(',');
                let name = if found.is_enum { renamed(name, rename) } else { name.to_owned() };
                let told = std::mem::take(&mut told);
                found.members.push(Member { name, kind: kind.to_owned(), told });
            }
            _ => told.clear(),
        }
    }
    types
}

/// A variant as it is written in a file.
fn renamed(variant: &str, rule: &str) -> String {
    match rule {
        "lowercase" => variant.to_lowercase(),
        "camelCase" => variant[..1].to_lowercase() + &variant[1..],
        _ => variant.to_owned(),
    }
}

fn page(types: &BTreeMap<String, Type>, defaults: &toml::Table) -> anyhow::Result<String> {
    let mut page = "\
# Configuration

Made from the types in `crates/app/src/config.rs` by `cargo xtask configuration`; a test compares the two.

One TOML file, `--config idcheck.toml`, and the environment, which comes before the file. Both are read once, at the start. An
unknown key is refused with its place. `idcheck config check` tells what is wrong, `idcheck config default` prints the defaults.
In the environment a list is written as in TOML: `IDCHECK_ROLES='[\"portal\", \"verify\"]'`.
"
    .to_owned();
    let config = types.get("Config").with_context(|| format!("{SOURCE} has no Config"))?;
    let (tables, plain): (Vec<_>, Vec<_>) = config.members.iter().partition(|member| is_table(types, member));
    page.push_str("\n## At the top\n\n");
    rows(&mut page, types, "", plain.into_iter(), defaults)?;
    for table in tables {
        let inner = &types[table.kind.as_str()];
        write!(page, "\n## `[{}]`\n\n{}\n\n", table.name, inner.told)?;
        let none = toml::Table::new();
        let values = defaults.get(&table.name).and_then(toml::Value::as_table).unwrap_or(&none);
        rows(&mut page, types, &table.name, inner.members.iter(), values)?;
    }
    Ok(page)
}

fn is_table(types: &BTreeMap<String, Type>, member: &Member) -> bool {
    types.get(&member.kind).is_some_and(|inner| !inner.is_enum)
}

fn rows<'a>(
    page: &mut String,
    types: &BTreeMap<String, Type>,
    table: &str,
    members: impl Iterator<Item = &'a Member>,
    defaults: &toml::Table,
) -> anyhow::Result<()> {
    page.push_str("| key | in the environment | default | meaning |\n|---|---|---|---|\n");
    for Member { name, kind, told } in members {
        if told.is_empty() {
            bail!("{SOURCE}: `{name}` has no doc comment");
        }
        let path = if table.is_empty() { name.clone() } else { format!("{table}__{name}") };
        let default = defaults.get(name).map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
        let inner = kind.trim_start_matches("Vec<").trim_start_matches("Option<").trim_end_matches('>');
        let choices = types.get(inner).filter(|inner| inner.is_enum).map(|inner| choices(&inner.members));
        let told = format!("{told}{}", choices.unwrap_or_default()).replace('|', "\\|");
        writeln!(page, "| `{name}` | `IDCHECK_{}` | {default} | {told} |", path.to_uppercase())?;
    }
    Ok(())
}

/// What a value can be, each with what it means.
fn choices(variants: &[Member]) -> String {
    let told =
        variants.iter().map(|Member { name, told, .. }| format!("`{name}`: {}", told.trim_end_matches('.')));
    format!("<br>{}", told.collect::<Vec<_>>().join("<br>"))
}
