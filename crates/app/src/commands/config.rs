//! `config check`, `config default` and `config reference`.

use std::process::ExitCode;

use clap::Subcommand;

use super::{doctor, shared::ConfigArguments};
use crate::config::Config;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check the configuration and report every error; exits with 1 if it can't be used.
    Check(ConfigArguments),
    /// Print the default values, as TOML.
    Default,
    /// Print every setting with its type, default and meaning.
    Reference,
}

#[expect(clippy::print_stdout, reason = "the command's output")]
pub(super) fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check(arguments) => return Ok(doctor::check_config(&arguments)),
        Command::Default => print!("{}", toml::to_string(&Config::default())?),
        Command::Reference => print!("{}", include_str!("../../../../docs/configuration.md")),
    }
    Ok(ExitCode::SUCCESS)
}
