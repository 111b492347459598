use super::*;
use crate::image::{Orientation, Plane, Planes, Point};
use crate::ops::{Opacity, Placement, Sigma};

const LIMITS: Limits = Limits { binding: 1 << 27, job: 1 << 30 };

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn rgb(width: u32, height: u32) -> Picture {
    ImageBuf::zeroed(size(width, height), PixelFormat::Rgb8).into()
}

fn shrink(width: u32, height: u32) -> Step {
    Step::Resample { to: size(width, height), filter: Filter::Lanczos3 }
}

fn packed(recipe: &Recipe<'_>) -> Packed {
    let Output::Packed(packed) = recipe.output else { panic!("{:?}", recipe.output) };
    packed
}

fn shaders(recipe: &Recipe<'_>) -> Vec<(u32, Shader)> {
    recipe.passes.iter().map(|pass| (pass.stage, pass.shader)).collect()
}

#[test]
fn a_turn_after_a_shrink_costs_no_pass() {
    let (cache, picture) = (TableCache::default(), rgb(400, 301));
    let turn = Step::Orient(Orientation::from_exif(6));
    let recipe = Recipe::new(&picture, &[], (&[turn.clone(), shrink(31, 40)], Form::Packed), &LIMITS, &cache).unwrap();
    assert_eq!(shaders(&recipe), [(0, Shader::SumWords), (1, Shader::StoreBytes)]);
    assert_eq!(packed(&recipe).size, size(31, 40));
    assert_eq!(recipe.slots.last(), Some(&(24 * 4 * 40)));
    let alone = Recipe::new(&picture, &[], (&[turn], Form::Packed), &LIMITS, &cache).unwrap();
    assert_eq!(shaders(&alone), [(0, Shader::Arrange)]);
}

#[test]
fn only_the_window_goes_up() {
    let (cache, picture) = (TableCache::default(), rgb(4000, 3000));
    let window = Rect { left: 1001, top: 500, size: size(200, 100) };
    let recipe =
        Recipe::new(&picture, &[], (&[Step::Crop(window), shrink(50, 25)], Form::Packed), &LIMITS, &cache).unwrap();
    assert_eq!(recipe.staging, 600 * 100);
    // A window alone is no work for a GPU.
    assert!(matches!(
        Recipe::new(&picture, &[], (&[Step::Crop(window)], Form::Packed), &LIMITS, &cache),
        Err(Unfit::Nothing)
    ));
    assert!(matches!(Recipe::new(&picture, &[], (&[], Form::Packed), &LIMITS, &cache), Err(Unfit::Nothing)));
}

#[test]
fn the_planes_of_a_picture_share_a_stage() {
    let plane = |w, h| Plane { size: size(w, h), samples: vec![0; (w * h) as usize] };
    let planes = Planes { size: size(99, 50), luma: plane(99, 50), chroma: Some([plane(50, 25), plane(50, 25)]) };
    let (cache, picture) = (TableCache::default(), Picture::Planes(planes));
    let recipe = Recipe::new(&picture, &[], (&[shrink(10, 5)], Form::Packed), &LIMITS, &cache).unwrap();
    let sum = (0, Shader::SumWords);
    assert_eq!(shaders(&recipe), [sum, sum, sum, (1, Shader::StoreBytes)]);
    // Both chroma planes are summed with the same tables.
    assert_eq!(recipe.tables.len(), 4);
}

#[test]
fn an_overlay_used_twice_goes_up_once() {
    let (cache, picture) = (TableCache::default(), rgb(40, 30));
    let overlays = [ImageBuf::zeroed(size(8, 8), PixelFormat::Rgba8)];
    let lay = |x| Step::Composite { overlay: 0, placement: Placement::At(Point { x, y: 0 }), opacity: Opacity::FULL };
    let recipe = Recipe::new(&picture, &overlays, (&[lay(0), lay(20)], Form::Packed), &LIMITS, &cache).unwrap();
    assert_eq!(recipe.staging, 120 * 30 + 32 * 8);
    assert!(matches!(Recipe::new(&picture, &[], (&[lay(0)], Form::Packed), &LIMITS, &cache), Err(Unfit::Impossible)));
}

#[test]
fn what_is_too_large_for_a_binding_goes_up_in_bands_of_the_same_place() {
    let (cache, picture) = (TableCache::default(), rgb(1000, 1000));
    let limits = Limits { binding: 1 << 20, ..LIMITS };
    let recipe = Recipe::new(&picture, &[], (&[shrink(50, 50)], Form::Packed), &limits, &cache).unwrap();
    let bands = recipe.uploads.len() as u32;
    assert!(bands > 2 && recipe.input <= limits.binding, "{bands}");
    assert!(recipe.uploads.iter().enumerate().all(|(i, up)| (up.stage, up.input) == (i as u32, 0)));
    assert_eq!(recipe.passes.iter().map(|pass| pass.stage).collect::<Vec<_>>(), (0..=bands).collect::<Vec<_>>());
    // Every row of the result is summed once.
    let rows: u32 = recipe.passes[..bands as usize]
        .iter()
        .map(|pass| bytemuck::cast::<_, super::super::uniforms::Sum>(pass.params).height)
        .sum();
    assert_eq!(rows, 50);
    // Neighbouring bands share the rows around their border, and no more.
    // (Lanczos reaches 60 rows to either side of an edge.)
    assert!(recipe.staging > 3_000_000 && recipe.staging <= 3_000_000 + u64::from(bands - 1) * 121 * 3000);
    let blur = [Step::Blur(Sigma::new(2.0).unwrap())];
    assert!(matches!(Recipe::new(&picture, &[], (&blur, Form::Packed), &limits, &cache), Err(Unfit::TooLarge)));
    let limits = Limits { job: 3_000_000, ..limits };
    assert!(matches!(
        Recipe::new(&picture, &[], (&[shrink(50, 50)], Form::Packed), &limits, &cache),
        Err(Unfit::TooLarge)
    ));
}

#[test]
fn a_smart_crop_is_left_to_the_cpu() {
    let (cache, picture) = (TableCache::default(), rgb(100, 100));
    let steps = [Step::SmartCrop { to: size(10, 10) }];
    assert!(matches!(Recipe::new(&picture, &[], (&steps, Form::Packed), &LIMITS, &cache), Err(Unfit::Step)));
}

#[test]
fn planes_that_stay_planes_are_stored_apart_and_chroma_coarse() {
    let plane = |w, h| Plane { size: size(w, h), samples: vec![0; (w * h) as usize] };
    let planes = Planes { size: size(99, 50), luma: plane(99, 50), chroma: Some([plane(50, 25), plane(50, 25)]) };
    let (cache, picture) = (TableCache::default(), Picture::Planes(planes));
    let form = Form::Planes { across: 2, down: 2 };
    let recipe = Recipe::new(&picture, &[], (&[shrink(11, 5)], form), &LIMITS, &cache).unwrap();
    let (sum, store) = ((0, Shader::SumWords), (1, Shader::StoreBytes));
    assert_eq!(shaders(&recipe), [sum, sum, sum, store, store, store]);
    let Output::Planes { planes: [luma, cb, cr], .. } = recipe.output else { panic!("packed") };
    assert_eq!((luma.size, cb.size, cr.size), (size(11, 5), size(6, 3), size(6, 3)));
    // 12 bytes a row of luma, 8 of chroma.
    assert_eq!(recipe.slots.last(), Some(&(12 * 5 + 2 * 8 * 3)));
    // Steps that need colour are done in colour.
    let gray = Recipe::new(&picture, &[], (&[shrink(11, 5), Step::Gray], form), &LIMITS, &cache).unwrap();
    assert_eq!(packed(&gray).format, PixelFormat::Gray8);
}
