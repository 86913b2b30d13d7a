//! `idcheck doctor` and `idcheck config check`: what is in order, and each thing that is broken with its own line.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use idcheck_tests::{Demo, Nodes, idcheck};

/// The configuration of a demo's own data.
fn settings(data: &Path) -> Vec<(&'static str, String)> {
    let path = |name: &str| data.join(name).display().to_string();
    vec![
        ("IDCHECK_DATABASE_URL", format!("sqlite://{}", path("idcheck.db"))),
        ("IDCHECK_KEY_FILE", path("key")),
        ("IDCHECK_TRUST_DIR", path("pki/trust")),
        ("IDCHECK_MAIL__FOLDER", path("mail")),
        ("IDCHECK_CARD__FETCH", "false".to_owned()),
        ("IDCHECK_BASE_URL", "https://idcheck.example".to_owned()),
    ]
}

/// Exit status, and the lines.
fn run(arguments: &[&str], settings: &[(&'static str, String)]) -> (i32, Vec<String>) {
    let output = idcheck(arguments, settings, "");
    let printed = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), printed.lines().map(str::to_owned).collect())
}

/// The word in front of the line about something.
fn word<'l>(lines: &'l [String], about: &str) -> &'l str {
    let line = lines.iter().find(|line| line[5..].starts_with(about));
    line.unwrap_or_else(|| panic!("nothing about {about} in {lines:#?}")).split(' ').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_broken_has_its_line() {
    let mut demo = Demo::start().await;
    let data = demo.data_dir();
    let sound = settings(&data);
    let (status, lines) = run(&["doctor"], &sound);
    assert_eq!(status, 0, "{lines:#?}");
    for about in ["config", "key file", "database", "migrations", "clock", "anchors", "company CAs", "lists"]
    {
        assert_eq!(word(&lines, about), "ok", "{about}: {lines:#?}");
    }
    assert_eq!(word(&lines, "mail"), "warn", "files are not sent");

    let with = |name: &'static str, value: &str| {
        let mut changed = sound.clone();
        changed.retain(|(known, _)| *known != name);
        changed.push((name, value.to_owned()));
        run(&["doctor"], &changed)
    };
    for (name, value, about) in [
        ("IDCHECK_LISTEN", "nowhere", "config"),
        ("IDCHECK_CARD__POLICIES", "[\"policy\"]", "config"),
        ("IDCHECK_KEY_FILE", "/nowhere/key", "key file"),
        ("IDCHECK_DATABASE_URL", "sqlite:///nowhere/idcheck.db", "database"),
        ("IDCHECK_DATABASE_URL", "postgres://nobody@127.0.0.1:1/x", "database"),
        ("IDCHECK_TRUST_DIR", "/nowhere", "anchors"),
        ("IDCHECK_TRUST_DIR", "/nowhere", "company CAs"),
        ("IDCHECK_TRUST_DIR", "/nowhere", "lists"),
        ("IDCHECK_MAIL__FOLDER", "/nowhere", "mail"),
    ] {
        let (status, lines) = with(name, value);
        assert_eq!((status, word(&lines, about)), (1, "fail"), "{name}={value}: {lines:#?}");
    }
    for (name, value) in [
        ("IDCHECK_CARD__ALLOW_SHA1", "true"),
        ("IDCHECK_BASE_URL", "http://127.0.0.1:8080"),
        ("IDCHECK_ALLOW_LOOPBACK_HOSTS", "true"),
        ("IDCHECK_TOKENS__SKEW", "600"),
        ("IDCHECK_LISTEN", "0.0.0.0:8080"),
    ] {
        let (status, lines) = with(name, value);
        let warned = lines.iter().filter(|line| line.starts_with("warn config")).count();
        assert_eq!((status, word(&lines, "config"), warned), (0, "ok", 1), "{name}: {lines:#?}");
    }
    let (status, lines) = with("IDCHECK_BASE_URL", "x");
    assert_eq!((status, word(&lines, "config")), (1, "fail"), "{lines:#?}");

    demo.process.kill();
    fs::set_permissions(data.join("key"), fs::Permissions::from_mode(0o644)).unwrap();
    let (status, lines) = run(&["doctor"], &sound);
    assert_eq!((status, word(&lines, "key file")), (1, "fail"), "{lines:#?}");
    fs::write(data.join("pki/trust/anchors/root.pem"), "no certificate").unwrap();
    let (status, lines) = run(&["doctor"], &sound);
    assert_eq!((status, word(&lines, "anchors")), (1, "fail"), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_checked_without_anything_running() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("idcheck.toml");
    let path = file.display().to_string();
    for (text, status, told) in [
        ("listen = \"127.0.0.1:9000\"\n[mail]\nfolder = \"mail\"\n", 0, "ok "),
        ("lisen = \"127.0.0.1:9000\"\n", 1, "lisen"),
        ("[card]\nrevocation = \"never\"\n", 1, "card.revocation"),
        ("[card]\npolicies = [\"policy\"]\n[mail]\nfolder = \"mail\"\n", 1, "policy"),
        ("listen = \"127.0.0.1:9000\"\n", 1, "mail.smtp_host"),
    ] {
        fs::write(&file, text).unwrap();
        let others = [
            ("IDCHECK_BASE_URL", "https://idcheck.example".to_owned()),
            ("IDCHECK_TRUST_DIR", dir.path().display().to_string()),
        ];
        let (code, lines) = run(&["config", "check", "--config", &path], &others);
        assert_eq!(code, status, "{text}: {lines:#?}");
        assert!(lines.len() == 1 && lines[0].contains(told), "{text}: {lines:#?}");
    }
    assert!(!dir.path().join("mail").exists(), "a check makes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_is_held_against_the_database() {
    let nodes = Nodes::start(1).await;
    let (status, lines) = run(&["doctor"], nodes.environment());
    let line = lines.iter().find(|line| line.contains(" clock ")).unwrap();
    assert!(line.starts_with("ok ") && line.contains("apart from the database's"), "{line}");
    assert_eq!((status, word(&lines, "calendar")), (1, "fail"), "no year was imported: {lines:#?}");
    nodes.close();
}
