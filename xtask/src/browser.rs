//! The suites in JavaScript, each against a fresh `idcheck demo`: Debian's Chromium, and clients that are generated from the
//! API document.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::bail;

use crate::{
    demo::target_directory,
    shell::{command, output, packages, run},
    tools,
};

/// The suites by their folders, each against a demo of its own.
const BROWSER: (&str, &[&str]) = (
    "tests/browser",
    &[
        "walk.mjs",
        "cards.mjs",
        "docs.mjs",
        "officer.mjs",
        "admin.mjs",
        "two_officers.mjs",
        "portal.mjs",
        "sign_in.mjs",
        "passkey.mjs",
        "life.mjs",
    ],
);
/// The suite whose demo asks for two officers.
const TWO: &str = "two_officers.mjs";
/// The suite whose demo has a past.
const LIFE: &str = "life.mjs";
const CLIENTS: (&str, &[&str]) = ("tests/clients", &["clients.mjs"]);

/// What browsers see.
pub(crate) fn walk() -> anyhow::Result<()> {
    packages(|| Path::new("/usr/bin/chromium").exists(), &["chromium", "fonts-noto-cjk"])?;
    packages(|| Path::new("/usr/bin/pdftotext").exists(), &["poppler-utils", "poppler-data"])?;
    suites(BROWSER)
}

/// What generators make of the API document.
pub(crate) fn clients() -> anyhow::Result<()> {
    suites(CLIENTS)
}

/// What `visit.mjs` prints of the release program, as a visitor waits for it.
pub(crate) fn visit(rounds: usize) -> anyhow::Result<String> {
    packages(|| Path::new("/usr/bin/chromium").exists(), &["chromium", "fonts-noto-cjk"])?;
    let folder = crate::shell::root().join(BROWSER.0);
    run(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    let data = tempfile::tempdir()?;
    let demo = Demo::start(&target_directory()?.join("release/idcheck"), data.path(), &["--empty"])?;
    let printed = output(
        command("node", &["tests/browser/visit.mjs"])
            .env("IDCHECK_TEST_DEMO_JSON", data.path().join("data/demo.json"))
            .env("IDCHECK_TEST_BENCH_ROUNDS", rounds.to_string()),
    );
    drop(demo);
    printed
}

/// Installs the packages of a folder; then for each suite starts the demo, runs the suite, stops the demo.
fn suites((folder, scripts): (&str, &[&str])) -> anyhow::Result<()> {
    let packages = crate::shell::root().join(folder);
    run(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&packages))?;
    let programs = target_directory()?.join("debug");
    let python = tools::python()?;
    scripts.iter().try_for_each(|script| {
        let data = tempfile::tempdir()?;
        let asked: &[&str] = match *script {
            TWO => &["--empty", "--two-officers"],
            LIFE => &[],
            _ => &["--empty"],
        };
        let demo = Demo::start(&programs.join("idcheck"), data.path(), asked)?;
        let run = run(command("node", &["--test", &format!("{folder}/{script}")])
            .env("IDCHECK_TEST_DEMO_JSON", data.path().join("data/demo.json"))
            .env("IDCHECK_TEST_DEMO_LOG", data.path().join("log"))
            .env("IDCHECK_TEST_PYTHON", &python)
            .env("IDCHECK_TEST_SOFTCARD", programs.join("idcheck-softcard"))
            .env("IDCHECK_TEST_PROGRAM", programs.join("idcheck")));
        drop(demo);
        run
    })
}

struct Demo(Child);

impl Demo {
    fn start(binary: &Path, folder: &Path, asked: &[&str]) -> anyhow::Result<Self> {
        let data = folder.join("data");
        let log = std::fs::File::create(folder.join("log"))?;
        let mut command = Command::new(binary);
        command
            .args(["demo", "--listen", "127.0.0.1:0", "--softcard-listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .args(asked);
        let mut demo = Self(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
        let started = Instant::now();
        // It is written last, when everything listens.
        while !data.join("demo.json").exists() {
            if started.elapsed() > Duration::from_mins(1) || demo.0.try_wait()?.is_some() {
                bail!("the demo did not start: {}", std::fs::read_to_string(folder.join("log"))?);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(demo)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It holds nothing that outlives the test.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
