//! `company import` and `company generate`.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use aws_lc_rs::digest;
use clap::Subcommand;
use idcheck_domain::{Violation, value::UnifiedBusinessNumber};
use idcheck_open_data::companies::{COLUMNS, Companies, Refusal};
use idcheck_usecases::ports::{
    AuditAction, AuditActor, AuditEntry, AuditSubject, Changes, Clock, CompanySnapshots,
};
use indicatif::{ProgressBar, ProgressStyle};

use super::shared::{ConfigArguments, store};
use crate::{config::Config, system::SystemClock};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Import a snapshot in the format BGMOPEN1 (CSV, UTF-8); an interrupted import is resumed.
    Import {
        /// The CSV file.
        file: PathBuf,
        /// Put the snapshot in force even if rows were refused; those companies count as not registered.
        #[arg(long, alias = "despite-refused")]
        allow_refused: bool,
        /// Put it in force even if more than a tenth of the previous companies is missing.
        #[arg(long, alias = "despite-missing")]
        allow_missing: bool,
        /// Both `--allow-refused` and `--allow-missing`.
        #[arg(long, alias = "despite-doubts")]
        force: bool,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Write a CSV file of made-up companies in the same format.
    Generate {
        /// Number of rows.
        #[arg(long, default_value_t = 100_000)]
        count: usize,
        /// The file to write.
        file: PathBuf,
    },
}

/// Runs it.
pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Import { file, allow_refused, allow_missing, force, config } => {
            let allowed = Allowed { refused: allow_refused || force, missing: allow_missing || force };
            Box::pin(import(&config.read()?, &file, allowed)).await
        }
        Command::Generate { count, file } => generate(count, &file),
    }
}

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
            let row = companies.next().transpose()?;
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
            bar.set_position(companies.bytes_read());
            if !more {
                return Ok(());
            }
        }
    }
}

/// Imports a snapshot. It comes into force as a whole, and only if every row was read: a company whose row was refused
/// would count as not registered.
#[expect(clippy::print_stdout, reason = "the command's output")]
async fn import(config: &Config, file: &Path, allowed: Allowed) -> anyhow::Result<ExitCode> {
    let mut companies = Companies::open(file)?;
    let (digest, size) = (sha256(file)?, std::fs::metadata(file)?.len());
    let store = store(config).await?;
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
fn generate(count: usize, file: &Path) -> anyhow::Result<ExitCode> {
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
