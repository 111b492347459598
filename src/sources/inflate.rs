//! gzip, inflated as it comes in, under the limits of what it inflates to.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

use super::buffer::{ChargedBuffer, Full};

/// Inflates into a [`ChargedBuffer`].
pub(super) struct Inflater {
    decoder: MultiGzDecoder<Sink>,
}

/// Why inflating stopped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum InflateError {
    Full(Full),
    /// Not gzip, damaged, or cut off.
    Damaged,
}

struct Sink {
    buffer: ChargedBuffer,
    full: Option<Full>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.push(bytes).map_err(|full| {
            self.full = Some(full);
            io::Error::from(io::ErrorKind::StorageFull)
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Inflater {
    /// How much to hand to [`Inflater::push`] at once: deflate grows at most about 1 000 times, so that a piece costs a
    /// few milliseconds at worst.
    pub(super) const PIECE: usize = 2048;

    pub(super) fn new(buffer: ChargedBuffer) -> Self {
        Self { decoder: MultiGzDecoder::new(Sink { buffer, full: None }) }
    }

    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), InflateError> {
        let done = self.decoder.write_all(piece);
        self.outcome(done)
    }

    /// Everything, once it is complete.
    pub(super) fn finish(mut self) -> Result<ChargedBuffer, InflateError> {
        let done = self.decoder.try_finish();
        self.outcome(done)?;
        let sink = self.decoder.finish().map_err(|_| InflateError::Damaged)?;
        Ok(sink.buffer)
    }

    fn outcome(&self, done: io::Result<()>) -> Result<(), InflateError> {
        match (done, self.decoder.get_ref().full) {
            (_, Some(full)) => Err(InflateError::Full(full)),
            (Err(_), None) => Err(InflateError::Damaged),
            (Ok(()), None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;
    use crate::budget::MemoryBudget;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(bytes: &[u8], limit: u64, budget: u64) -> Result<Vec<u8>, InflateError> {
        let buffer = ChargedBuffer::new(&MemoryBudget::new(budget), limit, None).unwrap();
        let mut inflater = Inflater::new(buffer);
        for piece in bytes.chunks(Inflater::PIECE) {
            inflater.push(piece)?;
        }
        inflater.finish().map(|buffer| buffer.finish().0.to_vec())
    }

    /// F3.
    #[test]
    fn bombs_stop_at_the_limit_and_the_budget() {
        let bomb = gzip(&vec![0; 10 << 20]);
        assert!(bomb.len() < 12 << 10);
        assert!(matches!(inflate(&bomb, 1 << 20, 1 << 30), Err(InflateError::Full(Full::Limit(n))) if n > 1 << 20));
        assert_eq!(inflate(&bomb, u64::MAX, 1 << 20), Err(InflateError::Full(Full::Budget)));
        assert_eq!(inflate(&bomb, u64::MAX, 1 << 30).unwrap().len(), 10 << 20);
    }

    #[test]
    fn cut_off_or_damaged_is_an_error_wherever_it_is() {
        let text: Vec<u8> = (0..20_000u32).flat_map(|i| (i * i).to_le_bytes()).collect();
        let good = gzip(&text);
        assert_eq!(inflate(&good, u64::MAX, 1 << 30).unwrap(), text);
        assert_eq!(inflate(&[good.clone(), good.clone()].concat(), u64::MAX, 1 << 30).unwrap().len(), 2 * text.len());
        for tenth in 1..10 {
            assert_eq!(inflate(&good[..good.len() * tenth / 10], u64::MAX, 1 << 30), Err(InflateError::Damaged));
        }
        assert_eq!(inflate(&good[..good.len() - 1], u64::MAX, 1 << 30), Err(InflateError::Damaged));
        assert_eq!(inflate(b"not gzip at all", u64::MAX, 1 << 30), Err(InflateError::Damaged));
        let mut flipped = good;
        let middle = flipped.len() / 2;
        flipped[middle] ^= 1;
        assert_eq!(inflate(&flipped, u64::MAX, 1 << 30), Err(InflateError::Damaged));
    }
}
