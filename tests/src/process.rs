//! The programs as processes.

use std::{
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{json, site::needed};

/// Where cargo put a program: beside the folder of this test.
pub fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = std::env::var("IDCHECK_TEST_PROGRAMS").map_or_else(
        // Beside the tests, where cargo puts both.
        |_| test.parent().unwrap().parent().unwrap().to_owned(),
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(path.exists(), "{} is not built; run `cargo build --workspace --bins`", path.display());
    path
}

/// Ports below those that systems give to connections going out (Linux: from 32768): a program that is killed and started again finds its
/// own still free, however many connections other tests make meanwhile.
const PORTS: std::ops::Range<u32> = 12_000..32_000;

/// A port that was free a moment ago; another one each time, and in each process.
pub fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(7919);
    let mut places = PORTS.len();
    loop {
        let place = begin.wrapping_add(ASKED.fetch_add(1, Ordering::Relaxed)) % (PORTS.end - PORTS.start);
        let port = u16::try_from(PORTS.start + place).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
        places = places.checked_sub(1).expect("a free port");
    }
}

/// A process that is killed when it is dropped.
pub struct Process {
    child: Child,
    pub log: PathBuf,
}

impl Process {
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let file = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let child =
            command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file).spawn().unwrap();
        Self { child, log: log.to_owned() }
    }

    /// Its process identity.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing of it runs any more when this returns.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGINT, and waits for its end.
    pub fn interrupt(&mut self) -> std::process::ExitStatus {
        let killed = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs `idcheck` to its end.
pub fn idcheck(arguments: &[&str], environment: &[(&str, String)], input: &str) -> std::process::Output {
    let mut command = Command::new(program("idcheck"));
    command.args(arguments).envs(environment.iter().map(|(name, value)| (*name, value)));
    run(&mut command, input)
}

/// Runs lines of a shell in a folder, with our programs on the path.
pub fn shell(lines: &str, folder: &Path, input: &str) -> std::process::Output {
    let programs = program("idcheck-client");
    let path = format!("{}:{}", programs.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    run(command.args(["-euc", lines]).current_dir(folder).env("PATH", path), input)
}

fn run(command: &mut Command, input: &str) -> std::process::Output {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A program that does not read its input may be gone before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

pub async fn wait_ready(base_url: &str, log: &Path) {
    let started = Instant::now();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let mut told = String::new();
    while started.elapsed() < Duration::from_mins(1) {
        told = match client.get(format!("{base_url}/readyz")).send().await {
            Ok(response) if response.status().is_success() => return,
            Ok(response) => response.text().await.unwrap_or_else(|error| format!("{error:?}")),
            Err(error) => format!("{error:?}"),
        };
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{base_url} is not ready, it says {told}: {}", std::fs::read_to_string(log).unwrap_or_default());
}

/// A running `idcheck demo`.
pub struct Demo {
    pub process: Process,
    pub base_url: String,
    pub file: Value,
    dir: TempDir,
    ports: (u16, u16),
    asked: &'static [&'static str],
}

impl Demo {
    /// One in which nothing has happened yet.
    pub async fn start() -> Self {
        Self::start_with(&["--empty"]).await
    }

    /// One with organisations and cases from before its first start, as people start it.
    pub async fn with_a_past() -> Self {
        Self::start_with(&[]).await
    }

    async fn start_with(asked: &'static [&'static str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ports = (free_port(), free_port());
        let process = Self::spawn(&dir, ports, asked);
        let base_url = format!("http://127.0.0.1:{}", ports.0);
        wait_ready(&base_url, &process.log).await;
        let file = json(&std::fs::read(dir.path().join("data/demo.json")).unwrap());
        Self { process, base_url, file, dir, ports, asked }
    }

    fn spawn(dir: &TempDir, ports: (u16, u16), asked: &[&str]) -> Process {
        let (listen, cards) = (format!("127.0.0.1:{}", ports.0), format!("127.0.0.1:{}", ports.1));
        let mut command = Command::new(program("idcheck"));
        command.arg("demo").args(asked).args([
            "--listen",
            &listen,
            "--softcard-listen",
            &cards,
            "--data-dir",
        ]);
        command.arg(dir.path().join("data"));
        Process::start(&mut command, &dir.path().join("log"))
    }

    /// Kills it and starts it again on the same data.
    pub async fn restart(&mut self) {
        // The old one still has the port.
        self.process.kill();
        self.process = Self::spawn(&self.dir, self.ports, self.asked);
        wait_ready(&self.base_url, &self.process.log).await;
    }

    /// Revokes the card in a reader: its issuer's new list says so.
    pub fn revoke(&self, slot: &str) {
        revoke(&self.data_dir().join("pki"), slot);
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Runs a command of `idcheck` on its data; whether it succeeded, and all that it printed.
    pub fn run(&self, arguments: &[&str]) -> (bool, String) {
        let data = self.data_dir();
        let environment = [
            ("IDCHECK_DATABASE_URL", format!("sqlite://{}", data.join("idcheck.db").display())),
            ("IDCHECK_KEY_FILE", data.join("key").display().to_string()),
        ];
        let output = idcheck(arguments, &environment, "");
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
    }
}

/// Several `idcheck serve` on one PostgreSQL, with software cards beside.
pub struct Nodes {
    pub urls: Vec<String>,
    pub processes: Vec<Process>,
    pub card_url: String,
    /// User name, password, secret of the second factor.
    pub officers: Vec<(String, String, String)>,
    /// The valid company cards.
    pub cards: Vec<Value>,
    /// The household register, with the names of the verification API.
    pub persons: Vec<Value>,
    environment: Vec<(&'static str, String)>,
    component: Process,
    dir: TempDir,
    database: String,
    admin: String,
}

impl Nodes {
    /// So many servers on a database of their own.
    pub async fn start(count: usize) -> Self {
        Self::start_with(count, &[], None).await
    }

    /// The same with further settings. Where `lists` is an address, the certificates send there for their revocation
    /// lists, and the servers have none as files.
    pub async fn start_with(count: usize, settings: &[(&'static str, &str)], lists: Option<&str>) -> Self {
        Self::start_on(&needed("IDCHECK_TEST_POSTGRES"), count, settings, lists).await
    }

    /// The same on the server at this address, which its owner gives.
    pub async fn start_on(
        admin: &str,
        count: usize,
        settings: &[(&'static str, &str)],
        lists: Option<&str>,
    ) -> Self {
        let admin = admin.to_owned();
        let dir = tempfile::tempdir().unwrap();
        let database = format!("nodes_{}_{}", std::process::id(), free_port());
        psql(&admin, &format!("CREATE DATABASE {database}"));
        let key = dir.path().join("key");
        std::fs::write(&key, "07".repeat(32)).unwrap();
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let card_port = free_port();
        let cards_dir = dir.path().join("cards");
        let mut command = Command::new(program("idcheck-softcard"));
        command.args(["--listen", &format!("127.0.0.1:{card_port}"), "--data-dir"]).arg(&cards_dir);
        command.args(lists.map(|address| format!("--list-address={address}")));
        let component = Process::start(&mut command, &dir.path().join("cards.log"));
        let card_url = format!("http://127.0.0.1:{card_port}");
        wait_for(&format!("{card_url}/selfTest.htm")).await;
        let (server, _) = admin.rsplit_once('/').unwrap();
        let trust = cards_dir.join("trust");
        let trust = if lists.is_some() { without_lists(&trust, &dir.path().join("trust")) } else { trust };
        let mut environment = vec![
            ("IDCHECK_DATABASE_URL", format!("{server}/{database}")),
            ("IDCHECK_KEY_FILE", key.display().to_string()),
            ("IDCHECK_TRUST_DIR", trust.display().to_string()),
            ("IDCHECK_ALLOW_LOOPBACK_HOSTS", "true".to_owned()),
            ("IDCHECK_MAIL__FOLDER", dir.path().join("mail").display().to_string()),
            ("IDCHECK_LIMITS__RATE_PER_ORGANISATION", "100000".to_owned()),
            ("IDCHECK_LIMITS__RATE_PER_ADDRESS", "100000".to_owned()),
            ("IDCHECK_LIMITS__BUDGET", "100000".to_owned()),
            ("IDCHECK_LIMITS__CHALLENGES_PER_ADDRESS", "100000".to_owned()),
            ("IDCHECK_LIMITS__PROOFS_PER_ADDRESS", "100000".to_owned()),
            ("IDCHECK_LIMITS__OPEN_CHALLENGES", "100000".to_owned()),
            ("IDCHECK_LIMITS__OPEN_CHALLENGES_PER_ADDRESS", "100000".to_owned()),
            ("IDCHECK_LIMITS__SIGN_INS_PER_ADDRESS", "100000".to_owned()),
            ("IDCHECK_LIMITS__REFUSED_PER_ADDRESS", "100000".to_owned()),
            // One user asks everything here.
            ("IDCHECK_ABUSE__USER_WRONG", "1000000".to_owned()),
        ];
        // What is set to nothing is not set.
        environment.retain(|(name, _)| settings.iter().all(|(other, _)| other != name));
        let given = settings.iter().filter(|(_, value)| !value.is_empty());
        environment.extend(given.map(|(name, value)| (*name, (*value).to_owned())));
        let mut nodes = Self {
            urls: Vec::new(),
            processes: Vec::new(),
            card_url,
            officers: Vec::new(),
            cards: company_cards(&cards_dir.join("cards")),
            persons: Vec::new(),
            environment,
            component,
            dir,
            database,
            admin,
        };
        nodes.succeed(&["migrate", "up"], "");
        let file = nodes.dir.path().join("persons.csv");
        nodes.succeed(&["registry", "generate", "--count", "1000", &file.display().to_string()], "");
        nodes.succeed(&["registry", "import", &file.display().to_string()], "");
        nodes.persons = persons(&std::fs::read_to_string(&file).unwrap());
        for name in ["reviewer1", "reviewer2"] {
            nodes.add_officer(name, "reviewer");
        }
        for _ in 0..count {
            nodes.begin(&[]);
        }
        for node in 0..count {
            wait_ready(&nodes.urls[node], &nodes.processes[node].log).await;
        }
        nodes
    }

    /// One more officer; the place among the officers.
    pub fn add_officer(&mut self, name: &str, role: &str) -> usize {
        let added = self.succeed(&["officer", "add", name, "--role", role], "a long password\n");
        let secret = added.split("only now: ").nth(1).unwrap().lines().next().unwrap().to_owned();
        self.officers.push((name.to_owned(), "a long password".to_owned(), secret));
        self.officers.len() - 1
    }

    /// One more node, of these roles only; its address.
    pub async fn add(&mut self, roles: &str) -> String {
        let node = self.urls.len();
        self.begin(&["--roles", roles]);
        wait_ready(&self.urls[node], &self.processes[node].log).await;
        self.urls[node].clone()
    }

    fn begin(&mut self, arguments: &[&str]) {
        let port = free_port();
        self.urls.push(format!("http://127.0.0.1:{port}"));
        self.processes.push(self.serve(port, arguments));
    }

    fn serve(&self, port: u16, arguments: &[&str]) -> Process {
        let mut command = Command::new(program("idcheck"));
        command
            .arg("serve")
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command.env("IDCHECK_LISTEN", format!("127.0.0.1:{port}"));
        command.env("IDCHECK_BASE_URL", format!("http://127.0.0.1:{port}"));
        Process::start(&mut command, &self.dir.path().join(format!("node-{port}.log")))
    }

    /// Kills a node and starts it again.
    pub async fn restart(&mut self, node: usize) {
        let port = self.urls[node].rsplit_once(':').unwrap().1.parse().unwrap();
        self.processes[node].kill();
        self.processes[node] = self.serve(port, &[]);
        wait_ready(&self.urls[node], &self.processes[node].log).await;
    }

    /// Where the software cards' issuers put their revocation lists.
    pub fn lists(&self) -> PathBuf {
        self.dir.path().join("cards/trust/crls")
    }

    /// Revokes the card in a reader: its issuer's new list says so.
    pub fn revoke(&self, slot: &str) {
        revoke(&self.dir.path().join("cards"), slot);
    }

    /// The name of its database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// What tells a command of `idcheck` this database.
    pub fn environment(&self) -> &[(&'static str, String)] {
        &self.environment
    }

    /// Runs a command of `idcheck` on this database; whether it succeeded, and all that it printed.
    pub fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output = idcheck(arguments, &self.environment, "");
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
    }

    /// Runs a command of `idcheck` on this database that must succeed.
    pub fn succeed(&self, arguments: &[&str], input: &str) -> String {
        let output = idcheck(arguments, &self.environment, input);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?}: {printed}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        printed
    }

    /// A copy of the database as of now.
    pub fn back_up(&self) -> PathBuf {
        let (server, _) = self.admin.rsplit_once('/').unwrap();
        let file = self.dir.path().join(format!("copy-{}", free_port()));
        let mut command = Command::new("pg_dump");
        let output =
            command.args(["-Fc", "-f"]).arg(&file).arg(format!("{server}/{}", self.database)).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        file
    }

    /// The database as the copy has it. No node runs.
    pub fn restore(&self, copy: &Path) {
        let (server, _) = self.admin.rsplit_once('/').unwrap();
        psql(&self.admin, &format!("DROP DATABASE {} WITH (FORCE)", self.database));
        psql(&self.admin, &format!("CREATE DATABASE {}", self.database));
        let mut command = Command::new("pg_restore");
        command.arg("--exit-on-error").args(["-d", &format!("{server}/{}", self.database)]).arg(copy);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Takes the database away: what is connected is cut off, and nothing can connect.
    pub fn shut_database(&self) {
        let name = &self.database;
        psql(&self.admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        let cut =
            format!("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'");
        psql(&self.admin, &cut);
    }

    /// Gives it back.
    pub fn open_database(&self) {
        psql(&self.admin, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.database));
    }

    /// The one value that a query gives.
    pub fn query(&self, sql: &str) -> String {
        let (server, _) = self.admin.rsplit_once('/').unwrap();
        psql(&format!("{server}/{}", self.database), sql)
    }

    /// Ends the processes and removes the database.
    pub fn close(mut self) {
        self.processes.clear();
        self.component.kill();
        psql(&self.admin, &format!("DROP DATABASE {} WITH (FORCE)", self.database));
    }
}

fn revoke(cards: &Path, slot: &str) {
    let mut command = Command::new(program("idcheck-softcard"));
    let output = command.arg("--data-dir").arg(cards).args(["--revoke", slot]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A copy of a trust folder that has certificates only.
fn without_lists(from: &Path, to: &Path) -> PathBuf {
    for folder in ["anchors", "company-ca", "intermediates"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
        for entry in std::fs::read_dir(from.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, to.join(folder).join(path.file_name().unwrap())).unwrap();
        }
    }
    to.to_owned()
}

/// The valid company cards, as the software component keeps them.
fn company_cards(dir: &Path) -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let records = files.iter().filter(|file| file.extension().is_some_and(|end| end == "json"));
    let cards = records.map(|file| json(&std::fs::read(file).unwrap()));
    cards.filter(|card| card["kind"] == "company" && card["state"] == "valid").collect()
}

fn persons(csv: &str) -> Vec<Value> {
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    lines.map(|cells| names.iter().cloned().zip(cells.into_iter().map(Value::from)).collect()).collect()
}

pub(crate) fn psql(url: &str, sql: &str) -> String {
    let output = Command::new("psql").args([url, "-v", "ON_ERROR_STOP=1", "-Atqc", sql]).output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn wait_for(url: &str) {
    let client = reqwest::Client::new();
    for _ in 0..1200 {
        if client.get(url).send().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{url} does not answer");
}
