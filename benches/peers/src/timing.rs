//! Interleaved repetitions.

use rustix::time::{ClockId, clock_gettime};

/// Something to measure; it answers with how many of its files it could not do as it is named.
pub struct Contender<'a> {
    pub name: &'static str,
    pub run: Box<dyn FnMut() -> usize + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: &'static str, run: impl FnMut() -> usize + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// Milliseconds of each round.
pub struct Times {
    pub name: &'static str,
    pub rounds: Vec<f64>,
    pub not_done: usize,
}

impl Times {
    pub fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// How many times faster than `other`: the median of the rounds' ratios.
    pub fn faster_than(&self, other: &Self) -> f64 {
        median(other.rounds.iter().zip(&self.rounds).map(|(other, own)| other / own).collect())
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs all in turns, after one round that does not count.
pub fn in_turns(mut contenders: Vec<Contender<'_>>, rounds: usize) -> Vec<Times> {
    let mut all: Vec<Times> =
        contenders.iter().map(|c| Times { name: c.name, rounds: Vec::new(), not_done: 0 }).collect();
    for round in 0..=rounds {
        for (contender, times) in contenders.iter_mut().zip(&mut all) {
            let before = processor_ms();
            times.not_done = (contender.run)();
            if round > 0 {
                times.rounds.push(processor_ms() - before);
            }
        }
    }
    all
}

/// Processor time of this thread, which other work on the machine disturbs less than the clock on the wall.
fn processor_ms() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}
