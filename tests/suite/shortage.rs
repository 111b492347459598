//! A GPU whose memory budget is used up by others: jobs are given back, and nothing that a job left behind spoils the next.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use phasor::backend::gpu::{Answer, Source, Staged, Wanted};
use phasor::backend::{Backend as _, BackendError, CpuBackend, GpuBackend, NeverCancelled};
use phasor::budget::{Charge, MemoryBudget};
use phasor::image::{Form, ImageBuf, Picture, PixelFormat, Size};
use phasor::ops::{Filter, Step};

use crate::parity::compare::difference;

/// Any adapter, charged to this budget.
fn open(budget: &MemoryBudget) -> Option<GpuBackend> {
    let wanted = Wanted { software: true, budget: Some(budget.clone()), ..Wanted::default() };
    let opened = GpuBackend::open_all(&wanted).into_iter().next();
    if opened.is_none() {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "REQUIRE_GPU=1, and there is no adapter");
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
    }
    opened
}

fn picture() -> Picture {
    let size = Size::new(300, 200).unwrap();
    let samples = (0..300 * 200 * 3_u32).map(|i| (i * 7 / 11 + i / 900) as u8).collect();
    Picture::from(ImageBuf::new(size, PixelFormat::Rgb8, samples).unwrap())
}

fn shrink(width: u32) -> [Step; 1] {
    [Step::Resample { to: Size::new(width, 60).unwrap(), filter: Filter::Lanczos3 }]
}

fn stage(gpu: &GpuBackend, picture: &Picture, steps: &[Step]) -> Staged {
    gpu.prepare(Source::Here(picture), &[], (steps, Form::Packed)).unwrap().stage().unwrap()
}

fn submitted(gpu: &GpuBackend, staged: Staged) -> Result<Picture, BackendError> {
    let (told, heard) = mpsc::channel();
    gpu.submit(staged, move |answer| drop(told.send(answer)));
    heard.recv().unwrap().and_then(Answer::picture).map(|made| made.picture)
}

fn packed(picture: Picture) -> ImageBuf {
    let Picture::Packed(buf) = picture else { panic!("planes") };
    buf
}

/// Everything that the budget has, for a while in which nothing comes back any more.
fn fill(budget: &MemoryBudget) -> Vec<Charge> {
    let mut held = Vec::new();
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(500) {
        for bytes in [1 << 20, 4096, 64, 1] {
            while let Some(charge) = budget.try_charge(bytes) {
                held.push(charge);
                last = Instant::now();
            }
        }
        budget.report_shortage();
        std::thread::sleep(Duration::from_millis(5));
    }
    held
}

#[test]
fn a_table_of_a_job_that_got_no_memory_is_there_for_the_next() {
    let budget = MemoryBudget::new(256 << 20);
    let Some(gpu) = open(&budget) else { return };
    let picture = picture();
    // There is a place for tables before memory is short.
    submitted(&gpu, stage(&gpu, &picture, &shrink(50))).unwrap();
    let mut refused = 0;
    for width in 70.. {
        assert!(width < 100, "it does not run out of memory");
        let steps = shrink(width);
        let staged = stage(&gpu, &picture, &steps);
        let held = fill(&budget);
        match submitted(&gpu, staged) {
            Err(BackendError::OutOfMemory) => refused += 1,
            // On a busy machine something comes back late: that was none.
            Ok(_) => continue,
            Err(error) => panic!("{error}"),
        }
        drop(held);
        let made = submitted(&gpu, stage(&gpu, &picture, &steps)).unwrap();
        let expected = CpuBackend.run(picture.clone(), &[], &steps, &NeverCancelled).unwrap();
        let apart = difference(&expected, &packed(made));
        assert!(apart.max <= 1, "{width}: {apart:?}");
        if refused == 3 {
            break;
        }
    }
    let stats = gpu.stats();
    assert_eq!((stats.losses, stats.alive), (0, true));
}

#[test]
fn a_batch_that_finds_no_memory_is_done_in_parts() {
    let budget = MemoryBudget::new(256 << 20);
    let Some(gpu) = open(&budget) else { return };
    let picture = picture();
    let steps = shrink(80);
    submitted(&gpu, stage(&gpu, &picture, &steps)).unwrap();
    let staged: Vec<Staged> = (0..64).map(|_| stage(&gpu, &picture, &steps)).collect();
    let mut held = fill(&budget);
    // For some of them at once.
    held.sort_by_key(Charge::bytes);
    held.truncate(held.len() - 3);
    let (told, heard) = mpsc::channel();
    for (number, staged) in staged.into_iter().enumerate() {
        let told = told.clone();
        gpu.submit(staged, move |answer| drop(told.send((number, answer))));
    }
    drop(told);
    let expected = CpuBackend.run(picture.clone(), &[], &steps, &NeverCancelled).unwrap();
    let mut numbers = Vec::new();
    while let Ok((number, answer)) = heard.recv() {
        let made = answer.and_then(Answer::picture).unwrap_or_else(|error| panic!("{number}: {error}"));
        assert!(difference(&expected, &packed(made.picture)).max <= 1);
        numbers.push(number);
    }
    // Nobody is told twice or not at all, and nobody overtakes.
    assert_eq!(numbers, (0..64).collect::<Vec<_>>());
    // One for whom there is none is told so, unless something comes back just then.
    let alone = stage(&gpu, &picture, &shrink(81));
    held.extend(fill(&budget));
    let answer = submitted(&gpu, alone);
    assert!(matches!(answer, Ok(_) | Err(BackendError::OutOfMemory)), "{answer:?}");
    assert_eq!(gpu.stats().losses, 0);
}

/// Each picture brings tables of eight megabytes that no other has: all together are more than shaders see at once.
#[test]
fn tables_that_are_more_than_a_binding_holds_go_up_in_several_batches() {
    let Some(gpu) = open(&MemoryBudget::new(4 << 30)) else { return };
    let long = 20_000;
    let samples = (0..long).map(|i| (i * i / 977) as u8).collect();
    let thin = Picture::from(ImageBuf::new(Size::new(long, 1).unwrap(), PixelFormat::Gray8, samples).unwrap());
    let steps = |number: u32| {
        let to = |step| Size::new(long - 1 - 10 * number - step, 1).unwrap();
        (0..10).map(|step| Step::Resample { to: to(step), filter: Filter::Lanczos3 }).collect::<Vec<_>>()
    };
    let plans: Vec<_> = (0..40).map(steps).collect();
    let staged: Vec<_> = plans.iter().map(|steps| stage(&gpu, &thin, steps)).collect();
    let before = gpu.stats();
    let (told, heard) = mpsc::channel();
    for (number, staged) in staged.into_iter().enumerate() {
        let told = told.clone();
        gpu.submit(staged, move |answer| drop(told.send((number, answer))));
    }
    drop(told);
    while let Ok((number, answer)) = heard.recv() {
        let made = answer.and_then(Answer::picture).unwrap_or_else(|error| panic!("{number}: {error}"));
        // The CPU takes long for its tables, too.
        if number % 3 != 2 {
            continue;
        }
        let expected = CpuBackend.run(thin.clone(), &[], &plans[number], &NeverCancelled).unwrap();
        // Ten steps, each rounded.
        let apart = difference(&expected, &packed(made.picture));
        assert!(apart.max <= 4, "{number}: {apart:?}");
    }
    let up = gpu.stats().bytes_up - before.bytes_up;
    assert!(up > 200_000_000, "{up} bytes are not much");
}
