//! `cargo xtask configuration`: the reference of the configuration, made from its types (their doc comments say what a value is
//! for) and from the values that `idcheck config default` prints. So the page can't tell of a key that is not there.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use anyhow::{Context, bail};
use syn::{Attribute, Expr, Field, Item, Lit, Meta, Variant};

use crate::shell::{cargo, output, root};

const SOURCE: &str = "crates/app/src/config";
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
    let defaults =
        output(&mut cargo(&["run", "--quiet", "--package", "idcheck", "--", "config", "default"]))?;
    let page = page(&types()?, &toml::from_str(&defaults)?)?;
    let path = root().join(PAGE);
    if !check {
        return Ok(fs::write(path, page)?);
    }
    if fs::read_to_string(path).unwrap_or_default() != page {
        bail!("{PAGE} is not what the types say; run `cargo xtask configuration` and look at the change");
    }
    Ok(())
}

/// The types of all sections.
fn types() -> anyhow::Result<BTreeMap<String, Type>> {
    let mut types = BTreeMap::new();
    for entry in fs::read_dir(root().join(SOURCE))? {
        for item in syn::parse_file(&fs::read_to_string(entry?.path())?)?.items {
            match item {
                Item::Struct(item) => {
                    let member = |field: Field| Member {
                        name: field.ident.map(|name| name.to_string()).unwrap_or_default(),
                        kind: written(&field.ty),
                        told: told(&field.attrs),
                    };
                    let members = item.fields.into_iter().map(member).collect();
                    types.insert(
                        item.ident.to_string(),
                        Type { told: told(&item.attrs), members, is_enum: false },
                    );
                }
                Item::Enum(item) => {
                    let rule = rule(&item.attrs);
                    let member = |variant: Variant| Member {
                        name: renamed(&variant.ident.to_string(), &rule),
                        kind: String::new(),
                        told: told(&variant.attrs),
                    };
                    let members = item.variants.into_iter().map(member).collect();
                    types.insert(
                        item.ident.to_string(),
                        Type { told: told(&item.attrs), members, is_enum: true },
                    );
                }
                _ => {}
            }
        }
    }
    Ok(types)
}

/// The doc comment, on one line.
fn told(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ")
}

/// `rename_all` of a type.
fn rule(attributes: &[Attribute]) -> String {
    let serde = attributes.iter().filter(|attribute| attribute.path().is_ident("serde"));
    let tokens = serde.filter_map(|attribute| Some(attribute.meta.require_list().ok()?.tokens.to_string()));
    let mut named = tokens
        .filter_map(|tokens| Some(tokens.split("rename_all = \"").nth(1)?.split('"').next()?.to_owned()));
    named.next().unwrap_or_default()
}

/// A type as it is written, without blanks.
fn written(kind: &syn::Type) -> String {
    use quote::ToTokens;
    kind.to_token_stream().to_string().replace(' ', "")
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

Made from the types in `crates/app/src/config/` by `cargo xtask configuration`; a test compares the two.

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
