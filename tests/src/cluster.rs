//! A PostgreSQL of a test's own, that can be killed as a power cut kills it.

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::{free_port, process::psql};

/// A running cluster on loopback; dropping it ends it.
pub struct Cluster {
    folder: TempDir,
    bin: PathBuf,
    port: u16,
    pub url: String,
}

impl Cluster {
    /// One with these lines in its configuration.
    pub fn start(settings: &[&str]) -> Self {
        let entries = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
        let bins = entries.map(|entry| entry.unwrap().path().join("bin"));
        let bin = bins.filter(|bin| bin.join("initdb").exists()).max().expect("PostgreSQL is installed");
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let port = free_port();
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let cluster = Self { folder, bin, port, url };
        let data = cluster.data();
        cluster.tool("initdb", &["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]);
        let file = cluster.folder.path().join("data/postgresql.conf");
        let written = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, written + &settings.join("\n") + "\n").unwrap();
        cluster.begin();
        cluster
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// Starts it again, after it was killed: it recovers from its log.
    pub fn begin(&self) {
        let socket = self.folder.path().display().to_string();
        let options = format!("-p {} -k {socket} -c listen_addresses=127.0.0.1", self.port);
        let log = format!("{socket}/log");
        self.tool("pg_ctl", &["-D", &self.data(), "-o", &options, "-l", &log, "-w", "start"]);
    }

    /// SIGKILL to the server and to everything that it started: what was not written is gone.
    pub fn kill(&self) {
        let file = self.folder.path().join("data/postmaster.pid");
        let postmaster = std::fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned();
        let children = Command::new("pgrep").args(["-P", &postmaster]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let mut kill = Command::new("kill");
        kill.arg("-KILL").arg(&postmaster).args(children.split_whitespace());
        // A child may have ended by itself meanwhile.
        let _ = kill.stderr(Stdio::null()).status().unwrap();
        for pid in children.split_whitespace().chain([postmaster.as_str()]) {
            while PathBuf::from(format!("/proc/{pid}/mem")).exists() && !is_zombie(pid) {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }
    }

    /// Runs a statement in a database of it.
    pub fn run(&self, database: &str, sql: &str) {
        let (server, _) = self.url.rsplit_once('/').unwrap();
        psql(&format!("{server}/{database}"), sql);
    }

    /// One of its programs, as an ordinary user: it refuses to run as root.
    fn tool(&self, program: &str, arguments: &[&str]) {
        let program = self.bin.join(program);
        let user = Command::new("id").arg("-u").output().unwrap().stdout;
        let mut command = if user.starts_with(b"0\n") {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let command = command.args(arguments).current_dir(self.folder.path());
        assert!(command.stdout(Stdio::null()).status().unwrap().success(), "{arguments:?}");
    }
}

fn is_zombie(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.kill();
        }
        // The files belong to another user; root may remove them, and nobody else needs to.
        drop(std::fs::remove_dir_all(self.folder.path()));
    }
}
