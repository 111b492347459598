//! RGB coefficients → YCbCr coefficients. Both the transform of colours and that of blocks are linear, so they change
//! places; what is kept of a block stays what is kept.

use crate::image::CoefficientPlane;

/// Full-range BT.601 of three planes of equal size. The level of 128 that samples are coded without is the zero of all
/// three on both sides.
pub(super) fn to_ycc(components: &mut [CoefficientPlane]) {
    let [red, green, blue] = components else { return };
    let values = red.values.iter_mut().zip(&mut green.values).zip(&mut blue.values);
    for ((red, green), blue) in values {
        let (r, g, b) = (f32::from(*red), f32::from(*green), f32::from(*blue));
        // Floats become whole numbers within the range of the type.
        *red = (0.299 * r + 0.587 * g + 0.114 * b).round() as i16;
        *green = (-0.168_736 * r - 0.331_264 * g + 0.5 * b).round() as i16;
        *blue = (0.5 * r - 0.418_688 * g - 0.081_312 * b).round() as i16;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    #[test]
    fn primaries_become_their_ycc() {
        let plane = |values: [i16; 4]| CoefficientPlane {
            size: Size::at_least_one(16, 16),
            blocks: Size::at_least_one(2, 2),
            count: 1,
            values: values.to_vec(),
        };
        // White, red, black, grey: 8 times the distance from 128.
        let mut components =
            [plane([1016, 1016, -1024, 0]), plane([1016, -1024, -1024, 0]), plane([1016, -1024, -1024, 0])];
        to_ycc(&mut components);
        let [y, cb, cr] = components.map(|plane| plane.values);
        assert_eq!(y, [1016, -414, -1024, 0]);
        assert_eq!(cb, [0, -344, 0, 0]);
        assert_eq!(cr, [0, 1020, 0, 0]);
    }
}
