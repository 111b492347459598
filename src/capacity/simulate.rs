//! The discrete-event simulation: requests come, wait for a thread, perhaps for a device, and go.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use super::input::Balance;
use super::random::Random;
use super::service::Service;

/// Once the oldest has waited so long, in seconds, and the queue is half full, the newest goes first: as the server does it.
const STALE: f64 = 1.0;
/// Requests at the beginning that do not count: the nodes are empty then.
const WARM_UP: f64 = 0.1;

/// One kind of request on one kind of node.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// Weight among the others.
    pub share: f64,
    /// Time on a thread, that on a device not included.
    pub thread: Service,
    /// Time on a device, in the middle of the former; the thread waits.
    pub device: Option<Service>,
    /// Seconds that a request takes besides: parsing, fetching, writing.
    pub overhead: f64,
}

/// What is simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Nodes, all alike.
    pub nodes: usize,
    /// Threads of a node.
    pub threads: usize,
    /// Devices of a node.
    pub devices: usize,
    /// Requests that may wait at a node.
    pub queue: usize,
    /// Seconds after which a request that still waits is given up.
    pub deadline: f64,
    /// Which node gets a request.
    pub balance: Balance,
    /// Kinds of requests.
    pub loads: Vec<Load>,
    /// When requests come, in seconds, sorted.
    pub arrivals: Vec<f64>,
    /// For chance.
    pub seed: u64,
}

/// What came of it. Times are in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// Requests that count.
    pub requests: u64,
    /// Share of them that was refused or given up.
    pub shed: f64,
    /// Share of the time that threads were busy.
    pub threads_busy: f64,
    /// Share of the time that devices were busy.
    pub devices_busy: f64,
    /// Median time of the answered.
    pub p50: f64,
    /// 99 of 100 answered were faster.
    pub p99: f64,
    /// Mean time of the answered.
    pub mean: f64,
    /// Mean time that they waited for a thread.
    pub wait: f64,
    /// Share of them that waited at all.
    pub waited: f64,
}

struct Job {
    came: f64,
    kind: usize,
    thread: f64,
    device: f64,
    counts: bool,
}

#[derive(Default)]
struct Station {
    free_threads: usize,
    free_devices: usize,
    queue: VecDeque<Job>,
    for_device: VecDeque<Job>,
    /// Waiting and running.
    here: usize,
    /// Smoothed time on a thread, by which the server foretells waits.
    service: f64,
}

enum What {
    /// Half of the thread's time is over: the device is next.
    ToDevice(Job),
    FromDevice(Job),
    Done(Job),
}

struct Event {
    at: f64,
    /// Among those of one moment: the order in which they were made.
    order: u64,
    node: usize,
    what: What,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Event {}
impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        // The heap gives the greatest: the earliest must be that.
        other.at.total_cmp(&self.at).then(other.order.cmp(&self.order))
    }
}

#[derive(Default)]
struct Tally {
    counted: u64,
    lost: u64,
    times: Vec<f64>,
    wait: f64,
    waited: u64,
    thread_seconds: f64,
    device_seconds: f64,
}

/// Runs the model.
pub fn simulate(model: &Model) -> Figures {
    let mut run = Run {
        model,
        stations: (0..model.nodes.max(1))
            .map(|_| Station { free_threads: model.threads, free_devices: model.devices, ..Station::default() })
            .collect(),
        events: BinaryHeap::new(),
        made: 0,
        tally: Tally::default(),
        random: Random::new(model.seed),
        next: 0,
    };
    let total: f64 = model.loads.iter().map(|load| load.share).sum();
    let begin = (model.arrivals.len() as f64 * WARM_UP) as usize;
    for (number, &at) in model.arrivals.iter().enumerate() {
        run.until(at);
        let mut left = run.random.unit() * total;
        let kind = model.loads.iter().position(|load| {
            left -= load.share;
            left <= 0.0
        });
        let kind = kind.unwrap_or(0);
        let load = &model.loads[kind];
        let thread = load.thread.draw(&mut run.random);
        let device = load.device.as_ref().map_or(0.0, |device| device.draw(&mut run.random));
        run.arrive(at, Job { came: at, kind, thread, device, counts: number >= begin });
    }
    run.until(f64::INFINITY);
    let span = match (model.arrivals.get(begin), model.arrivals.last()) {
        (Some(first), Some(last)) => (last - first).max(1e-9),
        _ => 1.0,
    };
    run.tally.figures(span, model)
}

struct Run<'a> {
    model: &'a Model,
    stations: Vec<Station>,
    events: BinaryHeap<Event>,
    made: u64,
    tally: Tally,
    random: Random,
    /// For turns, and for ties.
    next: usize,
}

impl Run<'_> {
    /// Everything that happens up to a moment.
    fn until(&mut self, end: f64) {
        while self.events.peek().is_some_and(|event| event.at <= end) {
            let Some(Event { at, node, what, .. }) = self.events.pop() else { return };
            match what {
                What::ToDevice(job) => {
                    self.stations[node].for_device.push_back(job);
                    self.give_devices(at, node);
                }
                What::FromDevice(job) => {
                    self.stations[node].free_devices += 1;
                    let half = job.thread / 2.0;
                    self.push(at + half, node, What::Done(job));
                    self.give_devices(at, node);
                }
                What::Done(job) => {
                    let overhead = self.model.loads[job.kind].overhead;
                    let station = &mut self.stations[node];
                    station.free_threads += 1;
                    station.here -= 1;
                    if job.counts {
                        self.tally.times.push(at - job.came + overhead);
                    }
                    self.give_threads(at, node);
                }
            }
        }
    }

    fn arrive(&mut self, at: f64, job: Job) {
        let node = self.choose();
        self.tally.counted += u64::from(job.counts);
        let station = &mut self.stations[node];
        let foretold = station.service * station.queue.len() as f64 / self.model.threads as f64;
        let full = station.queue.len() >= self.model.queue && station.free_threads == 0;
        if full || foretold >= self.model.deadline {
            self.tally.lost += u64::from(job.counts);
            return;
        }
        station.here += 1;
        station.queue.push_back(job);
        self.give_threads(at, node);
    }

    fn choose(&mut self) -> usize {
        let n = self.stations.len();
        match self.model.balance {
            Balance::Random => self.random.below(n),
            Balance::Turns => {
                self.next = (self.next + 1) % n;
                self.next
            }
            Balance::Least => {
                self.next = (self.next + 1) % n;
                let turned = (0..n).map(|step| (self.next + step) % n);
                turned.min_by_key(|&node| self.stations[node].here).unwrap_or(0)
            }
        }
    }

    fn give_threads(&mut self, at: f64, node: usize) {
        loop {
            let station = &mut self.stations[node];
            if station.free_threads == 0 {
                return;
            }
            let overloaded = station.queue.len() * 2 > self.model.queue
                && station.queue.front().is_some_and(|oldest| at - oldest.came > STALE);
            let job = if overloaded { station.queue.pop_back() } else { station.queue.pop_front() };
            let Some(job) = job else { return };
            if at - job.came > self.model.deadline {
                station.here -= 1;
                self.tally.lost += u64::from(job.counts);
                continue;
            }
            station.free_threads -= 1;
            let held = job.thread + job.device;
            station.service = if station.service == 0.0 { held } else { (station.service * 7.0 + held) / 8.0 };
            if job.counts {
                self.tally.wait += at - job.came;
                self.tally.waited += u64::from(at > job.came);
                self.tally.thread_seconds += job.thread;
                self.tally.device_seconds += job.device;
            }
            if self.model.loads[job.kind].device.is_some() && self.model.devices > 0 {
                let half = job.thread / 2.0;
                self.push(at + half, node, What::ToDevice(job));
            } else {
                self.push(at + held, node, What::Done(job));
            }
        }
    }

    fn give_devices(&mut self, at: f64, node: usize) {
        loop {
            let station = &mut self.stations[node];
            if station.free_devices == 0 {
                return;
            }
            let Some(job) = station.for_device.pop_front() else { return };
            station.free_devices -= 1;
            let end = at + job.device;
            self.push(end, node, What::FromDevice(job));
        }
    }

    fn push(&mut self, at: f64, node: usize, what: What) {
        self.made += 1;
        self.events.push(Event { at, order: self.made, node, what });
    }
}

impl Tally {
    fn figures(mut self, span: f64, model: &Model) -> Figures {
        self.times.sort_by(f64::total_cmp);
        let answered = self.times.len().max(1);
        let quantile = |share: f64| {
            let at = ((answered - 1) as f64 * share).round() as usize;
            self.times.get(at).copied().unwrap_or(0.0)
        };
        let stations = |each: usize| (model.nodes.max(1) * each).max(1) as f64;
        Figures {
            requests: self.counted,
            shed: self.lost as f64 / self.counted.max(1) as f64,
            threads_busy: self.thread_seconds / span / stations(model.threads),
            devices_busy: if model.devices == 0 { 0.0 } else { self.device_seconds / span / stations(model.devices) },
            p50: quantile(0.5),
            p99: quantile(0.99),
            mean: self.times.iter().sum::<f64>() / answered as f64,
            wait: self.wait / answered as f64,
            waited: self.waited as f64 / answered as f64,
        }
    }
}

/// Poisson arrivals at a mean rate a second.
pub(super) fn poisson(rate: f64, requests: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed ^ 0xa5a5_5a5a);
    let mut at = 0.0;
    (0..requests)
        .map(|_| {
            at += random.exponential() / rate;
            at
        })
        .collect()
}

#[cfg(test)]
mod tests;
