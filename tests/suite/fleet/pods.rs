//! Servers as a cluster runs them: processes with an admin port and time to drain.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::http::Client;
use crate::http::serving::{Serving, free_port};

/// The address of a port here.
pub fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

/// One server process on ports that stay its own when it is started anew.
pub struct Pod {
    pub port: u16,
    pub admin: u16,
    serving: Option<Serving>,
    mount: tempfile::TempDir,
}

impl Pod {
    pub fn start() -> Self {
        let mount = tempfile::tempdir().unwrap();
        std::fs::write(mount.path().join("photo.jpg"), super::load::photo()).unwrap();
        let mut pod = Self { port: free_port(), admin: free_port(), serving: None, mount };
        pod.start_again();
        pod
    }

    pub fn ports(&self) -> (u16, u16) {
        (self.port, self.admin)
    }

    /// Starts the process that has ended, and waits until it says that it is ready.
    pub fn start_again(&mut self) {
        let (port, admin) = (self.port.to_string(), self.admin.to_string());
        let args = [
            ["-a", "127.0.0.1"],
            ["-p", &port],
            ["-admin-address", "127.0.0.1"],
            ["-admin-port", &admin],
            ["-mount", self.mount.path().to_str().unwrap()],
            ["-gpu", "off"],
            ["-cpus", "2"],
            ["-log-level", "none"],
            // A proxy has seen by then that the server is not ready any more.
            ["-drain-delay", "2s"],
        ];
        self.serving = Some(Serving::with(args.as_flattened(), &[]));
        let started = Instant::now();
        while !ready(self.admin) {
            assert!(started.elapsed() < Duration::from_secs(20), "it does not get ready");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, name: &str) {
        self.serving.as_ref().unwrap().signal(name);
    }

    /// Waits for the end of the process; its exit status, `None` when a signal ended it.
    #[track_caller]
    pub fn ended(&mut self) -> Option<i32> {
        self.serving.take().unwrap().ended_within(Duration::from_secs(30))
    }

    /// Requests that it has answered.
    pub fn answered(&self) -> u64 {
        let text = Client::connect(local(self.admin)).request("GET", "/metrics", &[], None).text();
        let counts = text.lines().filter(|line| line.starts_with("phasor_http_requests_total{"));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }
}

/// What `/readyz` says.
fn ready(admin: u16) -> bool {
    let mut client = match Client::try_connect(local(admin)) {
        Ok(client) => client,
        Err(_) => return false,
    };
    client.try_send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        && client.answer(false).is_some_and(|answer| answer.status == 200)
}
