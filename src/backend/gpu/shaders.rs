//! The WGSL modules, joined from files, and the entry points in them.

/// Joins files of `shaders/` into one module; a mark tells where each begins.
macro_rules! wgsl {
    ($($file:literal),+) => {
        concat!($("// file: ", $file, "\n", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file)), "\n"),+)
    };
}

const RESAMPLE: &str = wgsl!("lib/bytes.wgsl", "lib/words.wgsl", "resample.wgsl");
const RESAMPLE_COEFFICIENTS: &str = wgsl!("resample_coefficients.wgsl");
const ORIENT: &str = wgsl!("lib/bytes.wgsl", "lib/words.wgsl", "orient.wgsl");
const COLOUR: &str = wgsl!("lib/bytes.wgsl", "lib/words.wgsl", "colour.wgsl");

/// Invocations of a workgroup, across and down, where a thread makes a pixel.
const PIXELS: [u32; 2] = [16, 16];
/// Invocations of a workgroup where a thread makes a word.
const WORDS: u32 = 64;
/// `WORDS_ACROSS` of `lib/words.wgsl`.
const WORDS_ACROSS: u32 = 4096;

/// An entry point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shader {
    SumBytes,
    SumFloats,
    StoreBytes,
    BlocksDown,
    BlocksAcross,
    MovePixels,
    Recolour,
}

impl Shader {
    pub(super) const ALL: [Self; 7] = [
        Self::SumBytes,
        Self::SumFloats,
        Self::StoreBytes,
        Self::BlocksDown,
        Self::BlocksAcross,
        Self::MovePixels,
        Self::Recolour,
    ];

    /// The module.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::SumBytes | Self::SumFloats | Self::StoreBytes => RESAMPLE,
            Self::BlocksDown | Self::BlocksAcross => RESAMPLE_COEFFICIENTS,
            Self::MovePixels => ORIENT,
            Self::Recolour => COLOUR,
        }
    }

    /// The function in it.
    pub(super) const fn entry(self) -> &'static str {
        match self {
            Self::SumBytes => "sum_bytes",
            Self::SumFloats => "sum_floats",
            Self::StoreBytes => "store_bytes",
            Self::BlocksDown => "blocks_down",
            Self::BlocksAcross => "blocks_across",
            Self::MovePixels => "move_pixels",
            Self::Recolour => "recolour",
        }
    }

    /// Whether a thread makes a word of bytes (otherwise a pixel of floats).
    const fn makes_words(self) -> bool {
        matches!(self, Self::StoreBytes | Self::MovePixels | Self::Recolour)
    }

    /// Values of the module's overrides.
    pub(super) const fn constants(self) -> &'static [(&'static str, f64)] {
        const ACROSS: (&str, f64) = ("WG_X", PIXELS[0] as f64);
        const DOWN: (&str, f64) = ("WG_Y", PIXELS[1] as f64);
        const BYTES: (&str, f64) = ("WG_WORDS", WORDS as f64);
        match self {
            Self::SumBytes | Self::SumFloats | Self::StoreBytes => &[ACROSS, DOWN, BYTES],
            Self::BlocksDown | Self::BlocksAcross => &[ACROSS, DOWN],
            Self::MovePixels | Self::Recolour => &[BYTES],
        }
    }

    /// Workgroups for a result of `width` × `height` pixels (values, for coefficients) of `channels` samples.
    pub(super) fn workgroups(self, width: u32, height: u32, channels: u32) -> [u64; 2] {
        let (width, height) = (u64::from(width), u64::from(height));
        if self.makes_words() {
            let words = (width * height * u64::from(channels)).div_ceil(4);
            let across = words.min(u64::from(WORDS_ACROSS)).div_ceil(u64::from(WORDS));
            [across, words.div_ceil(u64::from(WORDS_ACROSS))]
        } else {
            [width.div_ceil(u64::from(PIXELS[0])), height.div_ceil(u64::from(PIXELS[1]))]
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::mem::{offset_of, size_of};

    use wgpu::naga;
    use wgpu::naga::valid::{Capabilities, ValidationFlags, Validator};

    use super::super::uniforms;
    use super::*;

    fn parsed(source: &str) -> naga::Module {
        let module = naga::front::wgsl::parse_str(source).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
        let mut validator = Validator::new(ValidationFlags::all(), Capabilities::empty());
        validator.validate(&module).unwrap_or_else(|e| panic!("{}", e.emit_to_string(source)));
        module
    }

    /// Name and offset of the members of `Params`, and its size.
    fn params(module: &naga::Module) -> (Vec<(String, u32)>, u32) {
        let (_, ty) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some("Params")).unwrap();
        let naga::TypeInner::Struct { members, span } = &ty.inner else { panic!("Params is no struct") };
        (members.iter().map(|m| (m.name.clone().unwrap(), m.offset)).collect(), *span)
    }

    macro_rules! twin {
        ($ty:ty: $($field:ident),+ $(,)?) => {
            (vec![$((stringify!($field).to_owned(), offset_of!($ty, $field) as u32)),+], size_of::<$ty>() as u32)
        };
    }

    #[test]
    fn every_module_is_valid_and_its_entry_points_are_those_listed() {
        for source in [RESAMPLE, RESAMPLE_COEFFICIENTS, ORIENT, COLOUR] {
            let module = parsed(source);
            let listed: BTreeSet<_> =
                Shader::ALL.into_iter().filter(|s| s.source() == source).map(|s| s.entry().to_owned()).collect();
            assert_eq!(module.entry_points.iter().map(|e| e.name.clone()).collect::<BTreeSet<_>>(), listed);
            let overrides: BTreeSet<_> = module.overrides.iter().filter_map(|(_, o)| o.name.clone()).collect();
            for shader in Shader::ALL.into_iter().filter(|s| s.source() == source) {
                let given: BTreeSet<_> = shader.constants().iter().map(|(name, _)| (*name).to_owned()).collect();
                assert_eq!(given, overrides, "{shader:?}");
            }
        }
    }

    #[test]
    fn params_lie_in_the_shaders_as_in_rust() {
        use uniforms::{Blocks, Colour, Move, Resample};
        let resample = twin!(Resample: width, height, channels, axis, alpha, colour, dst_at, reserved, lanes);
        assert_eq!(params(&parsed(RESAMPLE)), resample);
        let blocks = twin!(Blocks: width, height, blocks, frequencies, count, plane, src_at, dst_at, table, order,
            reserved_0, reserved_1);
        assert_eq!(params(&parsed(RESAMPLE_COEFFICIENTS)), blocks);
        let moves = twin!(Move: width, height, channels, origin, right, down, reserved_0, reserved_1);
        assert_eq!(params(&parsed(ORIENT)), moves);
        let colour = twin!(Colour: pixels, src_channels, channels, operation, over);
        assert_eq!(params(&parsed(COLOUR)), colour);
    }

    #[test]
    fn rows_of_words_are_as_long_as_the_shaders_say() {
        assert!(RESAMPLE.contains(&format!("WORDS_ACROSS: u32 = {WORDS_ACROSS}u")));
        // Every word has a thread: rows of a dispatch are whole unless there is one alone.
        for (width, height, channels) in [(1, 1, 1), (5, 3, 3), (4096, 4, 1), (4097, 4, 4), (9000, 7000, 4)] {
            let [x, y] = Shader::StoreBytes.workgroups(width, height, channels);
            let threads = if y == 1 { x * u64::from(WORDS) } else { y * u64::from(WORDS_ACROSS) };
            assert!(threads >= (u64::from(width) * u64::from(height) * u64::from(channels)).div_ceil(4));
            assert!(y == 1 || x * u64::from(WORDS) == u64::from(WORDS_ACROSS));
        }
    }
}
