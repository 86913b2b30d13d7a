//! The command line as an operator meets it: every help text as a whole, and ten mistakes, each with a sentence that
//! says what is wrong and what to do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fmt::Write as _, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use idcheck_tests::{free_port, idcheck, program};

/// The help of a command and of all below it.
fn help(name: &str, path: &[String], all: &mut String) {
    let output = Command::new(program(name)).args(path).arg("--help").env_remove("COLUMNS").output().unwrap();
    assert!(output.status.success(), "{name} {path:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    writeln!(all, "$ {} --help\n{text}", [&[name.to_owned()], path].concat().join(" ")).unwrap();
    let commands = text.split("Commands:\n").nth(1).unwrap_or_default();
    for line in commands.lines().take_while(|line| line.starts_with("  ")) {
        let Some(command) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else { continue };
        let command = command.split_whitespace().next().unwrap();
        if command != "help" {
            help(name, &[path, &[command.to_owned()]].concat(), all);
        }
    }
}

#[test]
fn every_help_text() {
    for name in ["idcheck", "idcheck-softcard", "idcheck-client"] {
        let mut all = String::new();
        help(name, &[], &mut all);
        insta::assert_snapshot!(format!("help_of_{name}"), all);
    }
}

fn secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A configuration with a database in a file that is there.
fn configured(dir: &Path) -> String {
    secret(&dir.join("key"), &"07".repeat(32));
    let path = |name: &str| dir.join(name).display().to_string();
    format!(
        "listen = \"127.0.0.1:{}\"\ndatabase_url = \"sqlite://{}\"\nkey_file = \"{}\"\ntrust_dir = \"{}\"\n\
         [mail]\nfolder = \"{}\"\n",
        free_port(),
        path("idcheck.db"),
        path("key"),
        path("trust"),
        path("mail"),
    )
}

#[test]
fn ten_mistakes_are_told_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let right = configured(dir.path());
    let run = |config: &str, arguments: &[&str]| {
        fs::write(path("idcheck.toml"), config).unwrap();
        let config = path("idcheck.toml");
        let output = idcheck(&[arguments, &["--config", &config]].concat(), &[], "");
        (output.status.code().unwrap(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let told = |config: &str, arguments: &[&str], expected: &str| {
        let (status, printed) = run(config, arguments);
        assert_ne!(status, 0, "{arguments:?}: {printed}");
        assert!(printed.contains(expected), "{arguments:?}: {printed}");
        assert!(!printed.contains("hunter2") && !printed.contains("panicked"), "{printed}");
    };
    let with = |line: &str| format!("{line}\n{right}");

    told(&right, &["serve"], "steps; run `idcheck migrate up` first");
    assert_eq!(run(&right, &["migrate", "up"]).0, 0);
    told(
        &with("roles = [\"clerk\"]"),
        &["serve"],
        "idcheck.toml, line 1, column 1: `roles.0`: unknown variant",
    );
    told(
        &with("lissten = 1"),
        &["serve"],
        "line 1, column 1: `lissten`: there is no such key; there are roles, listen",
    );
    told(&with("[limits"), &["serve"], "idcheck.toml: TOML parse error at line 1, column 8");
    let away = right.replace("sqlite://", "postgres://idcheck:hunter2@127.0.0.1:1");
    told(&away, &["migrate", "status"], "the database postgres://127.0.0.1:1/");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("listen = \"{}\"", taken.local_addr().unwrap());
    let elsewhere = right.lines().map(|line| if line.starts_with("listen") { listen.as_str() } else { line });
    told(&elsewhere.collect::<Vec<_>>().join("\n"), &["serve"], "Address already in use");
    told(&right, &["registry", "import", "/nowhere.csv"], "register file /nowhere.csv: No such file");
    fs::write(path("other.csv"), "name,number\n").unwrap();
    told(&right, &["registry", "import", &path("other.csv")], "the first line must be `personId,applyCode");
    fs::set_permissions(path("key"), fs::Permissions::from_mode(0o644)).unwrap();
    told(&right, &["serve"], "others than its owner may read it; run `chmod 600 ");
    secret(&dir.path().join("key"), "07");
    told(&right, &["serve"], "not 64 hexadecimal digits");
}
