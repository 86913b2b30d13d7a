//! `cargo xtask soak`: the suites of the tests with the counts of a long campaign. A failure prints the seed that
//! makes it again.

use anyhow::Context;

use crate::{
    demo::target_directory,
    postgres::Postgres,
    shell::{cargo, run},
    tools,
};

/// A campaign: its name, its tests, the variable that sets its length, and how long it is.
struct Campaign {
    name: &'static str,
    tests: &'static [&'static str],
    variable: &'static str,
    count: u32,
}

const CAMPAIGNS: [Campaign; 5] = [
    Campaign {
        name: "kills",
        tests: &["idcheck-tests", "--test", "it", "crash_recovery::"],
        variable: "IDCHECK_TEST_KILLS",
        count: 1000,
    },
    Campaign {
        name: "database-kills",
        tests: &["idcheck-tests", "--test", "it", "database_crash::"],
        variable: "IDCHECK_TEST_DATABASE_KILLS",
        count: 200,
    },
    Campaign {
        name: "ledger-state",
        tests: &["idcheck-persistence", "--lib", "memory_is_what_the_tables_say"],
        variable: "IDCHECK_TEST_LEDGER_STATE",
        count: 20_000,
    },
    Campaign {
        name: "oracle",
        tests: &["idcheck-tests", "--test", "it", "verification_oracle::"],
        variable: "IDCHECK_TEST_ORACLE",
        count: 60,
    },
    Campaign {
        name: "races",
        tests: &["idcheck-tests", "--test", "it", "races::"],
        variable: "IDCHECK_TEST_RACES",
        count: 1000,
    },
];

/// Runs one campaign, or all; `count` replaces its length.
pub(crate) fn soak(name: Option<&str>, count: Option<u32>, release: bool) -> anyhow::Result<()> {
    let names = || CAMPAIGNS.map(|campaign| campaign.name).join(", ");
    let chosen: Vec<_> =
        CAMPAIGNS.iter().filter(|campaign| name.is_none_or(|name| name == campaign.name)).collect();
    if chosen.is_empty() {
        anyhow::bail!("there is no such campaign; there are {}", names());
    }
    let python = tools::python()?;
    let profile = if release { "release" } else { "dev" };
    run(&mut cargo(&["build", "--quiet", "--workspace", "--bins", "--profile", profile]))?;
    let programs = target_directory()?.join(if release { "release" } else { "debug" });
    let postgres = Postgres::start()?;
    for campaign in chosen {
        let count = count.unwrap_or(campaign.count);
        println!("== {} × {count}", campaign.name);
        run(tools::nextest()?
            .args(["run", "-p"])
            .args(campaign.tests)
            .args(["--no-fail-fast", "--success-output", "final"])
            .env(campaign.variable, count.to_string())
            .env("IDCHECK_TEST_PROGRAMS", &programs)
            .env("IDCHECK_TEST_POSTGRES", &postgres.url)
            .env("IDCHECK_TEST_PYTHON", &python))
        .with_context(|| format!("campaign {}", campaign.name))?;
    }
    Ok(())
}
