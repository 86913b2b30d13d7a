//! `registry import` and `registry generate`.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Subcommand;
use idcheck_persistence::Store;
use idcheck_usecases::ports::{HouseholdRegister, RegisterRow};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use super::{
    register_file::{REGISTER_COLUMNS, RefusedRow, open_register, register_row},
    shared::{ConfigArguments, store},
};
use crate::{
    config::Config,
    demo::persons::{persons, status_word},
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Import persons from CSV: personId, applyCode, applyYyymmdd, issueSiteId, status.
    Import {
        /// The CSV file.
        file: PathBuf,
        /// Stop at the first batch that contains a bad row; nothing of that batch is written.
        #[arg(long)]
        stop_on_error: bool,
        /// The file is the complete register: a person who is not in it is unknown from then on. Queries are answered from
        /// the old register until the new one is complete; if a row is refused, the old one stays in force.
        #[arg(long)]
        replace: bool,
        /// Replace even if rows were refused or more than a tenth of the persons is missing.
        #[arg(long, alias = "despite-doubts", requires = "replace")]
        force: bool,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Write a CSV file of made-up persons.
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
        Command::Import { file, stop_on_error, replace, force, config } => {
            let options = ImportOptions { stop_on_error, replace, force };
            Box::pin(import(&config.read()?, &file, options)).await
        }
        Command::Generate { count, file } => generate(count, &file),
    }
}

/// Rows written together, all or nothing.
const BATCH: usize = 5000;
/// Refused rows that are named one by one.
const NAMED: usize = 100;

/// Batches that are read ahead of the one being written.
const AHEAD: usize = 4;

/// What to do with the file.
#[derive(Clone, Copy)]
pub(super) struct ImportOptions {
    /// Stop at the first refused row.
    pub(super) stop_on_error: bool,
    /// The file is the whole register.
    pub(super) replace: bool,
    /// Replace though rows were refused or many persons are missing.
    pub(super) force: bool,
}

/// What the thread that reads the file tells.
enum Told {
    /// Rows to write together, and how far the file is read.
    Rows(Vec<RegisterRow>, u64),
    Refused(RefusedRow),
}

async fn import(config: &Config, file: &Path, options: ImportOptions) -> anyhow::Result<ExitCode> {
    let size = std::fs::metadata(file).with_context(|| format!("register file {}", file.display()))?.len();
    let reader = open_register(file)?;
    let store = store(config).await?;
    if options.replace {
        store.begin_edition().await?;
    }
    let bar = ProgressBar::new(size)
        .with_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {elapsed} (left {eta})")?);
    let (tell, told) = mpsc::channel(AHEAD);
    let reading = tokio::task::spawn_blocking(move || read(reader, options.stop_on_error, &tell));
    let (imported, refused) = write(&store, told, options, &bar).await?;
    reading.await??;
    if let (true, Some(line)) = (options.stop_on_error, refused.last_line) {
        bar.abandon();
        return Ok(stopped(imported, line, options.replace));
    }
    bar.finish();
    finish(&store, imported, refused.count, options).await
}

/// Rows that were refused.
#[derive(Default)]
struct Refused {
    count: usize,
    last_line: Option<u64>,
}

/// Reads the file to its end, or to the first refused row.
fn read(mut reader: csv::Reader<File>, stop_on_error: bool, tell: &mpsc::Sender<Told>) -> anyhow::Result<()> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).context("the file is not CSV")? {
        let line = record.position().map_or(0, csv::Position::line);
        let told = match register_row(&record, line) {
            Ok(row) => {
                batch.push(row);
                if batch.len() < BATCH {
                    continue;
                }
                Told::Rows(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)), reader.position().byte())
            }
            Err(row) => Told::Refused(row),
        };
        let last = stop_on_error && matches!(told, Told::Refused(_));
        // Nobody listens any more when writing failed.
        if tell.blocking_send(told).is_err() || last {
            return Ok(());
        }
    }
    if !batch.is_empty() {
        let _ = tell.blocking_send(Told::Rows(batch, reader.position().byte()));
    }
    Ok(())
}

/// Writes what is read; how many rows, and what was refused.
#[expect(clippy::print_stderr, reason = "the command's output")]
async fn write(
    store: &Store,
    mut told: mpsc::Receiver<Told>,
    options: ImportOptions,
    bar: &ProgressBar,
) -> anyhow::Result<(usize, Refused)> {
    let (mut imported, mut refused) = (0, Refused::default());
    while let Some(told) = told.recv().await {
        match told {
            Told::Rows(rows, read) => {
                let written = if options.replace { store.add_to_edition(&rows) } else { store.import(&rows) };
                written.await.context("the batch was not written; nothing of it is there")?;
                imported += rows.len();
                bar.set_position(read);
            }
            Told::Refused(row) => {
                refused.count += 1;
                refused.last_line = Some(row.line);
                if refused.count <= NAMED {
                    bar.suspend(|| eprintln!("line {}: {}: {}", row.line, row.column, row.violation.code()));
                }
            }
        }
    }
    Ok((imported, refused))
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn stopped(imported: usize, line: u64, replace: bool) -> ExitCode {
    if replace {
        println!("stopped at line {line}: the register stays as it was");
    } else {
        println!("stopped: {imported} rows imported before the batch of line {line}");
    }
    ExitCode::FAILURE
}

/// Puts an edition in force, if that is what was asked for, and tells how it went.
#[expect(clippy::print_stdout, reason = "the command's output")]
async fn finish(
    store: &Store,
    imported: usize,
    refused: usize,
    options: ImportOptions,
) -> anyhow::Result<ExitCode> {
    if options.replace {
        let (before, persons) = (store.count().await?, store.complete_edition().await?);
        if !options.force {
            if refused > 0 {
                println!(
                    "{refused} rows refused: the register stays as it was. Correct them, or add --force"
                );
                return Ok(ExitCode::FAILURE);
            }
            // A truncated file would make people unknown, and an unknown person is reported as a mismatch.
            if persons < before / 10 * 9 {
                println!(
                    "the file has {persons} persons, the register {before}: it stays as it was. Where that is right, \
                     add --force"
                );
                return Ok(ExitCode::FAILURE);
            }
        }
        store.put_edition_in_force().await?;
    }
    let persons = store.count().await?;
    println!("{imported} rows imported, {refused} refused; the register holds {persons} persons");
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn generate(count: usize, file: &Path) -> anyhow::Result<ExitCode> {
    let output = File::create(file).with_context(|| format!("writing {}", file.display()))?;
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(REGISTER_COLUMNS)?;
    for row in persons(count) {
        writer.write_record([
            row.person_id.expose(),
            row.data.apply_code.as_str(),
            &row.data.applied_on.to_string(),
            row.data.issue_site.code(),
            status_word(row.status),
        ])?;
    }
    writer.flush()?;
    println!("{count} made-up persons in {}", file.display());
    Ok(ExitCode::SUCCESS)
}
