//! A private PostgreSQL for the tests: a cluster of its own in a temporary folder, on a free port of loopback.

use std::{fs::Permissions, net::TcpListener, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use anyhow::Context;
use tempfile::TempDir;

use crate::shell::{is_root, output, packages, run};

/// A running cluster; dropping it stops it.
pub(crate) struct Postgres {
    folder: TempDir,
    bin: PathBuf,
    /// How to connect to it as its owner.
    pub(crate) url: String,
}

impl Postgres {
    /// Makes and starts one.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let bin = binaries()?;
        let folder = tempfile::tempdir()?;
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777))?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let data = folder.path().join("data");
        let postgres = Self { bin, url: format!("postgres://postgres@127.0.0.1:{port}/postgres"), folder };
        let data = data.to_string_lossy();
        output(&mut postgres.tool("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]))?;
        let socket = postgres.folder.path().to_string_lossy().into_owned();
        let options = format!("-p {port} -k {socket} -c listen_addresses=127.0.0.1 -c max_connections=300");
        let log = format!("{socket}/log");
        run(postgres
            .tool("pg_ctl", &["-D", &data, "-o", &options, "-l", &log, "-w", "start"])
            .stdout(std::process::Stdio::null()))?;
        Ok(postgres)
    }

    /// One of its programs, run as an ordinary user: it refuses to run as root.
    fn tool(&self, program: &str, arguments: &[&str]) -> Command {
        let program = self.bin.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).current_dir(self.folder.path());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let data = data.to_string_lossy();
        let stopped = output(&mut self.tool("pg_ctl", &["-D", &data, "-m", "immediate", "stop"]));
        if let Err(error) = stopped {
            eprintln!("PostgreSQL did not stop: {error:#}");
        }
        // The files belong to another user; root may remove them, and nobody else needs to.
        drop(std::fs::remove_dir_all(self.folder.path()));
    }
}

/// Where the newest installed PostgreSQL has its programs; Debian's is installed where there is none.
fn binaries() -> anyhow::Result<PathBuf> {
    packages(|| newest().is_some(), &["postgresql"])?;
    newest().context("PostgreSQL is not installed; run `apt-get install postgresql`")
}

fn newest() -> Option<PathBuf> {
    let entries = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders.filter(|bin| bin.join("initdb").exists()).max()
}
