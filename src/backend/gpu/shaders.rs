//! The WGSL modules, joined from files, and the entry points in them.

/// Joins files of `shaders/` into one module; a mark tells where each begins.
macro_rules! wgsl {
    ($($file:literal),+) => {
        concat!($("// file: ", $file, "\n", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file)), "\n"),+)
    };
}

const SUM: &str = wgsl!("lib/batch.wgsl", "sum.wgsl");
const STORE: &str = wgsl!("lib/batch.wgsl", "lib/words.wgsl", "store.wgsl");
const RESAMPLE_COEFFICIENTS: &str = wgsl!("lib/batch.wgsl", "resample_coefficients.wgsl");
const ARRANGE: &str = wgsl!("lib/batch.wgsl", "lib/words.wgsl", "arrange.wgsl");
const COLOUR: &str = wgsl!("lib/batch.wgsl", "lib/words.wgsl", "colour.wgsl");
const COMPOSITE: &str = wgsl!("lib/batch.wgsl", "lib/words.wgsl", "composite.wgsl");

/// Invocations of a workgroup: neighbours in a row read neighbouring words, rows share the source rows that they read.
const GROUP: [u32; 2] = [32, 8];

/// An entry point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shader {
    SumWords,
    SumFloats,
    StoreBytes,
    BlocksDown,
    BlocksAcross,
    Arrange,
    Recolour,
    Composite,
}

impl Shader {
    pub(super) const ALL: [Self; 8] = [
        Self::SumWords,
        Self::SumFloats,
        Self::StoreBytes,
        Self::BlocksDown,
        Self::BlocksAcross,
        Self::Arrange,
        Self::Recolour,
        Self::Composite,
    ];

    /// The module.
    pub(super) const fn source(self) -> &'static str {
        match self {
            Self::SumWords | Self::SumFloats => SUM,
            Self::StoreBytes => STORE,
            Self::BlocksDown | Self::BlocksAcross => RESAMPLE_COEFFICIENTS,
            Self::Arrange => ARRANGE,
            Self::Recolour => COLOUR,
            Self::Composite => COMPOSITE,
        }
    }

    /// The function in it.
    pub(super) const fn entry(self) -> &'static str {
        match self {
            Self::SumWords => "sum_words",
            Self::SumFloats => "sum_floats",
            Self::StoreBytes => "store_bytes",
            Self::BlocksDown => "blocks_down",
            Self::BlocksAcross => "blocks_across",
            Self::Arrange => "arrange",
            Self::Recolour => "recolour",
            Self::Composite => "composite",
        }
    }

    /// Values of the module's overrides.
    pub(super) const fn constants(from_input: bool) -> &'static [(&'static str, f64)] {
        const ACROSS: (&str, f64) = ("WG_X", GROUP[0] as f64);
        const DOWN: (&str, f64) = ("WG_Y", GROUP[1] as f64);
        if from_input { &[ACROSS, DOWN, ("FROM_INPUT", 1.0)] } else { &[ACROSS, DOWN, ("FROM_INPUT", 0.0)] }
    }
}

/// Workgroups for so many threads: in a row, and in all.
pub(super) fn workgroups(across: u32, down: u32) -> (u32, u64) {
    let tiles = across.div_ceil(GROUP[0]);
    (tiles, u64::from(tiles) * u64::from(down.div_ceil(GROUP[1])))
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

    /// Name and offset of the members of a struct, and its size.
    fn members(module: &naga::Module, name: &str) -> (Vec<(String, u32)>, u32) {
        let (_, ty) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name)).unwrap();
        let naga::TypeInner::Struct { members, span } = &ty.inner else { panic!("{name} is no struct") };
        (members.iter().map(|m| (m.name.clone().unwrap(), m.offset)).collect(), *span)
    }

    macro_rules! twin {
        ($ty:ty: $($field:ident),+ $(,)?) => {{
            let header = offset_of!($ty, header);
            let mut fields = ["group", "tiles", "src", "dst", "places"].map(str::to_owned).into_iter()
                .zip([
                    offset_of!(Header, group), offset_of!(Header, tiles), offset_of!(Header, src),
                    offset_of!(Header, dst), offset_of!(Header, places),
                ].map(|at| (header + at) as u32))
                .collect::<Vec<_>>();
            fields.extend([$((stringify!($field).to_owned(), offset_of!($ty, $field) as u32)),+]);
            (fields, size_of::<$ty>() as u32)
        }};
    }

    #[test]
    fn every_module_is_valid_and_its_entry_points_are_those_listed() {
        for source in [SUM, STORE, RESAMPLE_COEFFICIENTS, ARRANGE, COLOUR, COMPOSITE] {
            let module = parsed(source);
            let listed: BTreeSet<_> =
                Shader::ALL.into_iter().filter(|s| s.source() == source).map(|s| s.entry().to_owned()).collect();
            assert_eq!(module.entry_points.iter().map(|e| e.name.clone()).collect::<BTreeSet<_>>(), listed);
            let overrides: BTreeSet<_> = module.overrides.iter().filter_map(|(_, o)| o.name.clone()).collect();
            for from_input in [false, true] {
                let given: BTreeSet<_> =
                    Shader::constants(from_input).iter().map(|(name, _)| (*name).to_owned()).collect();
                assert_eq!(given, overrides);
            }
        }
    }

    #[test]
    fn the_drill_is_valid() {
        let module = parsed(super::super::drill::SOURCE);
        assert_eq!(module.entry_points.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["turn"]);
    }

    #[test]
    fn params_lie_in_the_shaders_as_in_rust_and_fill_a_job() {
        use uniforms::{Arrange, Blocks, Colour, Composite, Header, Store, Sum, WORDS};
        let twins = [
            (SUM, twin!(Sum: width, height, src_pitch, dst_pitch, first_row, alpha, axis, channels, reserved)),
            (
                STORE,
                twin!(Store: at, pitch, step, width, height, dst_pitch, channels, flags, origin_x, origin_y, xx, xy,
                    yx, yy, reserved),
            ),
            (
                RESAMPLE_COEFFICIENTS,
                twin!(Blocks: width, height, blocks, frequencies, count, plane, skip, reserved_0, reserved_1),
            ),
            (
                ARRANGE,
                twin!(Arrange: fill, width, height, dst_pitch, channels, src_width, src_height, src_pitch,
                    src_channels, origin_x, origin_y, xx, xy, yx, yy, factor, border, reserved),
            ),
            (
                COLOUR,
                twin!(Colour: over, width, height, dst_pitch, channels, src_pitch, src_channels, operation, reserved_0,
                    reserved_1),
            ),
            (
                COMPOSITE,
                twin!(Composite: width, height, dst_pitch, channels, src_pitch, src_channels, over_width, over_height,
                    over_pitch, over_channels, left, top, tiled, reserved_0, reserved_1, reserved_2, reserved_3),
            ),
        ];
        for (source, twin) in twins {
            assert_eq!(twin.1 as usize, 4 * WORDS);
            assert_eq!(members(&parsed(source), "Params"), twin);
        }
        let dispatch = members(&parsed(SUM), "Dispatch");
        use uniforms::Dispatch;
        let at = [offset_of!(Dispatch, first), offset_of!(Dispatch, count), offset_of!(Dispatch, across)];
        assert_eq!(dispatch.0[..3].iter().map(|(_, at)| *at as usize).collect::<Vec<_>>(), at);
        assert_eq!(dispatch.1 as usize, size_of::<Dispatch>());
    }

    #[test]
    fn every_place_has_a_thread() {
        for (across, down) in [(1, 1), (32, 8), (33, 8), (32, 9), (1000, 700)] {
            let (tiles, all) = workgroups(across, down);
            assert!(tiles * GROUP[0] >= across && (tiles - 1) * GROUP[0] < across);
            let rows = all / u64::from(tiles) * u64::from(GROUP[1]);
            assert!(rows >= u64::from(down) && rows < u64::from(down + GROUP[1]));
        }
    }
}
