use super::{Coefficients, ImageBuf, Plane, Planes};

/// Takes the samples of a picture in planes while they are decoded. A decoder hands over rows that are still in a near
/// cache; where they go to is the taker's business: planes in memory, or what a GPU copies from.
pub trait PlaneSink {
    /// Takes whole rows of one plane, from row `first` on; rows of a plane come from the top down, and those that never come
    /// are 0. `plane`: 0 is Y, 1 Cb, 2 Cr; packed samples are one plane, 0.
    fn rows(&mut self, plane: usize, first: u32, samples: &[u8]);
}

/// Takes the coefficients of a JPEG while they are decoded.
pub trait CoefficientSink {
    /// Takes whole rows of blocks of one component, from row `first` on: of each block its `coefficient`, in zigzag order.
    /// Rows come from the top down, and those that never come are 0.
    fn values(&mut self, component: usize, coefficient: usize, first: usize, values: &[i16]);
}

/// Takes a picture in whatever form it was announced.
pub trait PictureSink: PlaneSink + CoefficientSink {}

impl<T: PlaneSink + CoefficientSink> PictureSink for T {}

/// What lies below the picture is dropped, and every plane but the first.
impl PlaneSink for ImageBuf {
    fn rows(&mut self, plane: usize, first: u32, samples: &[u8]) {
        let begin = first as usize * self.stride();
        let to = self.pixels_mut().get_mut(begin..).and_then(|rest| rest.get_mut(..samples.len()));
        if let Some(to) = to.filter(|_| plane == 0) {
            to.copy_from_slice(samples);
        }
    }
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

/// What lies beyond the blocks is dropped, and coefficients that are not kept.
impl CoefficientSink for Coefficients {
    fn values(&mut self, component: usize, coefficient: usize, first: usize, values: &[i16]) {
        let Some(of) = self.components.get_mut(component) else { return };
        let (plane, across) = (of.blocks.area() as usize, of.blocks.width() as usize);
        let kept = of.values.get_mut(coefficient * plane..).and_then(|rest| rest.get_mut(..plane));
        if let Some(to) = kept.and_then(|plane| plane.get_mut(first * across..)?.get_mut(..values.len())) {
            to.copy_from_slice(values);
        }
    }
}

impl Coefficients {
    /// Gives hollow coefficients values, all 0.
    #[must_use]
    pub fn filled(mut self) -> Self {
        for of in &mut self.components {
            of.values = vec![0; of.blocks.area() as usize * usize::from(of.count)];
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{CoefficientPlane, PixelFormat, Size};

    #[test]
    fn coefficients_go_to_their_plane_and_nothing_goes_beyond() {
        let (size, blocks) = (Size::at_least_one(10, 20), Size::at_least_one(2, 3));
        let luma = CoefficientPlane { size, blocks, count: 3, values: Vec::new() };
        let mut all = Coefficients { size, components: vec![luma] }.filled();
        all.values(0, 0, 1, &[1, 2, 3, 4]);
        all.values(0, 2, 2, &[5, 6]);
        all.values(0, 2, 2, &[7; 4]);
        all.values(0, 3, 0, &[7; 2]);
        all.values(1, 0, 0, &[7; 2]);
        assert_eq!(all.components[0].values, [0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 6]);
    }

    #[test]
    fn packed_rows_go_to_their_place_and_nothing_goes_beyond() {
        let mut image = ImageBuf::zeroed(Size::at_least_one(1, 3), PixelFormat::Rgb8);
        PlaneSink::rows(&mut image, 0, 1, &[1, 2, 3]);
        PlaneSink::rows(&mut image, 1, 0, &[7; 3]);
        PlaneSink::rows(&mut image, 0, 2, &[7; 6]);
        assert_eq!(image.pixels(), [0, 0, 0, 1, 2, 3, 0, 0, 0]);
    }

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
