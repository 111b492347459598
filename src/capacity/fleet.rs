//! As many nodes as are needed, found by trying.

use serde::Serialize;

use super::input::{Input, Node};
use super::simulate::{Figures, Model, simulate};

/// Fleets beyond this are not looked at.
const MOST: usize = 4096;

/// What one kind of node comes to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Its name.
    pub node: String,
    /// Nodes that the goals need, or that were asked for; none if no number reaches them.
    pub nodes: Option<usize>,
    /// Of them, those that may be away.
    pub spare: usize,
    /// Threads of a node.
    pub threads: usize,
    /// Requests a second that the threads of one node can do.
    pub saturation_per_node: f64,
    /// Share of the time that threads are busy, with the spare nodes away.
    pub threads_busy: f64,
    /// The same of devices.
    pub devices_busy: Option<f64>,
    /// Share of requests that are refused or given up.
    pub shed: f64,
    /// Milliseconds; half of the requests are faster.
    pub p50_ms: f64,
    /// Milliseconds; 99 of 100 are faster.
    pub p99_ms: f64,
    /// Milliseconds of waiting for a thread, on average.
    pub wait_ms: f64,
    /// Of all nodes, the spare ones too.
    pub price_per_hour: f64,
    /// For a million answered requests, when it is like this all the time.
    pub price_per_million: f64,
    /// The goal that one node fewer misses.
    pub bound_by: Option<&'static str>,
}

/// The goal that is missed, the first of them.
fn missed(input: &Input, figures: &Figures) -> Option<&'static str> {
    let goals = &input.goals;
    if figures.threads_busy > goals.utilisation {
        Some("utilisation")
    } else if figures.shed > goals.shed {
        Some("shed")
    } else if figures.p99 * 1e3 > goals.p99_ms {
        Some("p99")
    } else {
        None
    }
}

/// Finds out how many of this kind are needed.
pub(super) fn estimate(input: &Input, node: &Node) -> Estimate {
    let model = Model {
        nodes: 1,
        threads: node.threads,
        devices: node.gpus,
        queue: (node.threads as f64 * input.queue_per_thread).round() as usize,
        deadline: input.deadline,
        balance: input.balance,
        loads: input.loads(node),
        arrivals: input.arrivals(),
        seed: input.seed,
    };
    let shares: f64 = model.loads.iter().map(|load| load.share).sum();
    let held = |load: &super::Load| load.thread.mean() + load.device.as_ref().map_or(0.0, super::Service::mean);
    let mean: f64 = model.loads.iter().map(|load| load.share / shares * held(load)).sum();
    let saturation = node.threads as f64 / mean;
    let of = |nodes: usize| simulate(&Model { nodes, ..model.clone() });

    let (nodes, figures, bound_by) = match node.count {
        Some(count) => (Some(count), of(count.saturating_sub(input.spare).max(1)), None),
        None => match least(input, (input.rate / saturation).ceil().max(1.0) as usize, &of) {
            Some((least, figures)) => {
                let bound = least.checked_sub(1).filter(|&fewer| fewer > 0).and_then(|fewer| missed(input, &of(fewer)));
                (Some(least + input.spare), figures, bound)
            }
            None => (None, of(MOST), None),
        },
    };
    let price_per_hour = nodes.unwrap_or(0) as f64 * node.price_per_hour;
    let answered = input.rate * 3600.0 * (1.0 - figures.shed);
    Estimate {
        node: node.name.clone(),
        nodes,
        spare: input.spare,
        threads: node.threads,
        saturation_per_node: saturation,
        threads_busy: figures.threads_busy,
        devices_busy: (node.gpus > 0).then_some(figures.devices_busy),
        shed: figures.shed,
        p50_ms: figures.p50 * 1e3,
        p99_ms: figures.p99 * 1e3,
        wait_ms: figures.wait * 1e3,
        price_per_hour,
        price_per_million: if answered > 0.0 { price_per_hour / answered * 1e6 } else { 0.0 },
        bound_by,
    }
}

/// The least number from `from` on that reaches the goals: doubled until it does, then halved in.
fn least(input: &Input, from: usize, of: &dyn Fn(usize) -> Figures) -> Option<(usize, Figures)> {
    let reaches = |nodes| Some(of(nodes)).filter(|figures| missed(input, figures).is_none());
    let (mut low, mut high) = (from.saturating_sub(1), from);
    let mut best = loop {
        if let Some(figures) = reaches(high) {
            break figures;
        }
        low = high;
        // A p99 below what a request takes alone is never reached; do not look for it for long.
        if high >= MOST || high > from.saturating_mul(64) {
            return None;
        }
        high = (high * 2).min(MOST);
    };
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match reaches(middle) {
            Some(figures) => (high, best) = (middle, figures),
            None => low = middle,
        }
    }
    Some((high, best))
}
