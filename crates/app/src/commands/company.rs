//! `company import`, `company generate` and `sweep`.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use aws_lc_rs::digest;
use idcheck_domain::{
    Violation,
    company::{Finding, SweepItem},
    value::UnifiedBusinessNumber,
};
use idcheck_usecases::{
    ports::{AuditAction, AuditActor, AuditEntry, AuditSubject, Changes, Clock, CompanySnapshots, Entropy},
    sweep::{SweepCompanies, SweptBy},
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    casework,
    companies::{COLUMNS, Companies, Refusal},
    company_register::register,
    config::Config,
    system::{SystemClock, SystemEntropy},
};

/// Rows written together, all or nothing.
const BATCH: usize = 5000;
/// Refused rows that are named one by one.
const NAMED: u64 = 100;

fn sha256(path: &Path) -> anyhow::Result<[u8; 32]> {
    let file = File::open(path).with_context(|| format!("company register file {}", path.display()))?;
    let (mut file, mut hash) = (BufReader::new(file), digest::Context::new(&digest::SHA256));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    Ok(<[u8; 32]>::try_from(hash.finish().as_ref())?)
}

/// Rows on their way into a snapshot.
struct Import<'s> {
    snapshots: &'s dyn CompanySnapshots,
    digest: [u8; 32],
    /// Rows that an interrupted import wrote already.
    done: u64,
    rows: u64,
    refused: u64,
    /// Those among them whose number breaks the check digit: no organisation has such a number, and the official data has some.
    passed: u64,
}

/// What may be wrong with a snapshot that is put in force.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    /// Rows were refused.
    pub(super) refused: bool,
    /// More than a tenth of the companies before is missing.
    pub(super) missing: bool,
}

impl Import<'_> {
    #[expect(clippy::print_stderr, reason = "the command's output")]
    async fn run(&mut self, companies: &mut Companies, bar: &ProgressBar) -> anyhow::Result<()> {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let row = companies.next()?;
            let more = row.is_some();
            if let Some((line, row)) = row {
                self.rows += 1;
                match row {
                    Ok(record) if self.rows > self.done => batch.push(record),
                    Ok(_) => {}
                    Err(refusal) => {
                        self.refused += 1;
                        self.passed += u64::from(refusal == Refusal::Number(Violation::UbnChecksum));
                        if self.refused <= NAMED {
                            bar.suspend(|| eprintln!("line {line}: {}", refusal.words()));
                        }
                    }
                }
            }
            if batch.len() == BATCH || (!more && !batch.is_empty()) {
                let written = self.snapshots.append(&self.digest, &batch, self.rows).await;
                written.context("the batch was not written; start again to go on from here")?;
                batch.clear();
            }
            bar.set_position(companies.position());
            if !more {
                return Ok(());
            }
        }
    }
}

/// Imports a snapshot. It comes into force as a whole, and only if every row was read: a company whose row was refused
/// would count as not registered.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn import(config: &Config, file: &Path, allowed: Allowed) -> anyhow::Result<ExitCode> {
    let mut companies = Companies::open(file)?;
    let (digest, size) = (sha256(file)?, std::fs::metadata(file)?.len());
    let store = super::store(config).await?;
    let Some(done) = store.begin(&digest, SystemClock.now()).await? else {
        println!("this file is the snapshot in force, or was before; nothing to do");
        return Ok(ExitCode::SUCCESS);
    };
    if done > 0 {
        println!("going on after {done} rows");
    }
    let bar = ProgressBar::new(size)
        .with_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {elapsed} (left {eta})")?);
    let mut import = Import { snapshots: &store, digest, done, rows: 0, refused: 0, passed: 0 };
    import.run(&mut companies, &bar).await?;
    bar.finish();
    let Import { rows, refused, passed, .. } = import;
    let before = store.in_force().await?;
    // Nine tenths: businesses close, but a file that lacks more than that was cut.
    let doubt = if rows == refused {
        Some("the file holds no company".to_owned())
    } else if refused > passed && !allowed.refused {
        Some(format!("{} of {rows} rows refused (--allow-refused)", refused - passed))
    } else if (rows - refused) * 10 < before * 9 && !allowed.missing {
        Some(format!("{rows} rows, where the snapshot in force has {before} (--allow-missing)"))
    } else {
        None
    };
    if let Some(doubt) = doubt {
        store.abandon(&digest).await?;
        println!(
            "{doubt}; the snapshot before stays in force. A company that the file lacks would count as not \
             registered: correct the file, or take it as it is with the option named"
        );
        return Ok(ExitCode::FAILURE);
    }
    let count = store.complete(&digest, SystemClock.now()).await?;
    let snapshot = AuditSubject::Snapshot(hex::encode(digest));
    let entry = AuditEntry::new(AuditActor::Operator, AuditAction::CompanyImport, snapshot)
        .detail(format!("companies:{count} refused:{refused} passedOver:{passed}"));
    store.note(entry).await?;
    println!("{count} companies in force, {refused} rows refused, {passed} of them for their check digit");
    Ok(if refused == passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes made-up companies in the shape of the data set.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) fn generate(count: usize, file: &Path) -> anyhow::Result<ExitCode> {
    let output = File::create(file).with_context(|| format!("writing {}", file.display()))?;
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(COLUMNS)?;
    let numbers = (10_000_000..100_000_000_u32)
        .filter_map(|number| UnifiedBusinessNumber::parse(&number.to_string()).ok());
    for (index, ubn) in numbers.take(count).enumerate() {
        let (address, name) = (format!("臺北市示範路{index}號"), format!("示範{index}股份有限公司"));
        let row = [&address, ubn.as_str(), "", &name, "1000000", "0990101", "股份有限公司", "Y"];
        writer.write_record(row)?;
    }
    writer.flush()?;
    println!("{count} made-up companies in {}", file.display());
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn print(item: &SweepItem) {
    let Some(finding) = &item.finding else {
        println!("{}  no answer    {}", item.ubn, item.name.as_str());
        return;
    };
    let detail = finding.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    println!("{}  {:<11}  {}{detail}", item.ubn, finding.as_str(), item.name.as_str());
}

/// The yearly sweep. Without `apply` it is told what would be found; with it, that becomes the worklist on which
/// supervisors confirm. No access ends here.
#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn sweep(config: &Config, apply: bool) -> anyhow::Result<ExitCode> {
    let store = Arc::new(super::store(config).await?);
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
        (Arc::new(SystemClock), Arc::new(SystemEntropy::default()));
    let register = register(&config.company_register, &store)?;
    let sweeps = SweepCompanies::new(
        casework::ports(&store, &clock, &entropy, register, Arc::clone(&store) as _),
        store,
    );
    let items = sweeps.preview().await?;
    let count = |word: Option<&str>| {
        items.iter().filter(|item| item.finding.as_ref().map(Finding::as_str) == word).count()
    };
    for item in items.iter().filter(|item| item.waits() || item.finding.is_none()) {
        print(item);
    }
    let unanswered = count(None);
    println!(
        "{} organisations: {} match, {} with another name, {} not found, {} dissolved, {unanswered} without an answer",
        items.len(),
        count(Some("matches")),
        count(Some("nameDiffers")),
        count(Some("notFound")),
        count(Some("dissolved")),
    );
    if apply {
        let sweep = sweeps.begin(SweptBy::Operator).await?;
        while sweeps.advance().await? > 0 {}
        println!("worklist {}: supervisors confirm at /officer/sweeps/{}", sweep.value.id, sweep.value.id);
    }
    Ok(if unanswered == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
