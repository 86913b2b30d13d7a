//! `cargo xtask fuzz`: what the tests of the certificate crate do to encoded input, for long. The targets are those tests
//! (`crates/certificate/tests/hostile.rs`), optimised, with overflow checks, from a new seed in each turn; a failure
//! prints the seed that makes it again.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail};

use crate::shell::{cargo, run};

/// Inputs that are fuzzed, as the names of their tests begin.
const TARGETS: [&str; 5] = ["ber", "certificate", "cms", "crl", "ocsp"];
/// Changes for each seed in one turn.
const ROUNDS: u32 = 200_000;

/// Fuzzes one target, or all in turn, until the time is over.
pub(crate) fn fuzz(target: Option<&str>, minutes: u64, rounds: Option<u32>) -> anyhow::Result<()> {
    let chosen: Vec<_> =
        TARGETS.into_iter().filter(|known| target.is_none_or(|target| target == *known)).collect();
    if chosen.is_empty() {
        bail!("there is no such target; there are {}", TARGETS.join(", "));
    }
    let begun = Instant::now();
    let time = Duration::from_secs(minutes * 60);
    let mut turns = 0_u32;
    while turns == 0 || begun.elapsed() < time {
        // Whole microseconds since 1970 are another number in each turn.
        let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_micros();
        for target in &chosen {
            run(cargo(&["test", "--quiet", "--release", "-p", "idcheck-certificate", "--test", "hostile"])
                .args(["--", "--nocapture", &format!("{target}_")])
                .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
                .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
                .env("IDCHECK_TEST_FUZZ", rounds.unwrap_or(ROUNDS).to_string())
                .env("IDCHECK_TEST_SEED", (seed & u128::from(u64::MAX)).to_string()))
            .with_context(|| format!("target {target}, IDCHECK_TEST_SEED={seed}"))?;
        }
        turns += 1;
    }
    println!("{} turns of {}: nothing panicked, nothing changed was accepted", turns, chosen.join(", "));
    Ok(())
}
