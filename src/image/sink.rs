use super::{Plane, Planes};

/// Takes the samples of a picture in planes while they are decoded. A decoder hands over rows that are still in a near
/// cache; where they go to is the taker's business: planes in memory, or what a GPU copies from.
pub trait PlaneSink {
    /// Takes whole rows of one plane, from row `first` on; rows of a plane come from the top down. `plane`: 0 is Y, 1 Cb,
    /// 2 Cr.
    fn rows(&mut self, plane: usize, first: u32, samples: &[u8]);
}

/// What lies beyond the plane, and planes that there are not, is dropped.
impl PlaneSink for Planes {
    fn rows(&mut self, plane: usize, first: u32, samples: &[u8]) {
        let plane = match plane {
            0 => Some(&mut self.luma),
            chroma => self.chroma.as_mut().and_then(|both| both.get_mut(chroma - 1)),
        };
        let Some(plane) = plane else { return };
        let begin = first as usize * plane.size.width() as usize;
        if let Some(to) = plane.samples.get_mut(begin..).and_then(|rest| rest.get_mut(..samples.len())) {
            to.copy_from_slice(samples);
        }
    }
}

impl Planes {
    /// Planes without samples: what a decoder will hand over.
    #[must_use]
    pub fn hollow(&self) -> Self {
        let hollow = |plane: &Plane| Plane { size: plane.size, samples: Vec::new() };
        Self {
            size: self.size,
            luma: hollow(&self.luma),
            chroma: self.chroma.as_ref().map(|[cb, cr]| [hollow(cb), hollow(cr)]),
        }
    }

    /// Gives hollow planes samples, all 0.
    #[must_use]
    pub fn filled(mut self) -> Self {
        for plane in std::iter::once(&mut self.luma).chain(self.chroma.iter_mut().flatten()) {
            plane.samples = vec![0; plane.size.area() as usize];
        }
        self
    }

    /// Y, or Y, Cb and Cr.
    pub fn each(&self) -> impl Iterator<Item = &Plane> {
        std::iter::once(&self.luma).chain(self.chroma.iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    #[test]
    fn rows_go_to_their_plane_and_nothing_goes_beyond() {
        let plane = |w, h| Plane { size: Size::at_least_one(w, h), samples: Vec::new() };
        let hollow =
            Planes { size: Size::at_least_one(4, 3), luma: plane(4, 3), chroma: Some([plane(2, 2), plane(2, 2)]) };
        let mut planes = hollow.clone().filled();
        planes.rows(0, 1, &[1, 2, 3, 4, 5, 6, 7, 8]);
        planes.rows(2, 1, &[9, 9]);
        planes.rows(0, 2, &[7; 8]);
        planes.rows(3, 0, &[7; 2]);
        assert_eq!(planes.luma.samples, [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        let chroma: Vec<&[u8]> = planes.each().skip(1).map(|plane| &plane.samples[..]).collect();
        assert_eq!(chroma, [[0, 0, 0, 0], [0, 0, 9, 9]]);
        assert_eq!(planes.hollow(), hollow);
    }
}
