//! Where a scan goes on behind a restart interval, also when the marker there is damaged, missing or another one.

use super::frame::Walker;

/// What was found behind an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The data of the next interval.
    Data,
    /// A marker that belongs further on: the next interval was lost.
    Later,
    /// No more data of this scan.
    End,
}

/// Follows the numbers of restart markers, 0 to 7 in turn.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    number: u8,
}

impl Restarts {
    /// Looks behind an interval. Where the marker is not the one that is due, its number tells whether some were lost
    /// (one or two ahead: they wait for their turn) or whether it is an old one (one or two behind: passed over); the
    /// others say nothing and are taken as they come. So does libjpeg.
    pub(super) fn next(&mut self, walker: &mut Walker<'_>) -> Found {
        let due = self.number;
        self.number = (due + 1) % 8;
        loop {
            walker.seek_marker();
            let Some(&[0xFF, code]) = walker.rest().first_chunk() else { return Found::End };
            match code {
                0xD0..=0xD7 => match (code - 0xD0 + 8 - due) % 8 {
                    1 | 2 => return Found::Later,
                    6 | 7 => walker.skip(2),
                    _ => {
                        walker.skip(2);
                        return Found::Data;
                    }
                },
                // No markers: damage.
                0x01..=0xBF => walker.skip(2),
                _ => return Found::End,
            }
        }
    }

    /// Passes over so many intervals that are not wanted, as if they were read: what comes behind them is found in the same
    /// place.
    pub(super) fn pass(&mut self, walker: &mut Walker<'_>, intervals: usize) {
        let _ = (0..intervals).find(|_| self.next(walker) == Found::End);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8], count: usize) -> Vec<Found> {
        let bytes = [&[0xFF, 0xD8][..], bytes].concat();
        let mut walker = Walker::new(&bytes).unwrap();
        let mut restarts = Restarts::default();
        (0..count).map(|_| restarts.next(&mut walker)).collect()
    }

    #[test]
    fn markers_are_taken_in_their_order() {
        use Found::{Data, End, Later};
        assert_eq!(found(b"\xFF\xD0ab\xFF\xD1ab\xFF\xD2\xFF\xD9", 4), [Data, Data, Data, End]);
        // Fill bytes, stuffing and what is left of an interval are passed over.
        assert_eq!(found(b"xy\xFF\0z\xFF\xFF\xFF\xD0ab\xFF\xD9", 2), [Data, End]);
        // One is missing, two are missing.
        assert_eq!(found(b"\xFF\xD0ab\xFF\xD2ab\xFF\xD3", 4), [Data, Later, Data, Data]);
        assert_eq!(found(b"\xFF\xD2ab\xFF\xD3", 4), [Later, Later, Data, Data]);
        // The one before comes again.
        assert_eq!(found(b"\xFF\xD0ab\xFF\xD0ab\xFF\xD1", 2), [Data, Data]);
        // Far away: as it comes.
        assert_eq!(found(b"\xFF\xD4ab\xFF\xD1", 2), [Data, Data]);
        // Not a marker.
        assert_eq!(found(b"\xFF\x37ab\xFF\xD0", 1), [Data]);
        assert_eq!(found(b"ab", 2), [End, End]);
    }

    /// A bogus marker among data that nobody reads would be taken for a segment.
    #[test]
    fn what_is_passed_over_is_left_where_reading_would_end() {
        let bytes = b"\xFF\xD8a\xFF\xD0bc\xFF\x2Agh\xFF\xD1ef\xFF\xD9\xFF\xD2";
        let mut walker = Walker::new(bytes).unwrap();
        Restarts::default().pass(&mut walker, 7);
        assert_eq!(walker.rest(), b"\xFF\xD9\xFF\xD2");
    }
}
