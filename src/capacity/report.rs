//! Estimates as a table or as JSON.

use std::fmt::Write as _;

use crate::markdown;

use super::fleet::Estimate;
use super::input::Input;

/// The table, a Markdown one, and what must be known to read it.
pub fn table(input: &Input, estimates: &[Estimate]) -> String {
    let goals = &input.goals;
    let mut out = format!("{:.1} requests a second", input.rate);
    let kinds: Vec<&str> = input.mix.iter().map(|kind| kind.name.as_str()).collect();
    let _ = write!(
        out,
        " ({}); goals: threads busy {:.0} %, shed {:.2} %",
        kinds.join(", "),
        goals.utilisation * 100.0,
        goals.shed * 100.0
    );
    if goals.p99_ms.is_finite() {
        let _ = write!(out, ", p99 {} ms", goals.p99_ms);
    }
    let _ = writeln!(out, "; {} spare\n", input.spare);
    let head = [
        "node",
        "nodes",
        "threads busy",
        "GPU busy",
        "shed",
        "p50 ms",
        "p99 ms",
        "wait ms",
        "an hour",
        "a million",
        "bound by",
    ];
    out.push_str(&markdown::table(head, estimates.iter().map(cells), 1));
    out.push_str("\nFigures are with the spare nodes away; prices are of all nodes at this rate all the time.\n");
    for estimate in estimates.iter().filter(|estimate| estimate.nodes.is_none()) {
        let _ = writeln!(
            out,
            "{}: no number of nodes reaches the goals; is the p99 below what one request takes?",
            estimate.node
        );
    }
    out
}

fn cells(estimate: &Estimate) -> [String; 11] {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    [
        estimate.node.clone(),
        estimate.nodes.map_or_else(|| "–".to_owned(), |nodes| nodes.to_string()),
        percent(estimate.threads_busy),
        estimate.devices_busy.map_or_else(String::new, percent),
        format!("{:.2} %", estimate.shed * 100.0),
        format!("{:.1}", estimate.p50_ms),
        format!("{:.1}", estimate.p99_ms),
        format!("{:.2}", estimate.wait_ms),
        format!("{:.2}", estimate.price_per_hour),
        format!("{:.3}", estimate.price_per_million),
        estimate.bound_by.unwrap_or_default().to_owned(),
    ]
}

/// The figures as JSON, with a newline.
pub fn json(estimates: &[Estimate]) -> String {
    serde_json::to_string_pretty(estimates).map_or_else(|_| String::new(), |text| text + "\n")
}
