//! Where logs go: standard error, one line an event, without personal data.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Sets logging up for the process.
///
/// # Errors
/// When the filter can't be read.
pub(crate) fn set_up(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter).ok().context("log.filter is no filter")?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Colours are for people: in a file they are noise.
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    if log.json {
        builder.json().init();
    } else {
        builder.init();
    }
    Ok(())
}

/// For commands that end: what failed, one line on standard error.
pub(crate) fn set_up_for_commands() {
    let filter = EnvFilter::new("error");
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Where logging was set up already, that stays.
    let _ = builder.without_time().with_target(false).with_ansi(false).try_init();
}
