//! What a decoder has still to hand over, and its place in mapped memory.
//!
//! The memory is written, never read: it may be uncached. It may also hold what was there before, so rows that never come
//! are written as zeros.

use super::recipe::{Rows, Upload};

/// A part of a picture that is to come.
#[derive(Debug)]
pub(super) enum Coming {
    /// Rows of a plane.
    Rows(Part),
    /// The coefficients of a component, a plane for each.
    Blocks { component: usize, planes: Vec<Part> },
}

/// Where rows of a plane go to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    plane: usize,
    /// First row, and rows.
    top: usize,
    rows: usize,
    /// First byte of a row that goes up, and bytes.
    left: usize,
    row: usize,
    /// Bytes of a whole row, and from row to row in mapped memory.
    pitch: usize,
    padded: usize,
    /// First byte in mapped memory.
    at: usize,
    /// The first row, from the top of the part, that has not come.
    next: usize,
}

impl Coming {
    /// `None` for what is there already.
    pub(super) fn of(upload: &Upload<'_>) -> Option<Self> {
        let at = upload.staging as usize;
        match upload.bytes {
            Rows::Here(_) => None,
            Rows::Coming { plane, top, left } => Some(Self::Rows(Part {
                plane,
                top: top as usize,
                rows: upload.rows,
                left: left as usize,
                row: upload.row,
                pitch: upload.pitch,
                padded: upload.row.next_multiple_of(4),
                at,
                next: 0,
            })),
            Rows::Blocks { component, across, down } => {
                let (row, rows) = (2 * across as usize, down as usize);
                let part = |plane: usize| Part {
                    plane,
                    top: 0,
                    rows,
                    left: 0,
                    row,
                    pitch: row,
                    padded: row,
                    at: at + plane * row * rows,
                    next: 0,
                };
                let planes = (0..upload.row / (row * rows).max(1)).map(part).collect();
                Some(Self::Blocks { component, planes })
            }
        }
    }

    /// Those that take rows of a plane.
    pub(super) fn plane(&mut self, plane: usize) -> Option<&mut Part> {
        match self {
            Self::Rows(part) if part.plane == plane => Some(part),
            _ => None,
        }
    }

    /// Those that take a coefficient of a component.
    pub(super) fn blocks(&mut self, of: usize, coefficient: usize) -> Option<&mut Part> {
        match self {
            Self::Blocks { component, planes } if *component == of => planes.get_mut(coefficient),
            _ => None,
        }
    }

    fn parts(&mut self) -> &mut [Part] {
        match self {
            Self::Rows(part) => std::slice::from_mut(part),
            Self::Blocks { planes, .. } => planes,
        }
    }

    /// Everything came that will.
    pub(super) fn finish(&mut self, view: &mut wgpu::BufferViewMut) {
        for part in self.parts() {
            part.skip_to(part.rows, view);
        }
    }
}

impl Part {
    /// Writes what goes up of these whole rows, of which `first` is the first.
    pub(super) fn write(&mut self, first: usize, samples: &[u8], view: &mut wgpu::BufferViewMut) {
        let Self { top, rows, left, row, pitch, padded, at, .. } = *self;
        let (from, to) = (first.max(top), (first + samples.len() / pitch.max(1)).min(top + rows));
        if from >= to {
            return;
        }
        self.skip_to(from - top, view);
        self.next = self.next.max(to - top);
        let part = &samples[(from - first) * pitch..(to - first) * pitch];
        let at = at + (from - top) * padded;
        if row == padded && row == pitch {
            view.slice(at..at + part.len()).copy_from_slice(part);
            return;
        }
        for (samples, at) in part.chunks_exact(pitch).zip((at..).step_by(padded)) {
            view.slice(at..at + row).copy_from_slice(&samples[left..left + row]);
        }
    }

    /// Rows up to this one do not come any more.
    fn skip_to(&mut self, row: usize, view: &mut wgpu::BufferViewMut) {
        if row > self.next {
            view.slice(self.at + self.next * self.padded..self.at + row * self.padded).fill(0);
            self.next = row;
        }
    }
}
