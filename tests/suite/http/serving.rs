//! The program itself, as a process.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::Client;

pub fn phasor(args: &[&str], env: &[(&str, &str)]) -> Output {
    command(args, env).output().unwrap()
}

fn command(args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_phasor"));
    command.args(args).env_clear().envs(env.iter().copied()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program that serves on a port; killed when dropped.
pub struct Serving {
    pub child: Child,
    pub port: u16,
    /// What it said there, once it has ended.
    pub stderr: Option<std::thread::JoinHandle<String>>,
}

impl Serving {
    /// Starts it and waits for the line on stderr that says where it listens; what follows there is kept.
    pub fn with(args: &[&str], env: &[(&str, &str)]) -> Self {
        Self::started_by(command(args, env))
    }

    /// As [`Serving::with`], allowed to open so many files and no more.
    pub fn with_files(files: u32, args: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_phasor")]).args(args);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::started_by(shell)
    }

    fn started_by(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let port = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "it ended: {said}");
            said.push_str(&line);
            let listening =
                line.split_once("listening address=\"").or_else(|| line.split_once("\"listening\",\"address\":\""));
            if let Some((_, rest)) = listening {
                break rest.split('"').next().unwrap().rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        let rest = std::thread::spawn(move || {
            let _ = stderr.read_to_string(&mut said);
            said
        });
        Self { child, port, stderr: Some(rest) }
    }

    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address())
    }

    /// Its exit status, which must come within this time.
    #[track_caller]
    pub fn ended_within(&mut self, limit: Duration) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(started.elapsed() < limit, "it goes on");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
