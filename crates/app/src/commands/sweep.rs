//! `sweep`.

use std::{process::ExitCode, sync::Arc};

use idcheck_domain::{company::Finding, sweep::SweepItem};
use idcheck_usecases::{
    ports::{Clock, Entropy},
    sweep::{SweepCompanies, SweptBy},
};

use super::shared::store;
use crate::{
    config::Config,
    system::{SystemClock, SystemEntropy},
    wiring::office,
};

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
pub(super) async fn run(config: &Config, apply: bool) -> anyhow::Result<ExitCode> {
    let store = Arc::new(store(config).await?);
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) =
        (Arc::new(SystemClock), Arc::new(SystemEntropy::default()));
    let register = office::company_register(&config.company_register, &store)?;
    let sweeps = SweepCompanies::new(
        office::ports(&store, &clock, &entropy, register, Arc::clone(&store) as _),
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
