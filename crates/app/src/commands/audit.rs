//! `audit verify`.

use std::process::ExitCode;

use idcheck_persistence::Fault;

use crate::config::Config;

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) async fn verify(config: &Config, from: i64) -> anyhow::Result<ExitCode> {
    let report = super::store(config).await?.verify_chain(from).await?;
    match report.first_bad {
        None => {
            println!("intact: {} entries, {} verification records", report.entries, report.records);
            Ok(ExitCode::SUCCESS)
        }
        Some((seq, fault)) => {
            let what = match fault {
                Fault::Hash => "its content or place was changed",
                Fault::Missing => "it is missing",
                Fault::Records => "its verification records were changed",
                Fault::Head => "the chain does not end where it should",
            };
            println!("broken at entry {seq}: {what} ({} entries before it are intact)", report.entries);
            Ok(ExitCode::FAILURE)
        }
    }
}
