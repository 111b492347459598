//! The part of a picture whose samples are wanted.

use std::ops::Range;

use crate::image::{Rect, Size};

use super::frame::{Component, Frame};

/// Blocks to be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blocks {
    pub(super) across: Range<usize>,
    pub(super) down: Range<usize>,
}

/// A part of the picture, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    rect: Rect,
    picture: Size,
}

impl Window {
    /// All of a picture of this size, or what lies in it of a window.
    pub(super) fn new(picture: Size, wanted: Option<Rect>) -> Self {
        let rect = wanted.filter(|rect| rect.is_inside(picture)).unwrap_or_else(|| Rect::whole(picture));
        Self { rect, picture }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.rect == Rect::whole(self.picture)
    }

    /// Rows of the picture.
    pub(super) const fn rows(&self) -> Range<usize> {
        self.rect.top as usize..(self.rect.top + self.rect.size.height()) as usize
    }

    /// Blocks of a component, those among them that its samples are interpolated with.
    pub(super) fn blocks(&self, component: &Component) -> Blocks {
        let along = |first: u32, count: u32, picture: u32, samples: u32| {
            let scaled = |at: u32| (u64::from(at) * u64::from(samples), u64::from(picture));
            let ((begin, by), (end, _)) = (scaled(first), scaled(first + count));
            let begin = (begin / by).saturating_sub(1) as usize;
            let end = (end.div_ceil(by) + 1).min(samples.into()) as usize;
            begin / 8..end.div_ceil(8)
        };
        let Rect { left, top, size } = self.rect;
        Blocks {
            across: along(left, size.width(), self.picture.width(), component.size.width()),
            down: along(top, size.height(), self.picture.height(), component.size.height()),
        }
    }

    /// Rows of MCUs, or of blocks, of a scan of these components that code something wanted.
    pub(super) fn mcu_rows(&self, frame: &Frame, components: impl Iterator<Item = (usize, usize)>) -> Range<usize> {
        let rows = components.filter_map(|(component, v)| {
            let down = self.blocks(frame.components.get(component)?).down;
            Some(down.start / v.max(1)..down.end.div_ceil(v.max(1)))
        });
        rows.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(0..0)
    }
}
