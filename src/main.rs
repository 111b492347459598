//! Start-up: arguments → settings → logs → server.

use std::io::Write as _;
use std::process::ExitCode;

use phasor::config::{self, Args, Command, Config};
use phasor::server::{self, Signals};
use phasor::{bench, capacity, cli, telemetry};

/// Exit status for settings that cannot be served with.
const BAD_SETTINGS: u8 = 2;

fn main() -> ExitCode {
    let (command, args) = match config::args::from_process() {
        Ok(parsed) => parsed,
        Err(faults) => return refuse(&faults),
    };
    match command {
        Command::Help => print(&config::help(server::VERSION)),
        Command::Version => print(&format!("{}\n", server::VERSION)),
        Command::Gpus => print(&cli::gpus()),
        Command::Sign(url) => finish(cli::sign(&url, &args)),
        Command::Explain { url, received } => finish(cli::explain(&url, received.as_deref(), &args)),
        Command::Bench(args) => measure(args),
        Command::Capacity(args) => estimate(&args),
        Command::Serve => serve(&args),
    }
}

fn serve(args: &Args) -> ExitCode {
    let config = match Config::from_args(args) {
        Ok(config) => config,
        Err(faults) => return refuse(&faults),
    };
    telemetry::init(&config.telemetry);
    for warning in config.warnings(args) {
        telemetry::events::config_warning(&warning);
    }
    match server::start(config, Signals::Obeyed).and_then(server::Running::wait) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&[error.to_string()]),
    }
}

fn measure(args: Vec<String>) -> ExitCode {
    if args.iter().any(|arg| matches!(arg.as_str(), "-h" | "-help" | "--help")) {
        return print(bench::USAGE);
    }
    let measured = bench::Options::parse(args).and_then(|options| Ok((options.json, bench::run(&options)?)));
    match measured {
        Ok((true, report)) => print(&report.json()),
        Ok((false, report)) => print(&report.table()),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "phasor bench: {error}\nSee phasor bench -help.");
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

fn estimate(args: &[String]) -> ExitCode {
    match capacity::run(args) {
        Ok(text) => print(&text),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "phasor capacity: {error}\n{}", capacity::USAGE);
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

/// All faults in one message on stderr.
fn refuse(faults: &[String]) -> ExitCode {
    let mut text = String::from("phasor cannot start:\n");
    for fault in faults {
        text.push_str(&format!("  {fault}\n"));
    }
    text.push_str("See phasor -help.\n");
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(BAD_SETTINGS)
}

fn finish(done: Result<String, Vec<String>>) -> ExitCode {
    match done {
        Ok(text) => print(&text),
        Err(faults) => refuse(&faults),
    }
}

fn print(text: &str) -> ExitCode {
    // A closed pipe is no fault: `phasor -help | head`.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
