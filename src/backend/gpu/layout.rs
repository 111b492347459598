//! Programs → one batch: where each program's memory lies in the batch's, which passes are dispatched together, and all
//! of their parameters as one run of words. Needs no device.

use std::sync::Arc;

use super::recipe::{Place, Pointer};
use super::shaders::Shader;
use super::staging::{ALIGNMENT, Program};
use super::tables::Table;
use super::uniforms::{Dispatch, Header, WORDS};

/// One dispatch: the passes of a stage that run the same shader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) stage: u32,
    pub(super) shader: Shader,
    pub(super) from_input: bool,
    pub(super) workgroups: [u32; 2],
}

/// Where a program's memory begins, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) input: u64,
    /// Its result; results lie one after the other, from 0 on.
    pub(super) output: u64,
    /// Everything else.
    work: u64,
}

/// A batch, laid out. Used again for the next, so that nothing is allocated.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) calls: Vec<Call>,
    /// [`ALIGNMENT`] bytes for each call, then the parameters of all passes.
    pub(super) meta: Vec<u32>,
    pub(super) bases: Vec<Base>,
    /// Bytes of the input, of all results, and of all work memory, which begins with these.
    pub(super) input: u64,
    pub(super) outputs: u64,
    pub(super) work: u64,
    order: Vec<(u32, Shader, bool, usize, usize)>,
}

/// Words that a call's `Dispatch` takes.
const CALL: usize = ALIGNMENT as usize / 4;

impl Layout {
    /// Byte of `meta` at which the parameters begin.
    pub(super) fn params_at(&self) -> u64 {
        4 * (CALL * self.calls.len()) as u64
    }

    /// Lays out a batch. `across`: most workgroups of a dimension. `table`: where a table lies, in words.
    pub(super) fn lay_out(&mut self, programs: &[&Program], across: u32, table: impl Fn(&Arc<Table>) -> u32) {
        self.place(programs);
        self.order.clear();
        for (p, program) in programs.iter().enumerate() {
            self.order.extend(
                program
                    .passes
                    .iter()
                    .enumerate()
                    .map(|(i, pass)| (pass.stage, pass.shader, matches!(pass.src, Place::Input(_)), p, i)),
            );
        }
        self.order.sort_unstable();
        self.calls.clear();
        let same = |a: &(u32, Shader, bool, usize, usize), b: &(u32, Shader, bool, usize, usize)| {
            (a.0, a.1, a.2) == (b.0, b.1, b.2)
        };
        let count = self.order.chunk_by(same).count();
        self.meta.clear();
        self.meta.resize(CALL * count + WORDS * self.order.len(), 0);
        let (calls, params) = self.meta.split_at_mut(CALL * count);
        let mut params = params.chunks_exact_mut(WORDS);
        let mut first = 0;
        for (passes, call) in self.order.chunk_by(same).zip(calls.chunks_exact_mut(CALL)) {
            let mut group: u32 = 0;
            for (&(.., p, i), job) in passes.iter().zip(&mut params) {
                let (program, pass) = (programs[p], &programs[p].passes[i]);
                let word = |place: Place| match place {
                    Place::Input(at) => at.wrapping_add((self.bases[p].input / 4) as u32),
                    Place::Work(slot, at) => at.wrapping_add((slot_at(program, &self.bases[p], slot) / 4) as u32),
                };
                let header = Header {
                    group,
                    tiles: pass.tiles,
                    src: word(pass.src),
                    dst: word(pass.dst),
                    places: pass.places.map(|pointer| match pointer {
                        Pointer::Nowhere => 0,
                        Pointer::Table(i) => table(&program.tables[i]),
                        Pointer::Input(at) => word(Place::Input(at)),
                    }),
                };
                job.copy_from_slice(&pass.params);
                let header: [u32; 8] = bytemuck::cast(header);
                job[..header.len()].copy_from_slice(&header);
                group += pass.groups;
            }
            let x = group.clamp(1, across.max(1));
            let dispatch = Dispatch { first, count: passes.len() as u32, across: x, reserved: 0 };
            let dispatch: [u32; 4] = bytemuck::cast(dispatch);
            call[..dispatch.len()].copy_from_slice(&dispatch);
            first += passes.len() as u32;
            let (stage, shader, from_input, ..) = passes[0];
            self.calls.push(Call { stage, shader, from_input, workgroups: [x, group.div_ceil(x)] });
        }
    }

    fn place(&mut self, programs: &[&Program]) {
        self.bases.clear();
        let [mut input, mut output] = [0, 0];
        for program in programs {
            self.bases.push(Base { input, output, work: 0 });
            input += program.input.next_multiple_of(ALIGNMENT);
            output += program.bytes_down().next_multiple_of(ALIGNMENT);
        }
        let mut work = output;
        for (program, base) in programs.iter().zip(&mut self.bases) {
            base.work = work;
            let [_, all] = program.memory();
            work += all - program.bytes_down().next_multiple_of(ALIGNMENT);
        }
        (self.input, self.outputs, self.work) = (input, output, work);
    }
}

/// The first byte of a program's slot.
fn slot_at(program: &Program, base: &Base, slot: usize) -> u64 {
    let output = program.output_slot();
    if output == Some(slot) {
        return base.output;
    }
    let before = program.slots.iter().enumerate().take(slot).filter(|(i, _)| output != Some(*i));
    base.work + before.map(|(_, bytes)| bytes.next_multiple_of(ALIGNMENT)).sum::<u64>()
}
