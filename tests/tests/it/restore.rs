//! Drills: going on from a backup that lacks the last hour (threat 26), and removing what was kept for its time.

use std::time::Duration;

use idcheck_tests::{Caller, Demo, Nodes, Officer, Reply, Site};
use serde_json::{Value, json};

/// A token that a clock a little ahead makes: it could be taken only after the backup was restored.
fn fresh(caller: &Caller, person: &Value) -> String {
    let mut claims = caller.claims(person);
    let now = claims["iat"].as_i64().unwrap() + 180;
    (claims["iat"], claims["exp"]) = (json!(now + 299), json!(now + 600));
    caller.signer.token(&claims)
}

fn is_refused_as_old(reply: &Reply) -> bool {
    (reply.status, reply.message.as_str()) == (401, "expired")
}

/// What was spent in the lost hour is known to nobody, so nothing that was issued before counts any more.
async fn nothing_revives(mut site: Site) {
    let officer = site.reviewer(1).await;
    let (applicant, caller) = site.admitted(0, &officer).await;
    let (url, person) = (site.url(), site.person(0));
    let (_, challenge) = applicant.challenge("progress", &json!({})).await;
    let copy = site.back_up();

    // The lost hour: the token and the challenge are spent.
    let token = caller.token(&person);
    assert_eq!(caller.send(&url, &token).await.result, "1");
    let signature = applicant.sign(challenge["tbs"].as_str().unwrap()).await;
    let id = challenge["id"].as_str().unwrap();
    assert_eq!(applicant.prove(id, &signature).await.0, 200);
    for node in 0..site.urls().len() {
        site.kill(node);
    }
    let told = site.restore(&copy);
    assert!(told.contains("noted: the last entry"), "{told}");
    for node in 0..site.urls().len() {
        site.restart(node).await;
    }

    let again = caller.send(&url, &token).await;
    assert!(is_refused_as_old(&again), "{again:?}");
    let unspent = caller.send(&url, &caller.token(&person)).await;
    assert!(is_refused_as_old(&unspent), "made from 180 s ago on: {unspent:?}");
    assert_eq!(applicant.prove(id, &signature).await.0, 404);
    assert_eq!(officer.get("/applications").await.0, 401);
    // Even a clock that is ahead by all that is allowed could not have made one of these before.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let new = caller.send(&url, &fresh(&caller, &person)).await;
    assert_eq!((new.rd_code.as_str(), new.result.as_str()), ("RS7009", "1"), "{new:?}");
    let (intact, told) = site.audit();
    assert!(intact && told.contains("went on from a backup; what happened from"), "{told}");
    site.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_revives_on_sqlite() {
    nothing_revives(Site::sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_revives_on_postgres() {
    nothing_revives(Site::postgres(2).await).await;
}

/// What `backup restore` refuses, it refuses before it touches anything; interrupted at any step, it goes on when it is
/// asked again; and the files of the old database are kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_put_in_place_whole_or_not_at_all() {
    let mut demo = Demo::start().await;
    let data = demo.data_dir();
    let path = |name: &str| data.join(name).display().to_string();
    let (made, told) = demo.run(&["backup", "make", &path("copy")]);
    assert!(made, "{told}");
    let restore = |demo: &Demo, name: &str| demo.run(&["backup", "restore", &path(name)]);
    let (done, told) = restore(&demo, "copy");
    assert!(!done && told.contains("is in use; stop every idcheck"), "{told}");
    demo.process.kill();
    assert!(data.join("idcheck.db-wal").exists(), "what kill -9 leaves");

    std::fs::write(data.join("no-copy"), "SQLite format 3, not").unwrap();
    let mut damaged = std::fs::read(data.join("copy")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 8192].fill(0xA5);
    std::fs::write(data.join("damaged"), damaged).unwrap();
    std::fs::write(data.join("empty"), "").unwrap();
    let before = std::fs::read(data.join("idcheck.db")).unwrap();
    for (name, expected) in [
        ("nowhere", "No such file"),
        ("no-copy", "is damaged; nothing was changed"),
        ("damaged", "is damaged; nothing was changed"),
        ("empty", "is damaged; nothing was changed"),
    ] {
        let (done, told) = restore(&demo, name);
        assert!(!done && told.contains(expected), "{name}: {told}");
        assert_eq!(std::fs::read(data.join("idcheck.db")).unwrap(), before, "{name}");
    }
    let key = std::fs::read(data.join("key")).unwrap();
    std::fs::write(data.join("key"), "08".repeat(32)).unwrap();
    let (done, told) = restore(&demo, "copy");
    assert!(!done && told.contains("the key file is not this database's"), "{told}");
    std::fs::write(data.join("key"), key).unwrap();

    // As a crash leaves it after each file that went aside.
    for aside in ["idcheck.db", "idcheck.db-wal", "idcheck.db-shm"] {
        if data.join(aside).exists() {
            std::fs::rename(data.join(aside), data.join(format!("crashed-{aside}"))).unwrap();
        }
        let (done, told) = restore(&demo, "copy");
        assert!(done && told.contains("in place: ") && told.contains("noted: the last entry"), "{told}");
        let (intact, told) = demo.run(&["audit", "verify"]);
        assert!(intact, "{told}");
    }
    let kept = std::fs::read_dir(&data)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains(".replaced-"));
    assert!(kept.count() > 0);
    for file in ["idcheck.db", "copy"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(data.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    demo.restart().await;
}

async fn supervisor(nodes: &Nodes, url: &str, number: usize) -> Officer {
    let (name, password, secret) = &nodes.officers[number];
    Officer::sign_in(url, name, password, secret).await
}

async fn revoke(nodes: &Nodes, url: &str, ubn: &str, [one, other]: [usize; 2]) {
    let (one, other) = (supervisor(nodes, url, one).await, supervisor(nodes, url, other).await);
    let body = json!({"ground": "abuse", "reason": "一日內試探兩百餘筆"});
    let (status, asked) = one.post(&format!("/organisations/{ubn}/revoke"), Some(body)).await;
    assert_eq!(status, 201, "{asked}");
    let path = format!("/revocations/{}/confirm", asked["id"].as_str().unwrap());
    let (status, told) = other.post(&path, Some(json!({"version": asked["version"]}))).await;
    assert_eq!(status, 200, "{told}");
}

/// As the runbook says: officers first, who repeat the revocations of the lost hour; queries are answered after that.
#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_of_the_lost_hour_is_repeated_before_queries_are_answered() {
    let mut nodes = Nodes::start(1).await;
    let supervisors = ["supervisor1", "supervisor2"].map(|name| nodes.add_officer(name, "supervisor"));
    let mut site = Site::Postgres(Box::new(nodes));
    let officer = site.reviewer(1).await;
    let (applicant, caller) = site.admitted(0, &officer).await;
    let (url, person) = (site.url(), site.person(0));
    let copy = site.back_up();
    let Site::Postgres(nodes) = &mut site else { return };
    revoke(nodes, &url, &applicant.ubn, supervisors).await;
    let refused = caller.send(&url, &caller.token(&person)).await;
    assert_eq!((refused.status, refused.message.as_str()), (401, "signature invalid"));
    nodes.processes[0].kill();
    let log = std::fs::read_to_string(&nodes.processes[0].log).unwrap();
    let ended = log.lines().find(|line| line.contains("revocation.confirm")).unwrap_or_default();
    assert!(ended.contains(&applicant.ubn), "the log tells what to repeat: {log}");

    nodes.restore(&copy);
    let (noted, told) = nodes.run(&["backup", "restored"]);
    assert!(noted, "{told}");
    let desk = nodes.add("officer,worker").await;
    let path = |url: &str| format!("{url}/integration/rwv2c2");
    let status = reqwest::get(path(&desk)).await.unwrap().status();
    assert_eq!(status, 404, "no query is answered yet");
    revoke(nodes, &desk, &applicant.ubn, supervisors).await;
    nodes.restart(0).await;
    let refused = caller.send(&url, &fresh(&caller, &person)).await;
    assert_eq!((refused.status, refused.message.as_str()), (401, "signature invalid"));
    site.close();
}

/// The audit log stays verifiable, and says itself what is gone.
async fn what_was_kept_for_its_time_goes(site: Site) {
    let officer = site.reviewer(1).await;
    let (_, caller) = site.admitted(0, &officer).await;
    assert_eq!(caller.send(&site.url(), &caller.token(&site.person(0))).await.result, "1");
    let (done, told) = site.run(&["retention", "run"]);
    assert!(done && told.contains("removed: 0 records") && told.contains(", 0 organisations"), "{told}");
    let (intact, told) = site.audit();
    assert!(intact && !told.contains("removed"), "{told}");
    site.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_young_is_removed_on_sqlite() {
    what_was_kept_for_its_time_goes(Site::sqlite().await).await;
}
