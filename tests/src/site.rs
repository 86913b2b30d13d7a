//! One or more servers on one database, whichever it is, so that a suite is written once for both.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{Applicant, Caller, Demo, Nodes, Officer};

/// Running servers.
pub enum Site {
    /// One process on SQLite.
    Sqlite(Box<Demo>),
    /// Several on one PostgreSQL.
    Postgres(Box<Nodes>),
}

impl Site {
    /// `idcheck demo`.
    pub async fn sqlite() -> Self {
        Self::Sqlite(Box::new(Demo::start().await))
    }

    /// So many nodes on a database of their own.
    pub async fn postgres(nodes: usize) -> Self {
        Self::Postgres(Box::new(Nodes::start(nodes).await))
    }

    /// Where each node answers.
    pub fn urls(&self) -> Vec<String> {
        match self {
            Self::Sqlite(demo) => vec![demo.base_url.clone()],
            Self::Postgres(nodes) => nodes.urls.clone(),
        }
    }

    /// The first node's address.
    pub fn url(&self) -> String {
        self.urls().remove(0)
    }

    /// The last node's address: another than the first where there are several.
    pub fn other_url(&self) -> String {
        self.urls().pop().unwrap()
    }

    /// The company with the `number`th valid card, at the first node.
    pub fn applicant(&self, number: usize) -> Applicant {
        match self {
            Self::Sqlite(demo) => Applicant::of(demo, "company", "valid", number),
            Self::Postgres(nodes) => Applicant::with(&self.url(), &nodes.card_url, &nodes.cards[number]),
        }
    }

    /// How many companies have a valid card.
    pub fn companies(&self) -> usize {
        match self {
            Self::Sqlite(demo) => {
                let cards = demo.file["cards"].as_array().unwrap();
                cards.iter().filter(|card| card["kind"] == "company" && card["state"] == "valid").count()
            }
            Self::Postgres(nodes) => nodes.cards.len(),
        }
    }

    /// A reviewer, 1 or 2, at the first node. Signs in, which works once in 30 s: keep it.
    pub async fn reviewer(&self, number: usize) -> Officer {
        match self {
            Self::Sqlite(demo) => Officer::of(demo, &format!("reviewer{number}")).await,
            Self::Postgres(nodes) => {
                let (name, password, secret) = &nodes.officers[number - 1];
                Officer::sign_in(&self.url(), name, password, secret).await
            }
        }
    }

    /// The `number`th person whose card is in order.
    pub fn person(&self, number: usize) -> Value {
        let persons = match self {
            Self::Sqlite(demo) => demo.file["persons"].as_array().unwrap(),
            Self::Postgres(nodes) => &nodes.persons,
        };
        persons.iter().filter(|person| person["status"] == "normal").nth(number).unwrap().clone()
    }

    /// A company that may ask, with its program.
    pub async fn admitted(&self, number: usize, officer: &Officer) -> (Applicant, Caller) {
        let applicant = self.applicant(number);
        let filed = applicant.done("apply", &Applicant::application()).await;
        officer.approve(filed["application"]["id"].as_str().unwrap()).await;
        let caller = Caller::equipped(&applicant).await;
        for url in self.urls() {
            known_within_a_second(&caller, &url).await;
        }
        (applicant, caller)
    }

    /// SIGKILL: nothing of the node runs any more when this returns.
    pub fn kill(&mut self, node: usize) {
        match self {
            Self::Sqlite(demo) => demo.process.kill(),
            Self::Postgres(nodes) => nodes.processes[node].kill(),
        }
    }

    /// A new process on the same data and port.
    pub async fn restart(&mut self, node: usize) {
        match self {
            Self::Sqlite(demo) => demo.restart().await,
            Self::Postgres(nodes) => nodes.restart(node).await,
        }
    }

    /// `idcheck audit verify`.
    pub fn audit(&self) -> (bool, String) {
        self.run(&["audit", "verify"])
    }

    /// Runs a command of `idcheck` on the database; whether it succeeded, and all that it printed.
    pub fn run(&self, arguments: &[&str]) -> (bool, String) {
        match self {
            Self::Sqlite(demo) => demo.run(arguments),
            Self::Postgres(nodes) => nodes.run(arguments),
        }
    }

    /// A copy of the database as of now, made while it is used.
    pub fn back_up(&self) -> PathBuf {
        match self {
            Self::Sqlite(demo) => {
                let file = demo.data_dir().join(format!("copy-{}", crate::free_port()));
                let (done, told) = demo.run(&["backup", "make", &file.display().to_string()]);
                assert!(done, "{told}");
                file
            }
            Self::Postgres(nodes) => nodes.back_up(),
        }
    }

    /// The database as the copy has it, gone on from as the runbook says. No node runs; what the command told.
    pub fn restore(&self, copy: &Path) -> String {
        let (done, told) = match self {
            Self::Sqlite(demo) => demo.run(&["backup", "restore", &copy.display().to_string()]),
            Self::Postgres(nodes) => {
                nodes.restore(copy);
                nodes.run(&["backup", "restored"])
            }
        };
        assert!(done, "{told}");
        told
    }

    /// The one value that a query gives.
    pub fn query(&self, sql: &str) -> String {
        match self {
            Self::Sqlite(demo) => sqlite(&demo.data_dir().join("idcheck.db"), sql),
            Self::Postgres(nodes) => nodes.query(sql),
        }
    }

    /// Ends the processes and removes what they left.
    pub fn close(self) {
        if let Self::Postgres(nodes) = self {
            nodes.close();
        }
    }
}

/// A key is in force before its reply on the node that did it, within a second elsewhere. Asked with a question that
/// is malformed, which costs nothing.
async fn known_within_a_second(caller: &Caller, url: &str) {
    let registered = Instant::now();
    loop {
        let mut claims = caller.claims(&Value::Null);
        claims["conditionMap"] = json!("{}");
        let reply = caller.send(url, &caller.signer.token(&claims)).await;
        if reply.rd_code == "RS3822" {
            return;
        }
        assert!(registered.elapsed() < Duration::from_secs(1), "{url}: {reply:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn sqlite(file: &Path, sql: &str) -> String {
    let python = crate::interpreter();
    let script =
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])";
    let output = Command::new(python).args(["-c", script]).arg(file).arg(sql).output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What `cargo xtask test` sets for the tests. One that can't run without it fails: it does not pass in silence.
pub(crate) fn needed(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test`, or see CONTRIBUTING.md"))
}

/// A number from the environment, for campaigns longer than the sample in the tests.
pub fn count_from(variable: &str, sample: usize) -> usize {
    std::env::var(variable).map_or(sample, |text| text.parse().unwrap())
}

/// Numbers that look random and come again from the same seed (splitmix64).
pub struct Random(u64);

impl Random {
    /// From `IDCHECK_TEST_SEED`, or from the clock; printed, so that a failure can be made again.
    pub fn seeded(campaign: &str) -> Self {
        let clock = || u64::try_from(chrono::Utc::now().timestamp_micros()).unwrap();
        let seed = std::env::var("IDCHECK_TEST_SEED").map_or_else(|_| clock(), |text| text.parse().unwrap());
        println!("{campaign}: IDCHECK_TEST_SEED={seed}");
        Self(seed)
    }

    /// From another's number, for a task of its own.
    pub fn from(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}
