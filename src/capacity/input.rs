//! The file that says what is to be simulated.

use std::path::Path;

use serde::Deserialize;

use super::CapacityError;
use super::service::Service;
use super::simulate::{Load, poisson};

/// Everything that a simulation needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Requests a second.
    pub rate: f64,
    /// When they come, if that is given; else by chance.
    pub arrivals: Option<Vec<f64>>,
    /// Kinds of requests.
    pub mix: Vec<Kind>,
    /// Kinds of nodes; each is looked at alone.
    pub nodes: Vec<Node>,
    /// What is to be reached.
    pub goals: Goals,
    /// Nodes more than are needed, which may be away: for a rollout, for a node that fails.
    pub spare: usize,
    /// How requests are spread.
    pub balance: Balance,
    /// Requests that may wait for each thread.
    pub queue_per_thread: f64,
    /// Seconds.
    pub deadline: f64,
    /// Requests of a simulation.
    pub requests: usize,
    /// For chance.
    pub seed: u64,
}

/// One kind of request.
#[derive(Debug, Clone, PartialEq)]
pub struct Kind {
    /// For people.
    pub name: String,
    on_cpu: Load,
    on_gpu: Load,
}

/// One kind of node.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// For people.
    pub name: String,
    /// Threads (`--cpus`).
    pub threads: usize,
    /// Cards.
    #[serde(default)]
    pub gpus: usize,
    /// In whatever currency.
    #[serde(default)]
    pub price_per_hour: f64,
    /// How fast its threads are, as a multiple of those that were measured.
    #[serde(default = "one")]
    pub speed: f64,
    /// So many of them; without it, as many as are needed.
    pub count: Option<usize>,
}

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Goals {
    /// Milliseconds that 99 of 100 requests stay below.
    pub p99_ms: f64,
    /// Share of requests that may be refused.
    pub shed: f64,
    /// Share of the time that threads may be busy.
    pub utilisation: f64,
}

impl Default for Goals {
    fn default() -> Self {
        Self { p99_ms: f64::INFINITY, shed: 0.001, utilisation: 0.7 }
    }
}

/// Which node gets a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Balance {
    /// The one with the fewest under way.
    #[default]
    Least,
    /// One after the other.
    Turns,
    /// Any.
    Random,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rate: Option<f64>,
    arrivals: Option<String>,
    mix: Vec<KindText>,
    nodes: Vec<Node>,
    #[serde(default)]
    goals: Goals,
    #[serde(default)]
    spare: usize,
    #[serde(default)]
    balance: Balance,
    #[serde(default = "thirty_two")]
    queue_per_thread: f64,
    #[serde(default = "thirty")]
    deadline_s: f64,
    #[serde(default = "requests")]
    requests: usize,
    #[serde(default = "seed")]
    seed: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindText {
    name: String,
    #[serde(default = "one")]
    share: f64,
    service: Times,
    overhead_ms: Option<f64>,
    gpu: Option<OnGpu>,
}

/// Times on nodes with a card.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnGpu {
    thread: Option<Times>,
    device: Option<Times>,
    /// Both from a row of `phasor bench -json`.
    bench: Option<String>,
    row: Option<String>,
}

/// A distribution, in one of these ways.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Times {
    mean_ms: Option<f64>,
    fixed_ms: Option<f64>,
    p50_ms: Option<f64>,
    p99_ms: Option<f64>,
    quantiles_ms: Option<Vec<f64>>,
    bench: Option<String>,
    row: Option<String>,
}

/// What is read of a report of `phasor bench -json`.
#[derive(Deserialize)]
struct Bench {
    rows: Vec<BenchRow>,
}

#[derive(Deserialize)]
struct BenchRow {
    backend: String,
    work: String,
    images_per_second: f64,
    mean_ms: Option<f64>,
    #[serde(default)]
    quantiles_ms: Vec<f64>,
    besides_ms: Option<f64>,
    gpu: Option<BenchGpu>,
}

#[derive(Deserialize)]
struct BenchGpu {
    busy_share: Option<f64>,
}

fn one() -> f64 {
    1.0
}
fn thirty_two() -> f64 {
    32.0
}
fn thirty() -> f64 {
    30.0
}
fn requests() -> usize {
    100_000
}
fn seed() -> u64 {
    1
}

impl Input {
    /// Reads a file. Files that it names are looked for beside it.
    ///
    /// # Errors
    /// See [`CapacityError`].
    pub fn read(path: &Path) -> Result<Self, CapacityError> {
        let wrong = |reason: String| CapacityError::Input { path: path.display().to_string(), reason };
        let file: File = serde_json::from_str(&text(path)?).map_err(|error| wrong(error.to_string()))?;
        let beside = path.parent().unwrap_or(Path::new("."));
        let arrivals = file.arrivals.as_ref().map(|name| arrivals(&beside.join(name))).transpose()?;
        let of_arrivals = arrivals.as_ref().and_then(|all| {
            let span = all.last()? - all.first()?;
            (span > 0.0).then(|| (all.len() - 1) as f64 / span)
        });
        let rate = file.rate.or(of_arrivals).filter(|rate| *rate > 0.0 && rate.is_finite());
        let rate = rate.ok_or_else(|| wrong("rate: requests a second, more than 0".to_owned()))?;
        let mix: Vec<Kind> = file.mix.into_iter().map(|kind| Kind::of(kind, beside)).collect::<Result<_, _>>()?;
        if mix.is_empty() || mix.iter().map(|kind| kind.on_cpu.share).sum::<f64>() <= 0.0 {
            return Err(wrong("mix: at least one kind of request with a share".to_owned()));
        }
        if let Some(node) = file
            .nodes
            .iter()
            .find(|node| node.threads == 0 || node.count == Some(0) || node.speed.is_nan() || node.speed <= 0.0)
        {
            return Err(wrong(format!("node {}: threads, speed and count are more than 0", node.name)));
        }
        if file.nodes.is_empty() {
            return Err(wrong("nodes: at least one kind".to_owned()));
        }
        let goals = file.goals;
        if !(goals.p99_ms > 0.0 && goals.shed >= 0.0 && goals.utilisation > 0.0 && goals.utilisation <= 1.0) {
            return Err(wrong("goals: p99_ms above 0, shed from 0, utilisation above 0 and up to 1".to_owned()));
        }
        if !(1000..=10_000_000).contains(&file.requests) && arrivals.is_none() {
            return Err(wrong("requests: 1000 to 10000000".to_owned()));
        }
        Ok(Self {
            rate,
            arrivals,
            mix,
            nodes: file.nodes,
            goals,
            spare: file.spare,
            balance: file.balance,
            queue_per_thread: file.queue_per_thread.max(0.0),
            deadline: file.deadline_s,
            requests: file.requests,
            seed: file.seed,
        })
    }

    /// The kinds of requests on a kind of node.
    pub(super) fn loads(&self, node: &Node) -> Vec<Load> {
        let on = |kind: &Kind| {
            let load = if node.gpus > 0 { &kind.on_gpu } else { &kind.on_cpu };
            Load { thread: load.thread.scaled(1.0 / node.speed), ..load.clone() }
        };
        self.mix.iter().map(on).collect()
    }

    /// When requests come.
    pub(super) fn arrivals(&self) -> Vec<f64> {
        self.arrivals.clone().unwrap_or_else(|| poisson(self.rate, self.requests, self.seed))
    }
}

impl Kind {
    fn of(text: KindText, beside: &Path) -> Result<Self, CapacityError> {
        let wrong = |reason: String| CapacityError::Input { path: format!("mix, {}", text.name), reason };
        let (service, besides) = text.service.service_and_besides(beside).map_err(wrong)?;
        let overhead = text.overhead_ms.map_or(besides, |ms| ms / 1e3);
        let load = |thread, device| Load { share: text.share.max(0.0), thread, device, overhead };
        let on_cpu = load(service, None);
        let on_gpu = match text.gpu {
            None => on_cpu.clone(),
            Some(OnGpu { bench: Some(file), row, .. }) => {
                let Benched { service: whole, device, .. } =
                    of_bench(beside, &file, row.as_deref().unwrap_or("gpu0")).map_err(wrong)?;
                let device = device.ok_or_else(|| wrong(format!("{file}: the row has no share of the GPU's time")))?;
                // What the bench saw is the whole of it; the device's part is taken out of it.
                let part = (device / whole.mean()).min(0.95);
                load(whole.scaled(1.0 - part), Some(Service::Fixed(device)))
            }
            Some(OnGpu { thread: Some(thread), device, .. }) => {
                let device = device.map(|times| times.service(beside)).transpose().map_err(wrong)?;
                load(thread.service(beside).map_err(wrong)?, device)
            }
            Some(_) => return Err(wrong("gpu: thread and device, or bench and row".to_owned())),
        };
        Ok(Self { name: text.name, on_cpu, on_gpu })
    }
}

impl Times {
    /// The times, and what a request takes besides where the bench tells that.
    fn service_and_besides(&self, beside: &Path) -> Result<(Service, f64), String> {
        match &self.bench {
            Some(file) => {
                let benched = of_bench(beside, file, self.row.as_deref().unwrap_or("cpu"))?;
                Ok((benched.service, benched.besides))
            }
            None => Ok((self.service(beside)?, 0.0)),
        }
    }

    fn service(&self, beside: &Path) -> Result<Service, String> {
        let positive = |ms: f64| (ms > 0.0 && ms.is_finite()).then_some(ms / 1e3).ok_or("times are above 0".to_owned());
        match self {
            Self { bench: Some(file), row, .. } => Ok(of_bench(beside, file, row.as_deref().unwrap_or("cpu"))?.service),
            Self { quantiles_ms: Some(all), mean_ms, .. } => quantiles(all, *mean_ms),
            Self { p50_ms: Some(p50), p99_ms: Some(p99), .. } => {
                let (p50, p99) = (positive(*p50)?, positive(*p99)?);
                if p99 < p50 { Err("p99_ms is below p50_ms".to_owned()) } else { Ok(Service::Lognormal { p50, p99 }) }
            }
            Self { fixed_ms: Some(ms), .. } => Ok(Service::Fixed(positive(*ms)?)),
            Self { mean_ms: Some(ms), .. } => Ok(Service::Exponential(positive(*ms)?)),
            _ => Err("times: bench, quantiles_ms, p50_ms and p99_ms, fixed_ms, or mean_ms".to_owned()),
        }
    }
}

fn quantiles(all: &[f64], mean_ms: Option<f64>) -> Result<Service, String> {
    if all.len() < 2 || !all.is_sorted() || all[0] < 0.0 {
        return Err("quantiles_ms: two or more, sorted".to_owned());
    }
    let seconds: Vec<f64> = all.iter().map(|ms| ms / 1e3).collect();
    let own = Service::Measured { quantiles: seconds.clone(), stretch: 1.0 }.mean();
    Ok(Service::measured(seconds, mean_ms.map_or(own, |ms| ms / 1e3)))
}

/// What the bench says of a backend.
struct Benched {
    service: Service,
    /// The device's seconds for one picture.
    device: Option<f64>,
    /// Seconds of a request that are no work on its picture.
    besides: f64,
}

/// Of a backend whose name begins so: what was served, as it will be; where that was not measured, whole requests.
fn of_bench(beside: &Path, file: &str, row: &str) -> Result<Benched, String> {
    let text = std::fs::read_to_string(beside.join(file)).map_err(|error| format!("{file}: {error}"))?;
    let bench: Bench = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
    let of = |work: &str| bench.rows.iter().find(|found| found.work == work && found.backend.starts_with(row));
    let found = of("served").or_else(|| of("request")).ok_or_else(|| format!("{file}: no row of requests on {row}"))?;
    let service = quantiles(&found.quantiles_ms, found.mean_ms).map_err(|error| format!("{file}: {error}"))?;
    let busy = found.gpu.as_ref().and_then(|gpu| gpu.busy_share);
    let besides = found.besides_ms.unwrap_or(0.0) / 1e3;
    Ok(Benched { service, device: busy.map(|share| share / found.images_per_second), besides })
}

fn text(path: &Path) -> Result<String, CapacityError> {
    std::fs::read_to_string(path).map_err(|error| CapacityError::File { path: path.display().to_string(), error })
}

/// Seconds, one a line.
fn arrivals(path: &Path) -> Result<Vec<f64>, CapacityError> {
    let wrong = |reason| CapacityError::Input { path: path.display().to_string(), reason };
    let lines = text(path)?;
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut all: Vec<f64> = lines
        .map(|line| {
            line.parse().ok().filter(|at: &f64| at.is_finite()).ok_or_else(|| wrong(format!("{line}: no seconds")))
        })
        .collect::<Result<_, _>>()?;
    all.sort_by(f64::total_cmp);
    if all.len() < 2 {
        return Err(wrong("two arrivals or more".to_owned()));
    }
    Ok(all)
}
