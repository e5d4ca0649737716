//! The `tidewire` command.
//!
//! * `args`: every command, flag and line of help; nothing else is parsed elsewhere.
//! * `serve`: the server as a process: configuration, logs, signals.
//! * `demo`, `bench`: a server of their own (`child`), and what they show of it.
//! * `admin`, `send`, `tail`: a person's or a script's access to any server (`client`).
//! * `doctor`, `backup`: a data directory without its server, or beside it.
//! * `at_rest`: the keys that a data directory's segments are encrypted with.
//! * `failure`, `output`: what goes wrong and how things are shown.
//!
//! The one invariant: what a program may read goes to stdout, what a person reads while it runs
//! (progress, errors, logs) goes to stderr, and the exit code is one of those that `--help` lists.

mod admin;
mod args;
mod at_rest;
mod backup;
mod bench;
mod child;
mod client;
mod demo;
mod doctor;
mod failure;
mod output;
mod send;
mod serve;
mod tail;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
use failure::Failure;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve(args) => serve::run(*args),
        Command::Demo(args) => demo::run(args),
        Command::Stream(command) => admin::stream::run(command),
        Command::Topic(command) => admin::topic::run(command),
        Command::Group(command) => admin::group::run(command),
        Command::User(command) => admin::users::user(command),
        Command::Token(command) => admin::users::token(command),
        Command::Grant(command) => admin::users::grant(command),
        Command::Send(args) => send::run(args),
        Command::Tail(args) => tail::run(args),
        Command::Keygen(args) => keygen(&args),
        Command::Bench(command) => bench::run(command),
        Command::Doctor(args) => doctor::run(args),
        Command::Backup(args) => backup::run(args),
        Command::Config(args::ConfigCommand::Check { file }) => serve::check(&file),
        Command::Describe(args::DescribeCommand::Limits { json, server }) => {
            admin::limits::run(&server.url, json)
        }
        Command::Ping { server } => admin::ping(&server),
        Command::Completions { shell } => completions(shell),
    }
}

/// Prints a new key, which is kept nowhere.
fn keygen(args: &args::records::KeygenArgs) -> Result<(), Failure> {
    let key = tidewire::new_encryption_key(args.id)?.text();
    output::write(format!("{}\n", *key).as_bytes())
}

fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    // Written in one go: the generator panics where its output ends early.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tidewire", &mut script);
    output::write(&script)
}
