//! `retention run`, `backup`: what an operator does to the whole database.

use std::{path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use chrono::TimeDelta;
use idcheck_domain::taipei;
use idcheck_persistence::{Keep, Store, shown_address};
use idcheck_usecases::ports::Clock;

use crate::{config::Config, keyfile, logs, system::SystemClock, wiring};

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn retain(config: &Config) -> anyhow::Result<ExitCode> {
    let now = SystemClock.now();
    let before = |days: u32| now - TimeDelta::days(i64::from(days));
    let kept = &config.retention;
    let keep = Keep {
        records_before: before(kept.records),
        mails_before: before(kept.mails),
        organisations_before: before(kept.organisations),
    };
    let removed = super::store(config).await?.retain(&keep).await?;
    println!(
        "removed: {} records of queries before {}, {} mails before {}, {} organisations that ended before {}",
        removed.records,
        taipei::day(keep.records_before),
        removed.mails,
        taipei::day(keep.mails_before),
        removed.organisations,
        taipei::day(keep.organisations_before),
    );
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn back_up(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    if file.exists() {
        bail!("{} is there already; a backup is written to a new file", file.display());
    }
    let path = file.to_str().context("the file's name is not UTF-8")?;
    let done = super::store(config).await?.back_up(path).await;
    let done = done.with_context(|| format!("{} can't be written", file.display()))?;
    done.context("PostgreSQL has tools of its own: `pg_basebackup` with WAL archiving, or `pg_dump`")?;
    println!(
        "written: {}; keep the key file too, and apart from it: without the key the copy can't be used",
        file.display()
    );
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn restore(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    logs::set_up_for_commands();
    let vault = wiring::vault(&keyfile::read(&config.key_file)?)?;
    let aside = Store::put_back(&config.database_url, file, vault, Arc::new(SystemClock)).await?;
    println!("in place: {} of {}", shown_address(&config.database_url), file.display());
    for kept in aside {
        println!("kept: {}; remove it when it is needed no more", kept.display());
    }
    restored(config).await
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn restored(config: &Config) -> anyhow::Result<ExitCode> {
    let (seq, at) = super::store(config).await?.restored().await?;
    println!(
        "noted: the last entry of the chain that is there is {seq}, of {}\n\
         Challenges, officers' sessions and tokens from before now count no more.\n\
         Not known: revocations and lock-outs since then; docs/guides/runbooks.md tells what to do before queries are \
         answered.",
        super::audit::shown(at)
    );
    Ok(ExitCode::SUCCESS)
}
