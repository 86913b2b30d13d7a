//! `registry import` and `registry generate`.

use std::{fs::File, path::Path, process::ExitCode};

use anyhow::Context;
use idcheck_usecases::ports::{HouseholdRegister, RegisterRow};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    config::Config,
    demo::persons::{persons, status_word},
    import::{REGISTER_COLUMNS, open_register, register_row},
};

/// Rows written together, all or nothing.
const BATCH: usize = 5000;
/// Refused rows that are named one by one.
const NAMED: usize = 100;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "the command's output")]
pub(super) async fn import(config: &Config, file: &Path, stop_on_error: bool) -> anyhow::Result<ExitCode> {
    let size = std::fs::metadata(file).with_context(|| format!("register file {}", file.display()))?.len();
    let mut reader = open_register(file)?;
    let store = super::store(config).await?;
    let bar = ProgressBar::new(size)
        .with_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {elapsed} (left {eta})")?);
    let (mut imported, mut refused) = (0_usize, 0_usize);
    let mut batch: Vec<RegisterRow> = Vec::with_capacity(BATCH);
    let mut record = csv::ByteRecord::new();
    loop {
        let more = reader.read_byte_record(&mut record).context("the file is not CSV")?;
        if more {
            let line = record.position().map_or(0, csv::Position::line);
            match register_row(&record, line) {
                Ok(row) => batch.push(row),
                Err(row) => {
                    refused += 1;
                    if refused <= NAMED {
                        bar.suspend(|| {
                            eprintln!("line {}: {}: {}", row.line, row.column, row.violation.code());
                        });
                    }
                    if stop_on_error {
                        bar.abandon();
                        println!("stopped: {imported} rows imported before the batch of line {}", row.line);
                        return Ok(ExitCode::FAILURE);
                    }
                }
            }
        }
        if batch.len() == BATCH || (!more && !batch.is_empty()) {
            store.import(&batch).await.context("the batch was not written; nothing of it is there")?;
            imported += batch.len();
            batch.clear();
        }
        bar.set_position(reader.position().byte());
        if !more {
            break;
        }
    }
    bar.finish();
    println!(
        "{imported} rows imported, {refused} refused; the register holds {} persons",
        store.count().await?
    );
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) fn generate(count: usize, file: &Path) -> anyhow::Result<ExitCode> {
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
