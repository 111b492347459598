//! Tables that stay on the device, so that each goes up once.

use std::collections::HashMap;
use std::sync::Arc;

use wgpu::Buffer;

use super::pool::{Lent, Pool, Use};
use super::tables::Table;

/// Words that the first buffer takes.
const WORDS: u32 = 4 << 20;

/// One buffer with tables one after the other. When it is full a new one is begun; the old one lives as long as the
/// device works with it.
#[derive(Debug, Default)]
pub(super) struct Resident {
    buffer: Option<(Lent, u32)>,
    at: HashMap<u64, u32>,
    next: u32,
}

/// Words that must be copied into the buffer before it is used.
#[derive(Debug, Default)]
pub(super) struct Missing {
    /// First word of the buffer.
    pub(super) at: u32,
    pub(super) words: Vec<u32>,
}

impl Resident {
    /// Finds places for tables, some of which may be the same; answers the buffer and what has to be copied into it.
    /// `None` when there is no memory for it.
    pub(super) fn admit(
        &mut self,
        pool: &Pool,
        device: &wgpu::Device,
        tables: &[&Arc<Table>],
        missing: &mut Missing,
    ) -> Option<Buffer> {
        if let Some((buffer, capacity)) = self.buffer.as_ref().map(|(lent, capacity)| (Buffer::clone(lent), *capacity))
            && self.place(tables, capacity, missing)
        {
            return Some(buffer);
        }
        let all: usize = tables.iter().map(|table| table.words.len()).sum();
        let capacity = WORDS.max(u32::try_from(all).unwrap_or(u32::MAX));
        (self.buffer, self.next) = (None, 0);
        self.at.clear();
        let lent = pool.take(device, Use::Device, 4 * u64::from(capacity))?;
        let buffer = Buffer::clone(&lent);
        self.buffer = Some((lent, capacity));
        self.place(tables, capacity, missing);
        Some(buffer)
    }

    /// The first word of a table that was admitted.
    pub(super) fn find(&self, table: &Table) -> Option<u32> {
        self.at.get(&table.id).copied()
    }

    /// Forgets what was admitted last, where nothing was copied.
    pub(super) fn forget(&mut self, missing: &Missing) {
        if self.buffer.is_some() {
            self.at.retain(|_, at| *at < missing.at);
            self.next = missing.at;
        }
    }

    /// `false`, and nothing changed, when there is no room.
    fn place(&mut self, tables: &[&Arc<Table>], capacity: u32, missing: &mut Missing) -> bool {
        let (begin, known) = (self.next, self.at.len());
        missing.at = begin;
        missing.words.clear();
        for table in tables {
            if self.at.contains_key(&table.id) {
                continue;
            }
            let Some(end) = u32::try_from(table.words.len())
                .ok()
                .and_then(|len| self.next.checked_add(len))
                .filter(|&end| end <= capacity)
            else {
                if self.at.len() > known {
                    self.at.retain(|_, at| *at < begin);
                }
                self.next = begin;
                missing.words.clear();
                return false;
            };
            self.at.insert(table.id, self.next);
            missing.words.extend_from_slice(&table.words);
            self.next = end;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::gpu::pool::Accounts;
    use crate::backend::gpu::tables::TableCache;
    use crate::ops::Filter;

    #[test]
    fn a_table_goes_up_once_until_the_buffer_is_full() {
        let cache = TableCache::default();
        let (a, b) = (cache.resample(100, 10, Filter::Lanczos3), cache.resample(200, 10, Filter::Lanczos3));
        let (mut resident, mut missing) = (Resident::default(), Missing::default());
        let capacity = (a.words.len() + b.words.len()) as u32;
        assert!(resident.place(&[&a, &a], capacity, &mut missing));
        assert_eq!((missing.at, &missing.words), (0, &a.words));
        assert!(resident.place(&[&a, &b], capacity, &mut missing));
        assert_eq!((missing.at, &missing.words), (a.words.len() as u32, &b.words));
        assert!(resident.place(&[&b, &a], capacity, &mut missing) && missing.words.is_empty());
        let c = cache.resample(300, 10, Filter::Lanczos3);
        assert!(!resident.place(&[&a, &c], capacity, &mut missing));
        // What was there is there still, and what had no room is not.
        assert_eq!(resident.find(&a), Some(0));
        assert!(resident.find(&b).is_some() && resident.find(&c).is_none());
    }

    #[test]
    fn what_was_not_copied_is_missing_again() {
        let (device, _queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor::default());
        let pool = Pool::new(Accounts::new(None, false, u64::MAX), 1 << 30, 1 << 30, Arc::default());
        let cache = TableCache::default();
        let (a, b) = (cache.resample(100, 10, Filter::Lanczos3), cache.resample(200, 10, Filter::Lanczos3));
        let (mut resident, mut missing) = (Resident::default(), Missing::default());
        let admit = |resident: &mut Resident, missing: &mut Missing, tables: &[&Arc<Table>]| {
            resident.admit(&pool, &device, tables, missing).unwrap();
            missing.words.len()
        };
        assert_eq!(admit(&mut resident, &mut missing, &[&a]), a.words.len());
        resident.forget(&missing);
        assert_eq!(admit(&mut resident, &mut missing, &[&a]), a.words.len());
        assert_eq!(admit(&mut resident, &mut missing, &[&a, &b]), b.words.len());
        resident.forget(&missing);
        assert!(resident.find(&a) == Some(0) && resident.find(&b).is_none());
        assert_eq!(admit(&mut resident, &mut missing, &[&a, &b]), b.words.len());
        assert_eq!(missing.at as usize, a.words.len());
        assert_eq!(admit(&mut resident, &mut missing, &[&a, &b]), 0);
        // Nothing was missing: nothing is forgotten.
        resident.forget(&missing);
        assert!(resident.find(&b).is_some());
    }
}
