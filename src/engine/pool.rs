//! A fixed pool of threads with a bounded queue. Work that is nearly done (encoding) goes before work not yet begun.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::backend::Checkpoint;
use crate::budget::{Charge, MemoryBudget};

use super::allocator;
use super::control::Control;

/// Stack of a worker: decoders bound their recursion well below it.
const STACK: usize = 8 << 20;
/// How often a worker looks again when the next job waits for memory that another request holds.
const MEMORY_RETRY: Duration = Duration::from_millis(5);
/// Once the oldest job has waited this long and the queue is half full, the newest goes first: under overload a few
/// late answers are better than all answers late.
const STALE: Duration = Duration::from_secs(1);

/// An idle pool gives memory back after this long, once.
const IDLE: Duration = Duration::from_secs(2);
/// A busy one as often as this.
const TRIM_EVERY: Duration = Duration::from_secs(15);

type Start = Box<dyn FnOnce(Option<Charge>, Duration) + Send>;
type Finish = Box<dyn FnOnce() + Send>;

struct Waiting {
    control: Control,
    bytes: u64,
    since: Instant,
    start: Start,
}

#[derive(Default)]
struct Queue {
    starts: VecDeque<Waiting>,
    finishes: VecDeque<Finish>,
    stopping: bool,
    /// Whether a job ran since freed memory was last given back, and when that was.
    used: bool,
    trimmed: Option<Instant>,
}

struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
    budget: MemoryBudget,
    max_queue: usize,
    threads: usize,
    running: AtomicU64,
    /// Exponentially weighted mean of a job's time on a thread, in microseconds.
    service_us: AtomicU64,
}

impl Shared {
    /// How long so many jobs keep the next one waiting.
    fn foretold(&self, ahead: usize) -> Duration {
        let service = self.service_us.load(Ordering::Relaxed);
        Duration::from_micros(service.saturating_mul(ahead as u64) / self.threads as u64)
    }
}

/// Why a job was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// As many jobs wait as may.
    QueueFull,
    /// It would wait past its deadline.
    TooLate,
}

/// The threads. Dropping it lets running work finish and abandons what waits.
pub(super) struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// A clonable way to hand in the second half of a job.
#[derive(Clone)]
pub(super) struct Finisher(Arc<Shared>);

impl Pool {
    pub(super) fn new(threads: usize, max_queue: usize, budget: MemoryBudget) -> std::io::Result<Self> {
        let threads = threads.max(1);
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            ready: Condvar::new(),
            budget,
            max_queue,
            threads,
            running: AtomicU64::new(0),
            service_us: AtomicU64::new(0),
        });
        let threads = (0..threads)
            .map(|i| {
                let shared = Arc::clone(&shared);
                std::thread::Builder::new().name(format!("engine-{i}")).stack_size(STACK).spawn(move || work(&shared))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { shared, threads })
    }

    /// Queues a job that needs `bytes` of the budget. `start` gets the charge and the time it waited; the charge is
    /// `None` when the job was cancelled before its turn.
    pub(super) fn submit(&self, control: Control, bytes: u64, start: Start) -> Result<(), Refused> {
        let now = Instant::now();
        let shared = &*self.shared;
        let mut queue = lock(&shared.queue);
        queue.starts.retain(|w| !w.control.is_cancelled());
        if queue.starts.len() >= shared.max_queue && shared.running.load(Ordering::Relaxed) >= shared.threads as u64 {
            return Err(Refused::QueueFull);
        }
        if now + shared.foretold(queue.starts.len()) >= control.deadline() {
            return Err(Refused::TooLate);
        }
        queue.starts.push_back(Waiting { control, bytes, since: now, start });
        drop(queue);
        shared.ready.notify_one();
        Ok(())
    }

    pub(super) fn finisher(&self) -> Finisher {
        Finisher(Arc::clone(&self.shared))
    }

    /// Jobs that wait for a thread.
    pub(super) fn queued(&self) -> usize {
        lock(&self.shared.queue).starts.len()
    }

    /// Threads at work.
    pub(super) fn running(&self) -> u64 {
        self.shared.running.load(Ordering::Relaxed)
    }

    /// How long a job that came now would wait: what those before it will take, and no less than the oldest of them has
    /// waited already, be it for a thread or for memory.
    pub(super) fn delay(&self) -> Duration {
        let queue = lock(&self.shared.queue);
        let oldest = queue.starts.iter().filter(|job| !job.control.is_cancelled()).map(|job| job.since.elapsed()).max();
        oldest.map_or(Duration::ZERO, |oldest| oldest.max(self.shared.foretold(queue.starts.len())))
    }

    /// Mean time that a waiting job may expect before its turn, in whole seconds, at least 1.
    pub(super) fn retry_after_seconds(&self) -> u32 {
        let shared = &*self.shared;
        let us = shared.service_us.load(Ordering::Relaxed).saturating_mul(shared.max_queue as u64);
        (us / shared.threads as u64 / 1_000_000).clamp(1, 30) as u32
    }
}

impl Finisher {
    /// Hands in the second half of a job that has already been admitted: never refused, goes first.
    pub(super) fn submit(&self, finish: Finish) {
        lock(&self.0.queue).finishes.push_back(finish);
        self.0.ready.notify_one();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        {
            let mut queue = lock(&self.shared.queue);
            queue.stopping = true;
            queue.starts.clear();
        }
        self.shared.ready.notify_all();
        for thread in self.threads.drain(..) {
            // A worker never unwinds: jobs run under `catch_unwind`. Nothing could be done here anyway.
            let _ = thread.join();
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("threads", &self.threads.len()).field("queued", &self.queued()).finish()
    }
}

/// The lock guards plain queues, whose state is whole between any two statements: poison says nothing.
fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Task {
    Start(Waiting, Option<Charge>),
    Finish(Finish),
    /// Give memory back.
    Trim,
}

fn work(shared: &Shared) {
    while let Some(task) = next(shared) {
        let begun = Instant::now();
        match task {
            Task::Trim => {
                allocator::trim();
            }
            Task::Finish(finish) => {
                finish();
            }
            Task::Start(job, charge) => {
                let did_work = charge.is_some();
                (job.start)(charge, begun - job.since);
                if did_work {
                    let us = begun.elapsed().as_micros() as u64;
                    let old = shared.service_us.load(Ordering::Relaxed);
                    let new = if old == 0 { us } else { (old * 7 + us) / 8 };
                    shared.service_us.store(new, Ordering::Relaxed);
                }
            }
        }
        shared.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    /// A task that gives memory back; the caller has seen that it is time.
    fn trim(&mut self) -> Task {
        self.used = false;
        self.trimmed = Some(Instant::now());
        Task::Trim
    }

    /// Whether a busy pool should give memory back before the next job.
    fn is_trim_due(&self) -> bool {
        self.used && self.trimmed.is_some_and(|last| last.elapsed() > TRIM_EVERY)
    }
}

/// Waits for the next task and counts it as running. `None` when the pool stops.
fn next(shared: &Shared) -> Option<Task> {
    let (mut queue, task) = wait(shared, lock(&shared.queue));
    let task = task?;
    if !matches!(task, Task::Trim) {
        queue.used = true;
        queue.trimmed.get_or_insert_with(Instant::now);
    }
    shared.running.fetch_add(1, Ordering::Relaxed);
    Some(task)
}

/// The next task; gives the lock up while there is none.
fn wait<'a>(shared: &'a Shared, mut queue: MutexGuard<'a, Queue>) -> (MutexGuard<'a, Queue>, Option<Task>) {
    loop {
        if let Some(finish) = queue.finishes.pop_front() {
            return (queue, Some(Task::Finish(finish)));
        }
        if queue.stopping {
            return (queue, None);
        }
        if queue.is_trim_due() {
            let task = queue.trim();
            return (queue, Some(task));
        }
        let overloaded = queue.starts.len() * 2 > shared.max_queue
            && queue.starts.front().is_some_and(|oldest| oldest.since.elapsed() > STALE);
        let job = if overloaded { queue.starts.pop_back() } else { queue.starts.pop_front() };
        let Some(job) = job else {
            if queue.used {
                let (held, waited) = shared.ready.wait_timeout(queue, IDLE).unwrap_or_else(PoisonError::into_inner);
                queue = held;
                if waited.timed_out() && queue.used && queue.starts.is_empty() && queue.finishes.is_empty() {
                    let task = queue.trim();
                    return (queue, Some(task));
                }
            } else {
                queue = shared.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            continue;
        };
        let cancelled = job.control.is_cancelled();
        let charge = if cancelled { None } else { shared.budget.try_charge(job.bytes) };
        if cancelled || charge.is_some() {
            return (queue, Some(Task::Start(job, charge)));
        }
        // Memory comes back when other jobs or fetches end; the job keeps its place.
        shared.budget.report_shortage();
        if overloaded {
            queue.starts.push_back(job);
        } else {
            queue.starts.push_front(job);
        }
        queue = shared.ready.wait_timeout(queue, MEMORY_RETRY).unwrap_or_else(PoisonError::into_inner).0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn soon() -> Control {
        Control::new(Instant::now() + Duration::from_secs(10))
    }

    #[test]
    fn refuses_beyond_the_queue_and_runs_the_rest() {
        let pool = Pool::new(1, 2, MemoryBudget::new(100)).unwrap();
        let (go, wait) = mpsc::channel::<()>();
        let (done, results) = mpsc::channel();
        let (entered, is_running) = mpsc::channel();
        pool.submit(
            soon(),
            10,
            Box::new(move |_, _| {
                entered.send(()).unwrap();
                wait.recv().unwrap();
            }),
        )
        .unwrap();
        is_running.recv().unwrap();
        for i in 0..2 {
            let done = done.clone();
            pool.submit(soon(), 10, Box::new(move |charge, _| done.send((i, charge.is_some())).unwrap())).unwrap();
        }
        assert_eq!(pool.submit(soon(), 10, Box::new(|_, _| ())), Err(Refused::QueueFull));
        go.send(()).unwrap();
        assert_eq!(results.recv().unwrap(), (0, true));
        assert_eq!(results.recv().unwrap(), (1, true));
    }

    #[test]
    fn finishing_goes_before_starting() {
        let pool = Pool::new(1, 8, MemoryBudget::new(100)).unwrap();
        let (done, results) = mpsc::channel();
        let finisher = pool.finisher();
        let (d1, d2) = (done.clone(), done);
        let (gate_open, gate) = mpsc::channel::<()>();
        pool.submit(
            soon(),
            1,
            Box::new(move |_, _| {
                gate.recv().unwrap();
                finisher.submit(Box::new(move || d1.send("finish").unwrap()));
            }),
        )
        .unwrap();
        pool.submit(soon(), 1, Box::new(move |_, _| d2.send("start").unwrap())).unwrap();
        gate_open.send(()).unwrap();
        assert_eq!(results.recv().unwrap(), "finish");
        assert_eq!(results.recv().unwrap(), "start");
    }

    #[test]
    fn a_job_waits_for_memory_and_then_runs() {
        let budget = MemoryBudget::new(100);
        let pool = Pool::new(1, 8, budget.clone()).unwrap();
        let held = budget.try_charge(60).unwrap();
        let (done, results) = mpsc::channel();
        pool.submit(soon(), 50, Box::new(move |charge, _| done.send(charge.unwrap().bytes()).unwrap())).unwrap();
        assert!(results.recv_timeout(Duration::from_millis(50)).is_err());
        drop(held);
        assert_eq!(results.recv_timeout(Duration::from_secs(5)).unwrap(), 50);
    }

    #[test]
    fn the_delay_is_foretold_and_at_least_what_the_oldest_has_waited() {
        let pool = Pool::new(1, 8, MemoryBudget::new(100)).unwrap();
        assert_eq!(pool.delay(), Duration::ZERO);
        let (gate_open, gate) = mpsc::channel::<()>();
        let (entered, is_running) = mpsc::channel();
        let hold = move |_: Option<Charge>, _: Duration| {
            entered.send(()).unwrap();
            gate.recv().unwrap();
        };
        pool.submit(soon(), 1, Box::new(hold)).unwrap();
        is_running.recv().unwrap();
        // Nobody waits yet.
        assert_eq!(pool.delay(), Duration::ZERO);
        pool.submit(soon(), 1, Box::new(|_, _| ())).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        assert!(pool.delay() >= Duration::from_millis(30));
        pool.shared.service_us.store(2_000_000, Ordering::Relaxed);
        pool.submit(soon(), 1, Box::new(|_, _| ())).unwrap();
        assert_eq!(pool.delay(), Duration::from_secs(4));
        gate_open.send(()).unwrap();
    }

    #[test]
    fn cancelled_jobs_get_no_memory() {
        let pool = Pool::new(1, 8, MemoryBudget::new(100)).unwrap();
        let (gate_open, gate) = mpsc::channel::<()>();
        pool.submit(soon(), 1, Box::new(move |_, _| gate.recv().unwrap())).unwrap();
        let control = soon();
        let (done, results) = mpsc::channel();
        pool.submit(control.clone(), 1, Box::new(move |charge, _| done.send(charge.is_some()).unwrap())).unwrap();
        control.cancel();
        gate_open.send(()).unwrap();
        assert!(!results.recv().unwrap());
    }
}
