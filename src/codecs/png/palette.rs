use std::collections::HashMap;

use color_quant::NeuQuant;

use crate::image::Size;

/// Most colours of a palette.
const COLOURS: usize = 256;
/// NeuQuant looks at one pixel in at most this many (1 is best, 30 fastest).
const SAMPLE_FACTOR: usize = 10;
/// Pixels that it looks at where there are that many: a thumbnail shown in part gives a palette 4 dB worse.
const LOOKED_AT: usize = 40_000;
/// Most pixels that it is shown.
const LEARNT_FROM: usize = 400_000;

/// A picture as indices into a palette.
pub(super) struct Indexed {
    /// One index a pixel, rows top-down.
    pub(super) indices: Vec<u8>,
    /// Red, green, blue of each colour.
    pub(super) palette: Vec<u8>,
    /// Alpha of each colour; empty when all are opaque.
    pub(super) alpha: Vec<u8>,
}

impl Indexed {
    /// Finds a palette for straight-alpha RGBA samples: the colours themselves when there are at most 256, else the
    /// nearest of 256 that a neural network learns (Dekker, Kohonen neural networks for optimal colour quantization,
    /// 1994), with the error spread to the neighbours (Floyd and Steinberg, 1976).
    pub(super) fn of(rgba: &[u8], size: Size) -> Self {
        let (pixels, _) = rgba.as_chunks::<4>();
        exact(pixels).unwrap_or_else(|| nearest(pixels, size))
    }

    fn new(indices: Vec<u8>, colours: &[[u8; 4]]) -> Self {
        let palette = colours.iter().flat_map(|&[r, g, b, _]| [r, g, b]).collect();
        let opaque = colours.iter().all(|colour| colour[3] == 255);
        let alpha = if opaque { Vec::new() } else { colours.iter().map(|colour| colour[3]).collect() };
        Self { indices, palette, alpha }
    }
}

fn exact(pixels: &[[u8; 4]]) -> Option<Indexed> {
    let mut known: HashMap<[u8; 4], u8> = HashMap::new();
    let mut colours = Vec::new();
    let mut indices = Vec::with_capacity(pixels.len());
    let mut last = None;
    for &pixel in pixels {
        // What nobody can see needs one entry.
        let pixel = if pixel[3] == 0 { [0; 4] } else { pixel };
        if let Some((_, index)) = last.filter(|&(colour, _)| colour == pixel) {
            indices.push(index);
            continue;
        }
        let index = match known.get(&pixel) {
            Some(&index) => index,
            None => {
                let index = u8::try_from(colours.len()).ok()?;
                colours.push(pixel);
                known.insert(pixel, index);
                index
            }
        };
        last = Some((pixel, index));
        indices.push(index);
    }
    Some(Indexed::new(indices, &colours))
}

fn nearest(pixels: &[[u8; 4]], size: Size) -> Indexed {
    // Every n-th pixel is enough to learn from, and bounds the time of a large picture.
    let thinned: Vec<u8> = pixels.iter().step_by(pixels.len().div_ceil(LEARNT_FROM)).copied().flatten().collect();
    let factor = (thinned.len() / 4 / LOOKED_AT).clamp(1, SAMPLE_FACTOR);
    let quantiser = NeuQuant::new(factor as i32, COLOURS, &thinned);
    let mut colour_map = quantiser.color_map_rgba();
    let (colours, _) = colour_map.as_chunks_mut::<4>();
    if pixels.iter().all(|pixel| pixel[3] == 255) {
        // What the network starts with is not all opaque.
        colours.iter_mut().for_each(|colour| colour[3] = 255);
    }
    let colours = &*colours;

    let mut search = Search::new(&quantiser);
    let width = size.width() as usize;
    let mut indices = Vec::with_capacity(pixels.len());
    // Errors carried to this row and to the next, in sixteenths, with a pixel of margin at both ends.
    let mut here = vec![[0_i32; 3]; width + 2];
    let mut below = here.clone();
    for row in pixels.chunks_exact(width) {
        below.fill([0; 3]);
        for (x, &[r, g, b, a]) in row.iter().enumerate() {
            let carried = here[x + 1];
            // What nobody can see neither takes nor gives errors.
            let visible = a != 0;
            let want = |colour: u8, error: i32| {
                if visible { (i32::from(colour) + (error + 8) / 16).clamp(0, 255) as u8 } else { colour }
            };
            let pixel = [want(r, carried[0]), want(g, carried[1]), want(b, carried[2]), a];
            let index = search.nearest(pixel);
            indices.push(index);
            if !visible {
                continue;
            }
            let chosen = colours[usize::from(index)];
            for channel in 0..3 {
                let error = i32::from(pixel[channel]) - i32::from(chosen[channel]);
                here[x + 2][channel] += 7 * error;
                below[x][channel] += 3 * error;
                below[x + 1][channel] += 5 * error;
                below[x + 2][channel] += error;
            }
        }
        std::mem::swap(&mut here, &mut below);
    }
    Indexed::new(indices, colours)
}

/// Nearest colours, remembered for opaque pixels by their upper six bits: the small error that this makes is spread
/// like any other.
struct Search<'a> {
    quantiser: &'a NeuQuant,
    known: Vec<Option<u8>>,
}

impl<'a> Search<'a> {
    fn new(quantiser: &'a NeuQuant) -> Self {
        Self { quantiser, known: vec![None; 1 << 18] }
    }

    fn nearest(&mut self, pixel: [u8; 4]) -> u8 {
        if pixel[3] != 255 {
            return self.quantiser.index_of(&pixel) as u8;
        }
        let [r, g, b, _] = pixel.map(|sample| usize::from(sample >> 2));
        *self.known[r << 12 | g << 6 | b].get_or_insert_with(|| self.quantiser.index_of(&pixel) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_are_kept_exactly() {
        let size = Size::new(16, 16).unwrap();
        let rgba: Vec<u8> = (0..=255_u8).flat_map(|i| [i, 255 - i, 7, if i == 9 { 100 } else { 255 }]).collect();
        let indexed = Indexed::of(&rgba, size);
        for (pixel, &index) in rgba.as_chunks::<4>().0.iter().zip(&indexed.indices) {
            let i = usize::from(index);
            assert_eq!(pixel[..3], indexed.palette[3 * i..][..3]);
            assert_eq!(pixel[3], indexed.alpha[i]);
        }
    }

    #[test]
    fn opaque_pictures_have_no_alpha_table() {
        let indexed = Indexed::of(&[1, 2, 3, 255].repeat(4), Size::new(2, 2).unwrap());
        assert_eq!((indexed.palette, indexed.alpha), (vec![1, 2, 3], vec![]));
    }

    /// A thumbnail's palette is learnt from all of it.
    #[test]
    fn a_small_picture_keeps_its_colours() {
        let (width, height) = (64, 48);
        let rgba: Vec<u8> = (0..width * height)
            .flat_map(|i| [i % width * 255 / width, i / width * 255 / height, i % width * i / width * 255 / 3024])
            .collect::<Vec<u32>>()
            .chunks_exact(3)
            .flat_map(|rgb| [rgb[0] as u8, rgb[1] as u8, rgb[2] as u8, 255])
            .collect();
        let indexed = Indexed::of(&rgba, Size::new(width, height).unwrap());
        let squares = rgba.as_chunks::<4>().0.iter().zip(&indexed.indices).map(|(pixel, &index)| {
            let chosen = &indexed.palette[3 * usize::from(index)..][..3];
            (0..3).map(|i| (f64::from(pixel[i]) - f64::from(chosen[i])).powi(2)).sum::<f64>()
        });
        let psnr = 10.0 * (255.0 * 255.0 * f64::from(width * height * 3) / squares.sum::<f64>()).log10();
        assert!(psnr > 28.0, "{psnr:.1} dB");
    }

    #[test]
    fn many_colours_keep_their_mean() {
        let (width, height) = (96, 64);
        let mut rgba = Vec::new();
        for y in 0..height {
            for x in 0..width {
                rgba.extend([(x * 255 / width) as u8, (y * 255 / height) as u8, (x + y) as u8, 255]);
            }
        }
        let indexed = Indexed::of(&rgba, Size::new(width, height).unwrap());
        assert!(indexed.alpha.is_empty());
        for channel in 0..3 {
            let want: u64 = rgba.iter().skip(channel).step_by(4).map(|&v| u64::from(v)).sum();
            let got: u64 =
                indexed.indices.iter().map(|&i| u64::from(indexed.palette[3 * usize::from(i) + channel])).sum();
            let pixels = u64::from(width * height);
            assert!(want.abs_diff(got) < pixels * 2, "channel {channel}: {} {}", want / pixels, got / pixels);
        }
    }
}
