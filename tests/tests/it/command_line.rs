//! The command line as an operator meets it: every help text as a whole, and mistakes, each with a sentence that
//! says what is wrong and what to do.

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
    fs::create_dir(dir.join("trust")).unwrap();
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
fn mistakes_are_told_in_a_sentence() {
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

    told(&right, &["serve"], "make one with `idcheck migrate up`");
    assert_eq!(run(&right, &["migrate", "up"]).0, 0);
    told(
        &with("roles = [\"clerk\"]"),
        &["serve"],
        "idcheck.toml, line 1, column 1: `roles.0`: must be one of portal",
    );
    told(
        &with("lissten = 1"),
        &["serve"],
        "line 1, column 1: `lissten`: there is no such key; there are roles, listen",
    );
    told(&with("[limits"), &["serve"], "idcheck.toml, line 1, column 8: not TOML: ");
    let at = |url: &str| {
        let line = format!("database_url = \"{url}\"");
        let lines = right.lines().map(|known| if known.starts_with("database_url") { &line } else { known });
        lines.collect::<Vec<_>>().join("\n")
    };
    let away = at("postgres://idcheck:hunter2@127.0.0.1:1/idcheck");
    told(
        &away,
        &["migrate", "status"],
        "the database postgres://127.0.0.1:1/idcheck can't be reached: nothing listens",
    );
    for (wrong, expected) in [
        ("postgres://idcheck:hunter2#@127.0.0.1:1/idcheck", "write `#` as `%23`"),
        ("postgre://idcheck:hunter2@127.0.0.1:1/idcheck", "must begin with `sqlite:///` or `postgres://`"),
        ("mysql://idcheck:hunter2@127.0.0.1:1/idcheck", "must begin with `sqlite:///` or `postgres://`"),
    ] {
        for command in [&["serve"][..], &["migrate", "status"], &["doctor"], &["config", "check"]] {
            told(&at(wrong), command, expected);
        }
    }
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
    secret(&dir.path().join("key"), &"08".repeat(32));
    for command in ALL {
        told(&right, command, "the key file is not this database's");
    }
    told(&right, &["migrate", "up"], "the key file is not this database's");
    fs::remove_file(path("key")).unwrap();
    told(&right, &["serve"], "put back the key file that was kept with it");
    secret(&dir.path().join("key"), &"07".repeat(32));

    // Nothing but `migrate up` and `demo` makes a database.
    let mistyped = right.replace("idcheck.db", "idchekc.db");
    for command in ALL {
        told(&mistyped, command, "there is no database at ");
        assert!(!dir.path().join("idchekc.db").exists(), "{command:?}");
    }
    told(&right, &["audit", "verify", "--from", "1000"], "--from must be from 1 to ");
}

/// Commands that work with a database that is there.
const ALL: [&[&str]; 9] = [
    &["serve"],
    &["migrate", "status"],
    &["doctor"],
    &["audit", "verify"],
    &["retention", "run"],
    &["backup", "make", "/nowhere/copy"],
    &["backup", "restored"],
    &["officer", "list"],
    &["calendar", "list"],
];

/// A file that can't be the right one is told without a row of it: a register's rows are personal data.
#[test]
fn files_that_are_others_are_told_without_their_content() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::write(path("idcheck.toml"), configured(dir.path())).unwrap();
    let config = path("idcheck.toml");
    let run = |arguments: &[&str]| {
        let output = idcheck(&[arguments, &["--config", &config]].concat(), &[], "");
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(!printed.contains("A123456789"), "{arguments:?}: {printed}");
        (output.status.code().unwrap(), printed)
    };
    assert_eq!(run(&["migrate", "up"]).0, 0);
    fs::write(path("no-header.csv"), "A123456789,1,0950102,63000,normal\n").unwrap();
    fs::write(path("big5.csv"), b"\xa8\xad\xa5\xf7,1\n").unwrap();
    fs::write(
        path("one.csv"),
        "personId,applyCode,applyYyymmdd,issueSiteId,status\nA123456789,1,0950102,63000,normal\n",
    )
    .unwrap();
    for command in ["registry", "company", "calendar"] {
        let (status, printed) = run(&[command, "import", &dir.path().display().to_string()]);
        assert!(status != 0 && printed.contains("it is a folder"), "{command}: {printed}");
        let (status, printed) = run(&[command, "import", &path("big5.csv")]);
        assert!(status != 0 && printed.contains("iconv -f"), "{command}: {printed}");
    }
    let (status, printed) = run(&["registry", "import", &path("no-header.csv")]);
    assert!(status != 0 && printed.contains("the first line must be `personId,applyCode"), "{printed}");
    // Another key would make a second row of every person: what is there is found by one hash.
    for _ in 0..2 {
        let (status, printed) = run(&["registry", "import", &path("one.csv")]);
        assert!(status == 0 && printed.contains("holds 1 persons"), "{printed}");
    }
}

/// A password is not shown while it is typed.
#[test]
fn a_password_typed_at_a_terminal_is_not_echoed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("idcheck.toml"), configured(dir.path())).unwrap();
    let config = dir.path().join("idcheck.toml").display().to_string();
    assert!(idcheck(&["migrate", "up", "--config", &config], &[], "").status.success());
    let script = "import os, pty, sys, time\n\
        child, terminal = pty.fork()\n\
        if child == 0: os.execv(sys.argv[1], [sys.argv[1], 'officer', 'add', 'lin', '--role', 'reviewer', '--config', sys.argv[2]])\n\
        time.sleep(1)\n\
        os.write(terminal, b'correct horse hunter2\\n')\n\
        shown = b''\n\
        while True:\n\
        \x20   try: piece = os.read(terminal, 4096)\n\
        \x20   except OSError: break\n\
        \x20   if not piece: break\n\
        \x20   shown += piece\n\
        print(shown.decode())";
    let output =
        Command::new("python3").args(["-c", script]).arg(program("idcheck")).arg(&config).output().unwrap();
    let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(shown.contains("added lin (reviewer)"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
}
