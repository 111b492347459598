//! What is submitted together: orders → batches.

use std::sync::mpsc::{RecvTimeoutError, SyncSender};
use std::time::Duration;

use crate::backend::{BackendError, Drill};

use super::device::{Device, SHARES};
use super::orders::Orders;
use super::worker::{Job, Order};

/// Programs of one submission, and bytes of their inputs and of their work memory.
const BATCH: usize = 32;
const BATCH_BYTES: [u64; 2] = [256 << 20, 512 << 20];
/// Submissions in flight.
const DEPTH: usize = 3;
/// Jobs that may wait for a device: those that it works on, and the next two batches. More would only hold memory.
pub(super) const MOST_WAITING: u64 = ((DEPTH + 2) * BATCH) as u64;

/// What is to be done next.
pub(super) enum Gathered {
    Batch(Vec<Job>),
    Bandwidth {
        software: bool,
        answer: SyncSender<Option<f64>>,
    },
    Drill(Drill),
    Nothing,
    /// Nobody is left who would order anything.
    Closed,
}

/// The orders, one that was taken but did not fit into the batch, and those for which there was no memory.
pub(super) struct Queue<'a> {
    orders: &'a Orders,
    left: Option<Order>,
    back: Vec<Job>,
    /// How many of them are tried at once, as soon as fewer submissions than this are in flight.
    most: usize,
    until: usize,
    /// Bytes of a batch's inputs, of its work memory and of its tables.
    limits: [u64; 3],
}

impl Device {
    /// Bytes of a batch's inputs, of its work memory and of its tables.
    fn batch_limits(&self) -> [u64; 3] {
        let [input, work] = BATCH_BYTES.map(|bytes| bytes.min(self.limits.binding).min(self.pool.on_device() / SHARES));
        [input, work, self.largest_binding]
    }
}

/// Bytes of a job's inputs, of its work memory and of its tables, those that others bring, too, included.
fn memory(job: &Job) -> [u64; 3] {
    let [input, work] = job.program.memory();
    let words: usize = job.program.tables.iter().map(|table| table.words.len()).sum();
    [input, work, 4 * words as u64]
}

impl<'a> Queue<'a> {
    pub(super) fn new(orders: &'a Orders, device: &Device) -> Self {
        Self { orders, left: None, back: Vec::new(), most: BATCH, until: 0, limits: device.batch_limits() }
    }

    /// What is ready; waits when the device has nothing to do. `flying`: submissions in flight.
    pub(super) fn gather(&mut self, flying: usize) -> Gathered {
        let idle = flying == 0;
        if flying >= DEPTH || (!self.back.is_empty() && !idle && flying >= self.until) {
            return Gathered::Nothing;
        }
        if !self.back.is_empty() {
            let rest = self.back.split_off(self.most.min(self.back.len()));
            return Gathered::Batch(std::mem::replace(&mut self.back, rest));
        }
        self.most = BATCH;
        let first = match self.left.take() {
            Some(order) => Ok(order),
            // Wakes now and then to see whether the device is lost.
            None if idle => self.orders.recv_timeout(Duration::from_millis(100)),
            None => self.orders.try_recv().map_err(|_| RecvTimeoutError::Timeout),
        };
        let first = match first {
            Ok(Order::Picture(job)) => *job,
            Ok(Order::Drill(drill)) => return Gathered::Drill(drill),
            Ok(Order::Sign(ticket)) => {
                drop(ticket);
                return Gathered::Nothing;
            }
            Ok(Order::Bandwidth { software, answer }) if idle => return Gathered::Bandwidth { software, answer },
            Ok(order) => {
                self.left = Some(order);
                return Gathered::Nothing;
            }
            Err(RecvTimeoutError::Timeout) => return Gathered::Nothing,
            Err(RecvTimeoutError::Disconnected) => return Gathered::Closed,
        };
        let mut all = memory(&first);
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(order) = self.orders.try_recv()
        {
            let Order::Picture(job) = order else {
                self.left = Some(order);
                break;
            };
            let more = memory(&job);
            let sum: [u64; 3] = std::array::from_fn(|i| all[i] + more[i]);
            if sum.iter().zip(self.limits).any(|(&bytes, limit)| bytes > limit) {
                self.left = Some(Order::Picture(job));
                break;
            }
            all = sum;
            batch.push(*job);
        }
        Gathered::Batch(batch)
    }

    /// There is no memory for a batch: it is tried again when a submission is done. Where none is in flight, half of it
    /// is; one alone, who is told that there is none, would wait for others' memory.
    pub(super) fn give_back(&mut self, mut batch: Vec<Job>, flying: usize) {
        self.until = flying;
        if flying == 0 {
            if let [alone] = &batch[..] {
                alone.ticket.0.tell(Err(BackendError::OutOfMemory));
                return;
            }
            self.most = (batch.len() / 2).max(1);
        }
        batch.append(&mut self.back);
        self.back = batch;
    }

    /// What was taken and not done.
    pub(super) fn rest(self) -> Vec<Order> {
        let back = self.back.into_iter().map(|job| Order::Picture(Box::new(job)));
        back.chain(self.left).collect()
    }
}
