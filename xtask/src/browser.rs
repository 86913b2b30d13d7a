//! The browser suites: Debian's Chromium against a fresh `idcheck demo`.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::bail;

use crate::{
    demo::target_directory,
    shell::{command, packages, run},
};

/// The suites, each against a demo of its own.
const SUITES: [&str; 6] = ["walk.mjs", "cards.mjs", "docs.mjs", "officer.mjs", "portal.mjs", "sign_in.mjs"];

/// Installs what is missing; then for each suite starts the demo, runs the suite, stops the demo.
pub(crate) fn walk() -> anyhow::Result<()> {
    packages(|| Path::new("/usr/bin/chromium").exists(), &["chromium", "fonts-noto-cjk"])?;
    packages(|| Path::new("/usr/bin/pdftotext").exists(), &["poppler-utils", "poppler-data"])?;
    let suite = crate::shell::root().join("tests/browser");
    run(Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&suite))?;
    let programs = target_directory()?.join("debug");
    SUITES.iter().try_for_each(|script| {
        let folder = tempfile::tempdir()?;
        let demo = Demo::start(&programs.join("idcheck"), folder.path())?;
        let run = run(command("node", &["--test", &format!("tests/browser/{script}")])
            .env("IDCHECK_TEST_DEMO_JSON", folder.path().join("data/demo.json"))
            .env("IDCHECK_TEST_DEMO_LOG", folder.path().join("log"))
            .env("IDCHECK_TEST_SOFTCARD", programs.join("idcheck-softcard"))
            .env("IDCHECK_TEST_PROGRAM", programs.join("idcheck")));
        drop(demo);
        run
    })
}

struct Demo(Child);

impl Demo {
    fn start(binary: &Path, folder: &Path) -> anyhow::Result<Self> {
        let data = folder.join("data");
        let log = std::fs::File::create(folder.join("log"))?;
        let mut command = Command::new(binary);
        command
            .args(["demo", "--listen", "127.0.0.1:0", "--softcard-listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data);
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
