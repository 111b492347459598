//! The server under test, as a process of its own on a free port of loopback.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
}

impl Server {
    pub(super) fn start(flags: &[String], env: &[(String, String)]) -> Result<Self, String> {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|probe| probe.local_addr()).map_err(|e| e.to_string())?.port();
        // Another program may stand in, to see that the recorded file still fits imaginary itself.
        let other = std::env::var("PHASOR_COMPAT_SERVER").ok();
        // Sources on loopback are refused by default; the recorded answers know no such rule.
        let ours: &[&str] = if other.is_none() { &["--source-networks", "127.0.0.1/32,::1/128"] } else { &[] };
        let child = Command::new(other.as_deref().unwrap_or(env!("CARGO_BIN_EXE_phasor")))
            .args(ours)
            .args(["-p", &port.to_string(), "-a", "127.0.0.1"])
            .args(flags)
            .envs(env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut server = Self { child, port };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Ok(Some(status)) = server.child.try_wait() {
                return Err(status.to_string());
            }
            if Instant::now() > end {
                return Err("it does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
