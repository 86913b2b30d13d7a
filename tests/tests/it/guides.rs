//! The commands of the guides, run as they are printed there, in their order: what a guide says works.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use idcheck_tests::{Process, free_port, program, shell, wait_ready};

fn guide(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// The commands of a document that begin with `idcheck`: lines of shell blocks, and words set as code.
fn commands(text: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut block: Option<&str> = None;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            block = block.is_none().then_some(language);
        } else if block == Some("sh") {
            let command = line.split(" #").next().unwrap().trim();
            commands.extend(command.starts_with("idcheck ").then(|| command.to_owned()));
        } else if block.is_none() {
            let words = line.split('`').skip(1).step_by(2);
            commands.extend(words.filter(|words| words.starts_with("idcheck ")).map(str::to_owned));
        }
    }
    commands
}

/// The blocks of a document in a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// A folder as an operator has it: `idcheck.toml`, a key file, a trust folder, and files to import.
struct Desk {
    folder: tempfile::TempDir,
    port: u16,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap(), port: free_port() };
        fs::write(desk.path("key"), "07".repeat(32)).unwrap();
        fs::set_permissions(desk.path("key"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::create_dir(desk.path("trust")).unwrap();
        fs::create_dir(desk.path("backup")).unwrap();
        let (port, path) = (desk.port, |name: &str| desk.path(name).display().to_string());
        let configuration = format!(
            "listen = \"127.0.0.1:{port}\"\nbase_url = \"http://127.0.0.1:{port}\"\n\
             database_url = \"sqlite://{}\"\nkey_file = \"{}\"\ntrust_dir = \"{}\"\n[mail]\nfolder = \"{}\"\n",
            path("idcheck.db"),
            path("key"),
            path("trust"),
            path("mail"),
        );
        fs::write(desk.path("idcheck.toml"), configuration).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With the files that the guides take for granted.
    fn supplied(self) -> Self {
        self.succeed("idcheck registry generate --count 50 persons.csv");
        self.succeed("idcheck company generate --count 50 companies.csv");
        self
    }

    /// Runs a command here, with its configuration unless it names one.
    fn run(&self, command: &str) -> (bool, String) {
        let command = self.here(command);
        let output = shell(&command, self.folder.path(), "a long password\n");
        let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), printed)
    }

    fn here(&self, command: &str) -> String {
        let backup = format!("{}/", self.path("backup").display());
        let command = command.replace("/backup/", &backup);
        let without = ["--config", " generate ", "config default", "config reference"];
        let configured = without.iter().any(|words| command.contains(words));
        if configured { command } else { command + " --config idcheck.toml" }
    }

    fn succeed(&self, command: &str) -> String {
        let (succeeded, printed) = self.run(command);
        assert!(succeeded, "{command}: {printed}");
        printed
    }

    /// Starts a server, waits until it is ready, and stops it.
    async fn serve(&self, command: &str) {
        let mut server = Command::new(program("idcheck"));
        server.args(self.here(command).split_whitespace().skip(1)).current_dir(self.folder.path());
        let mut server = Process::start(&mut server, &self.path("log"));
        wait_ready(&format!("http://127.0.0.1:{}", self.port), &server.log).await;
        assert!(server.interrupt().success());
    }
}

/// Words that name a command without what it needs: that there is such a command.
const MENTIONS: [&str; 4] =
    ["idcheck calendar", "idcheck officer close", "idcheck company import", "idcheck calendar import"];

/// Runs the commands of a document in their order. `file` is what stands for `FILE` in a command.
async fn follow(name: &str, desk: &Desk, file: impl Fn(&str) -> String) {
    let all = commands(&guide(name));
    assert!(all.len() > 3, "{name}: {all:?}");
    for command in all {
        println!("{name}: {command}");
        if MENTIONS.contains(&command.as_str()) {
            let asked = format!("{command} --help");
            assert!(shell(&asked, desk.folder.path(), "").status.success(), "{name}: {asked}");
        } else if command.starts_with("idcheck serve") {
            desk.serve(&command).await;
        } else {
            let filled =
                if command.contains("FILE") { command.replace("FILE", &file(&command)) } else { command };
            let (succeeded, printed) = desk.run(&filled);
            // Without a CA's lists and with an empty folder for mail not all is in order.
            let told = filled.starts_with("idcheck doctor") && printed.contains("ok   database");
            assert!(succeeded || told, "{name}: {filled}: {printed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme() {
    follow("README.md", &Desk::new().supplied(), |_| String::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_s_guide() {
    let desk = Desk::new().supplied();
    desk.succeed("idcheck migrate up");
    let calendar = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/calendar/2026.json");
    follow("docs/guides/operator.md", &desk, |command| match command {
        command if command.contains("calendar") => calendar.display().to_string(),
        command if command.contains("company") => "companies.csv".to_owned(),
        command if command.contains("backup") => "/backup/idcheck-20261124.db".to_owned(),
        other => panic!("what is FILE in {other}?"),
    })
    .await;
    // Each block of configuration is one: no unknown key, no value that is refused.
    let base = fs::read_to_string(desk.path("idcheck.toml")).unwrap();
    let secret = desk.path("key").display().to_string();
    let blocks = blocks(&guide("docs/guides/operator.md"), "toml");
    assert!(blocks.len() > 2);
    for block in blocks {
        let block = block.replace("/etc/idcheck/oidc-secret", &secret);
        fs::write(desk.path("idcheck.toml"), format!("{base}\n{block}")).unwrap();
        desk.succeed("idcheck config check");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_runbooks() {
    let desk = Desk::new().supplied();
    desk.succeed("idcheck migrate up");
    desk.succeed("idcheck registry import persons.csv");
    desk.succeed("idcheck backup make /backup/newest.db");
    follow("docs/guides/runbooks.md", &desk, |_| "/backup/newest.db".to_owned()).await;
}
