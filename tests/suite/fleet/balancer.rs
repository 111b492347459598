//! HAProxy with the settings that `docs/operations.md` asks of an edge.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http::serving::free_port;

/// Which requests are sent once more, to another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Those whose connection was refused: nobody has seen them.
    Refused,
    /// GETs too that got no answer: pictures may be asked for twice.
    Unanswered,
}

/// A running HAProxy; ended when dropped.
pub struct Balancer {
    child: Child,
    pub address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Balancer {
    /// Before servers with these (port, admin port). It looks at `/readyz` as a kubelet does, and sends requests to those
    /// that say yes.
    pub fn before(servers: &[(u16, u16)], retry: Retry) -> Self {
        let port = free_port();
        let retries = match retry {
            Retry::Refused => "  retry-on conn-failure\n",
            Retry::Unanswered => {
                "  http-request disable-l7-retry unless METH_GET\n  retry-on conn-failure empty-response\n"
            }
        };
        let mut config = format!(
            "global\n  maxconn 1000\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  \
             timeout server 60s\n  timeout check 1s\nfrontend edge\n  bind 127.0.0.1:{port}\n  default_backend pods\n\
             backend pods\n  balance leastconn\n  option httpchk GET /readyz\n  option redispatch 1\n  retries 3\n{retries}  \
             default-server inter 200ms fall 2 rise 1\n"
        );
        for (i, (port, admin)) in servers.iter().enumerate() {
            let _ = writeln!(config, "  server pod{i} 127.0.0.1:{port} check port {admin}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("haproxy.cfg");
        std::fs::write(&path, config).unwrap();
        let mut child = Command::new("haproxy")
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            // In the foreground, quiet.
            .args(["-db", "-q", "-f"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "HAProxy ended");
            assert!(started.elapsed() < Duration::from_secs(10), "HAProxy does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, address, _folder: folder }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
