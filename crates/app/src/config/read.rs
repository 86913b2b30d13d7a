//! Reading the configuration: what is wrong is told all at once, each with its place, and no value is shown.

use std::path::Path;

use anyhow::{Context, bail};
use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
};
use toml::de::DeTable;

use super::{Config, faults};

/// Reads the configuration.
///
/// # Errors
/// The file, line and key that can't be read.
pub(crate) fn read(file: Option<&Path>) -> anyhow::Result<Config> {
    let mut given = Figment::new();
    let mut text = String::new();
    if let Some(file) = file {
        text = std::fs::read_to_string(file).with_context(|| format!("configuration {}", file.display()))?;
        // The parser's own report quotes the line, which may hold a password.
        if let Err(error) = DeTable::parse(&text) {
            let (line, column) = position(&text, error.span().map_or(0, |span| span.start));
            bail!("{}, line {line}, column {column}: not TOML: {}", file.display(), error.message());
        }
        given = given.merge(Toml::string(&text));
    }
    let environment = Env::prefixed("IDCHECK_").filter(|name| !of_others(name.as_str())).split("__");
    given = given.merge(environment);
    let usual = || Figment::from(Serialized::defaults(Config::default()));
    let wrong = match usual().merge(&given).extract::<Config>() {
        Ok(config) => {
            let faults = faults(&config);
            if faults.is_empty() {
                return Ok(config);
            }
            faults
        }
        // Reading ends at the first key that is wrong: each is read by itself, so that all are told.
        Err(all) => {
            let each = leaves(&given).into_iter().filter_map(|(key, value)| {
                let alone = usual().merge(Serialized::default(&key, value)).extract::<Config>();
                alone.err().map(|error| told(error, &key, file, &text))
            });
            let each: Vec<_> = each.collect();
            if each.is_empty() { vec![told(all, "", file, &text)] } else { each }
        }
    };
    bail!("{}", wrong.join("; "))
}

/// Each value that is given, with its key; a list is one value.
fn leaves(given: &Figment) -> Vec<(String, figment::value::Value)> {
    fn walk(prefix: &str, value: figment::value::Value, leaves: &mut Vec<(String, figment::value::Value)>) {
        match value {
            figment::value::Value::Dict(_, members) if !members.is_empty() => {
                for (name, value) in members {
                    let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                    walk(&key, value, leaves);
                }
            }
            value => leaves.push((prefix.to_owned(), value)),
        }
    }
    let mut leaves = Vec::new();
    if let Ok(all) = given.extract::<figment::value::Value>() {
        walk("", all, &mut leaves);
    }
    leaves
}

/// What is wrong with a key, with its place in the file where it stands there. No value is shown: one may be a secret.
fn told(errors: figment::Error, given: &str, file: Option<&Path>, text: &str) -> String {
    let told = errors.into_iter().map(|error| {
        let path = if error.path.is_empty() {
            given.split('.').map(str::to_owned).collect()
        } else {
            error.path.clone()
        };
        let key = path.join(".").to_lowercase();
        let wrong = match &error.kind {
            Kind::UnknownField(_, known) => format!("there is no such key; there are {}", known.join(", ")),
            Kind::UnknownVariant(_, known) => format!("must be one of {}", known.join(", ")),
            Kind::InvalidType(_, expected)
            | Kind::InvalidValue(_, expected)
            | Kind::InvalidLength(_, expected) => format!("must be {}", readable(expected)),
            _ => "has a value that can't be read".to_owned(),
        };
        match (file, place(text, &path)) {
            (Some(file), Some((line, column))) => {
                format!("{}, line {line}, column {column}: `{key}`: {wrong}", file.display())
            }
            _ => format!("`{key}`, from the environment as `{}`: {wrong}", environment_name(&path)),
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

/// Line and column, from 1, of a byte.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before.len() - line_start + 1)
}

/// Line and column, from 1, of a key.
fn place(text: &str, path: &[String]) -> Option<(usize, usize)> {
    let (last, tables) = path.split_last()?;
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    for name in tables {
        match table.get(name.as_str()).and_then(|value| value.get_ref().as_table()) {
            Some(inner) => table = inner,
            // A member of a list: the list's place.
            None => return place(text, tables),
        }
    }
    let Some((key, _)) = table.iter().find(|(key, _)| key.get_ref() == last) else {
        return place(text, tables);
    };
    Some(position(text, key.span().start))
}

/// The environment variable of a key.
fn environment_name(path: &[String]) -> String {
    format!("IDCHECK_{}", path.join("__").to_uppercase())
}

/// Names that the client program, the project's own tests and tasks, and Kubernetes for a service called `idcheck` use, so that
/// all can stand in one environment.
fn of_others(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let links =
        name.starts_with("service_host") || name.starts_with("service_port") || name.starts_with("port_");
    let ours = name.starts_with("test_") || name.starts_with("client_");
    links || ours || ["shared", "cache", "port"].contains(&name.as_str())
}

/// What was expected, where the library says it with a type of Rust.
fn readable(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or greater",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "bool" | "a boolean" => "true or false",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("idcheck.toml");
        std::fs::write(&file, text).unwrap();
        let told = format!("{:#}", read(Some(&file)).unwrap_err());
        told.replace(&dir.path().display().to_string(), "")
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, expected) in [
            ("listen = 5", "/idcheck.toml, line 1, column 1: `listen`: must be "),
            ("\n[limits]\n  quota = -1", "/idcheck.toml, line 3, column 3: `limits.quota`: must be "),
            (
                "[mail]\ncolour = \"x\"",
                "/idcheck.toml, line 2, column 1: `mail.colour`: there is no such key; there are sender",
            ),
            (
                "roles = [\"portal\", \"clerk\"]",
                "/idcheck.toml, line 1, column 1: `roles.1`: must be one of portal, officer",
            ),
            ("[limits\n", "line 1, column 8"),
            ("database_url = \"postgres://u:hunter2@h/d\" x", "line 1, column 43: not TOML: "),
            ("database_url = [\"postgres://u:hunter2@h/d\"]", "`database_url`: must be a string"),
            ("ledger_batch = \"many\"", "`ledger_batch`: must be a whole number, 0 or greater"),
            ("allow_loopback_hosts = 1", "`allow_loopback_hosts`: must be true or false"),
            ("listen = \"hunter2\"", "`listen`: "),
            ("database_url = \"mysql://u:hunter2@h/d\"", "`database_url`: it must begin with"),
            ("[limits]\nquota = 0", "`limits.quota`: must be 1 at least"),
        ] {
            let told = refused(text);
            assert!(told.contains(expected), "{text}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }

    #[test]
    fn every_key_that_is_wrong_is_told_at_once() {
        let told = refused("listen = 5\nsize = 1\n[limits]\nquota = -1\n[mail]\ncolour = 2");
        for key in [
            "line 1, column 1: `listen`",
            "line 2, column 1: `size`",
            "line 4, column 1: `limits.quota`",
            "line 6, column 1: `mail.colour`",
        ] {
            assert!(told.contains(key), "{key}: {told}");
        }
    }

    #[test]
    fn what_kubernetes_puts_beside_is_passed_over() {
        for name in [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_HTTP",
            "PORT",
            "PORT_8080_TCP",
            "PORT_8080_TCP_ADDR",
        ] {
            assert!(of_others(name), "{name}");
        }
        for name in ["LISTEN", "LIMITS__QUOTA", "DATABASE_URL"] {
            assert!(!of_others(name), "{name}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let told = format!("{:#}", read(Some(Path::new("/nowhere/idcheck.toml"))).unwrap_err());
        assert!(told.starts_with("configuration /nowhere/idcheck.toml: "), "{told}");
    }
}
