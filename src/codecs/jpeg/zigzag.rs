//! The order of a block's coefficients in a file. ITU-T T.81, figure A.6.

/// (across, down) of each coefficient: diagonals, in turn upwards and downwards.
pub(super) const ZIGZAG: [(u8, u8); 64] = {
    let mut order = [(0, 0); 64];
    let (mut at, mut diagonal) = (0, 0);
    while diagonal < 15 {
        let mut step = 0;
        while step <= diagonal {
            let (u, v) = if diagonal % 2 == 0 { (step, diagonal - step) } else { (diagonal - step, step) };
            if u < 8 && v < 8 {
                order[at] = (u, v);
                at += 1;
            }
            step += 1;
        }
        diagonal += 1;
    }
    order
};

/// The same as places in a block whose columns lie one after the other: `8 u + v`.
pub(super) const BY_COLUMN: [u8; 64] = {
    let mut order = [0; 64];
    let mut k = 0;
    while k < 64 {
        order[k] = 8 * ZIGZAG[k].0 + ZIGZAG[k].1;
        k += 1;
    }
    order
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_figure() {
        assert_eq!(ZIGZAG[..10], [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (2, 0), (3, 0), (2, 1), (1, 2), (0, 3)]);
        assert_eq!(ZIGZAG[61..], [(7, 6), (6, 7), (7, 7)]);
        assert_eq!(BY_COLUMN[1], 8);
        let mut all = BY_COLUMN;
        all.sort_unstable();
        assert_eq!(all, std::array::from_fn(|k| k as u8));
    }
}
