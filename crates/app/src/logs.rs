//! Where logs go: standard error, one line an event, without personal data.

use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Sets logging up for the process.
///
/// # Errors
/// When the filter can't be read.
pub(crate) fn set_up(log: &Log) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&log.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if log.json {
        builder.json().init();
    } else {
        builder.init();
    }
    Ok(())
}
