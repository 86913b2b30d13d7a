//! Mail over a real server: with STARTTLS and with TLS, with a password, and with the program killed between the server's taking a mail
//! and its word for it.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use idcheck_tests::{Applicant, Nodes, Process, free_port, interpreter};
use tempfile::TempDir;

const PASSWORD: &str = "the mail server's password";

struct Server {
    dir: TempDir,
    port: u16,
    _process: Process,
}

impl Server {
    async fn start(mode: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/smtp_server.py");
        let mut command = Command::new(interpreter());
        command.arg(script).args([&port.to_string(), mode]).arg(dir.path());
        let process = Process::start(&mut command, &dir.path().join("log"));
        let server = Self { dir, port, _process: process };
        server.until("it is ready", || server.dir.path().join("ready").exists()).await;
        server
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            let log = || fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < Duration::from_secs(30), "not within 30 s: {what}; {}", log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Mails that it took, in their order.
    fn mails(&self) -> Vec<String> {
        let read = |number: usize| fs::read_to_string(self.dir.path().join(format!("{number}.eml")));
        (0..).map_while(|number| read(number).ok()).collect()
    }

    /// A node that sends its mail here.
    async fn nodes(&self, mode: &str) -> Nodes {
        let password = self.dir.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let (port, password) = (self.port.to_string(), password.display().to_string());
        let trusted = self.dir.path().join("ca.pem").display().to_string();
        let settings = [
            ("IDCHECK_MAIL__FOLDER", ""),
            ("IDCHECK_MAIL__SMTP_HOST", "localhost"),
            ("IDCHECK_MAIL__SMTP_PORT", &port),
            ("IDCHECK_MAIL__SMTP_SECURITY", mode),
            ("IDCHECK_MAIL__SMTP_USER", "idcheck"),
            ("IDCHECK_MAIL__SMTP_PASSWORD_FILE", &password),
            ("SSL_CERT_FILE", &trusted),
        ];
        Nodes::start_with(1, &settings, None).await
    }
}

fn applicant(nodes: &Nodes) -> Applicant {
    Applicant::with(&nodes.urls[0], &nodes.card_url, &nodes.cards[0])
}

fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    let line =
        mail.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {mail}"));
    line.split_once(": ").unwrap().1.trim()
}

async fn a_mail_arrives(mode: &str) {
    let server = Server::start(mode).await;
    let nodes = server.nodes(mode).await;
    let (_, printed) = nodes.run(&["doctor"]);
    assert!(printed.contains("ok   mail"), "{printed}");
    let applicant = applicant(&nodes);
    applicant.done("apply", &Applicant::application()).await;
    server.until("a mail", || !server.mails().is_empty()).await;
    let mail = server.mails().remove(0);
    assert_eq!((header(&mail, "X-Test-Tls"), header(&mail, "X-Test-User")), ("True", "idcheck"));
    assert_eq!(header(&mail, "To"), "it@example.com");
    nodes.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_by_starttls_with_a_password() {
    a_mail_arrives("starttls").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_arrives_by_tls_with_a_password() {
    a_mail_arrives("tls").await;
}

/// kill -9 after the server has the mail and before it said so: it is sent once more, as the same mail, and none is lost.
#[tokio::test(flavor = "multi_thread")]
async fn killed_between_sending_and_noting() {
    let server = Server::start("starttls").await;
    let hold = server.dir.path().join("hold");
    fs::write(&hold, "").unwrap();
    let mut nodes = server.nodes("starttls").await;
    applicant(&nodes).done("apply", &Applicant::application()).await;
    server.until("a mail", || !server.mails().is_empty()).await;
    nodes.processes[0].kill();
    fs::remove_file(&hold).unwrap();
    assert_eq!(
        nodes.query("SELECT count(*) FROM outbox WHERE sent_at IS NULL"),
        "1",
        "noted before it was sent"
    );
    // The lease of the one that was killed, over at once.
    nodes.query("WITH due AS (UPDATE outbox SET due_at = 1 WHERE sent_at IS NULL RETURNING 1) SELECT count(*) FROM due");
    nodes.restart(0).await;
    server.until("the mail once more", || server.mails().len() == 2).await;
    let mails = server.mails();
    assert_eq!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
    let sent = || nodes.query("SELECT count(*) FROM outbox WHERE sent_at IS NOT NULL") == "1";
    server.until("it is noted", sent).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(server.mails().len(), 2, "sent a third time");
    nodes.close();
}

/// A server that wants a password which is not given, or whose certificate nobody vouches for, gets no mail; nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_the_right_one_gets_nothing() {
    let server = Server::start("starttls").await;
    let ca = server.dir.path().join("ca.pem");
    let other = Server::start("starttls").await;
    fs::copy(other.dir.path().join("ca.pem"), &ca).unwrap();
    let nodes = server.nodes("starttls").await;
    let (_, printed) = nodes.run(&["doctor"]);
    assert!(printed.contains("fail mail"), "{printed}");
    applicant(&nodes).done("apply", &Applicant::application()).await;
    let tried =
        || nodes.query("SELECT count(*) FROM outbox WHERE attempts > 0 AND failure = 'temporary'") == "1";
    server.until("a try", tried).await;
    assert!(server.mails().is_empty());
    nodes.close();
}
