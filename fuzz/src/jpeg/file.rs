//! Whole files.

use super::code::{self, Table, Token};
use super::draw::Draw;
use super::progression::{self, Bands, Scan};

/// Which kind of file is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Baseline or extended.
    Sequential,
    /// Progressive.
    Progressive,
}

/// A file.
pub struct Built {
    /// The file.
    pub bytes: Vec<u8>,
    /// Where its scans are sound: the coefficients of each component that they code, in rows of blocks of whole MCUs,
    /// zigzag.
    pub written: Option<Vec<Vec<[i16; 64]>>>,
    /// Whether there are no other markers in the data of scans than those of restarts.
    pub tidy: bool,
}

/// One component of the frame.
struct Component {
    id: u8,
    /// As the file has it.
    sampling: (usize, usize),
    /// As it counts: a single component is never interleaved.
    h: usize,
    v: usize,
    /// Numbers of its tables.
    quantisation: u8,
    huffman: (u8, u8),
    /// Blocks of whole MCUs across, and those that a scan of it alone codes.
    across: usize,
    own: (usize, usize),
}

struct Frame {
    size: (usize, usize),
    components: Vec<Component>,
    mcus: (usize, usize),
}

/// The most pixels that a file has a side.
const SIDE: usize = 64;

/// Builds a file from a fuzzer's bytes.
pub fn build(form: Form, draw: &mut Draw<'_>) -> Built {
    let frame = Frame::drawn(draw);
    let mut scans = match form {
        Form::Sequential => in_turn(draw, &frame),
        Form::Progressive => progression::drawn(draw, frame.components.len(), frame.blocks() <= 10),
    };
    let sound = !draw.once_in(2);
    if form == Form::Progressive && !sound && draw.once_in(2) {
        scans = odd(draw, &frame);
    }
    let lines_follow = draw.once_in(16);
    let mut out = vec![0xFF, 0xD8];
    header(draw, &frame, form, lines_follow, &mut out);
    let mut source = sound.then(|| frame.components.iter().map(|c| blocks(draw, c, frame.mcus.1)).collect::<Vec<_>>());
    let mut written = source.as_ref().map(|source| source.iter().map(|c| vec![[0; 64]; c.len()]).collect::<Vec<_>>());
    let mut interval = 0;
    let mut tidy = true;
    for (i, scan) in scans.iter().enumerate() {
        if draw.once_in(4) {
            interval = draw.below(9);
            segment(0xDD, &[0, interval as u8], &mut out);
        }
        match (&mut source, &mut written) {
            (Some(source), Some(written)) => {
                let intervals = frame.tokens(form, scan, interval, source, written);
                sound_scan(draw, &frame, form, scan, &intervals, &mut out);
            }
            _ => tidy &= raw_scan(draw, &frame, scan, interval, &mut out),
        }
        if i == 0 && lines_follow {
            segment(0xDC, &(frame.size.1 as u16).to_be_bytes(), &mut out);
        }
    }
    if !draw.once_in(16) {
        out.extend([0xFF, 0xD9]);
    }
    // Some damage behind the header.
    if !sound && draw.once_in(4) {
        tidy = false;
        for _ in 0..=draw.below(4) {
            let at = out.len() - 1 - draw.below(out.len().min(512) - 1);
            out[at] = draw.byte();
        }
    }
    Built { bytes: out, written, tidy }
}

impl Frame {
    fn drawn(draw: &mut Draw<'_>) -> Self {
        let side = |draw: &mut Draw<'_>| 1 + draw.of(&[8, 20, 40, SIDE]).min(draw.below(SIDE));
        let size = (side(draw), side(draw));
        let count = draw.of(&[1, 1, 3, 3, 3, 4]);
        let plain = draw.once_in(2);
        let names = draw.of(&[*b"\x01\x02\x03\x04", *b"\0\x01\x02\x03", *b"RGBA", [1, 34, 35, 200]]);
        let samplings: Vec<(usize, usize)> = (0..count)
            .map(|i| {
                let factor = |draw: &mut Draw<'_>| draw.of(&[1, 1, 2, 2, 3, 4]);
                if !plain {
                    (factor(draw), factor(draw))
                } else if i == 0 {
                    draw.of(&[(1, 1), (2, 1), (2, 2), (1, 2)])
                } else {
                    (1, 1)
                }
            })
            .collect();
        let most = |of: fn(&(usize, usize)) -> usize| match count {
            1 => 1,
            _ => samplings.iter().map(of).max().unwrap_or(1),
        };
        let (h_most, v_most) = (most(|s| s.0), most(|s| s.1));
        let mcus = (size.0.div_ceil(8 * h_most), size.1.div_ceil(8 * v_most));
        let components = samplings.iter().zip(names).map(|(&sampling, id)| {
            let (h, v) = if count == 1 { (1, 1) } else { sampling };
            let own = |side: usize, factor: usize, most: usize| (side * factor).div_ceil(most).div_ceil(8);
            Component {
                id,
                sampling,
                h,
                v,
                quantisation: draw.below(4) as u8,
                huffman: (draw.below(4) as u8, draw.below(4) as u8),
                across: mcus.0 * h,
                own: (own(size.0, h, h_most), own(size.1, v, v_most)),
            }
        });
        let components = components.collect();
        Self { size, components, mcus }
    }

    /// Blocks of an MCU of all components.
    fn blocks(&self) -> usize {
        self.components.iter().map(|c| c.h * c.v).sum()
    }

    /// The tokens of each restart interval of a scan. What it codes is taken note of.
    fn tokens(
        &self,
        form: Form,
        scan: &Scan,
        interval: usize,
        source: &[Vec<[i16; 64]>],
        written: &mut [Vec<[i16; 64]>],
    ) -> Vec<Vec<Token>> {
        let alone = scan.components.len() == 1;
        let (across, down) = if alone { self.components[scan.components[0]].own } else { self.mcus };
        let interval = if interval == 0 { across * down } else { interval };
        let mut all = Vec::new();
        for first in (0..across * down).step_by(interval) {
            let mut tokens = Vec::new();
            let mut before = [0_i16; 4];
            let mut bands = Bands::default();
            for mcu in first..(across * down).min(first + interval) {
                let (x, y) = (mcu % across, mcu / across);
                for &i in &scan.components {
                    let c = &self.components[i];
                    let (h, v) = if alone { (1, 1) } else { (c.h, c.v) };
                    for at in (0..v).flat_map(|by| (0..h).map(move |bx| (y * v + by) * c.across + x * h + bx)) {
                        let (block, (dc, ac)) = (&source[i][at], (c.huffman.0, 4 + c.huffman.1));
                        match (form, scan.first) {
                            (Form::Sequential, _) => {
                                code::sequential(block, before[i], (dc, ac), &mut tokens);
                                before[i] = block[0];
                            }
                            (Form::Progressive, 0) => {
                                progression::mean(scan, block[0], &mut before[i], dc, &mut tokens);
                            }
                            (Form::Progressive, _) => bands.block(scan, block, ac, &mut tokens),
                        }
                        for k in usize::from(scan.first)..=scan.last.into() {
                            written[i][at][k] = match k {
                                0 => block[0] >> scan.low << scan.low,
                                k => block[k].signum() * (block[k].abs() >> scan.low << scan.low),
                            };
                        }
                    }
                }
            }
            if form == Form::Progressive && scan.first > 0 {
                bands.end(4 + self.components[scan.components[0]].huffman.1, &mut tokens);
            }
            all.push(tokens);
        }
        all
    }
}

/// The scans of a sequential file: all components in one, or some in each.
fn in_turn(draw: &mut Draw<'_>, frame: &Frame) -> Vec<Scan> {
    let count = frame.components.len();
    let scan = |components: Vec<usize>| Scan { components, first: 0, last: 63, high: 0, low: 0 };
    let fits =
        |parts: &[usize]| parts.iter().map(|&i| frame.components[i].h * frame.components[i].v).sum::<usize>() <= 10;
    let all: Vec<usize> = (0..count).collect();
    match draw.below(4) {
        0 | 1 if fits(&all) => vec![scan(all)],
        2 if count > 2 && fits(&all[1..]) => vec![scan(vec![0]), scan(all[1..].to_vec())],
        _ => all.into_iter().map(|i| scan(vec![i])).collect(),
    }
}

/// Scans of a progressive file whose parameters say anything that a header may.
fn odd(draw: &mut Draw<'_>, frame: &Frame) -> Vec<Scan> {
    let count = frame.components.len();
    let scan = |draw: &mut Draw<'_>| {
        let mean = draw.once_in(3);
        let components = if mean && frame.blocks() <= 10 { (0..count).collect() } else { vec![draw.below(count)] };
        let first = if mean { 0 } else { 1 + draw.below(63) as u8 };
        let last = if mean { 0 } else { first + draw.below(64 - usize::from(first)) as u8 };
        let low = draw.below(14) as u8;
        let high = if draw.once_in(2) { low + 1 } else { 0 };
        Scan { components, first, last, high, low }
    };
    (0..=draw.below(12)).map(|_| scan(draw)).collect()
}

/// Coefficients of a component.
fn blocks(draw: &mut Draw<'_>, component: &Component, mcus_down: usize) -> Vec<[i16; 64]> {
    let large = draw.once_in(8);
    let value = |draw: &mut Draw<'_>| {
        let small = i16::from(draw.byte() as i8);
        if large { small << draw.below(8) } else { small }
    };
    let block = |draw: &mut Draw<'_>| {
        let mut block = [0; 64];
        block[0] = value(draw);
        let shape = draw.byte();
        let most = if shape >> 2 & 1 == 0 { 2 } else { 20 };
        let mut k = 0;
        for _ in 0..usize::from(shape >> 3) * usize::from(shape & 3 != 0) {
            k += 1 + draw.below(most);
            let Some(coefficient) = block.get_mut(k) else { break };
            *coefficient = if shape & 1 == 0 { draw.of(&[1, -1, 2, -3]) } else { value(draw) };
        }
        block
    };
    (0..component.across * mcus_down * component.v).map(|_| block(draw)).collect()
}

/// Everything up to the first scan.
fn header(draw: &mut Draw<'_>, frame: &Frame, form: Form, lines_follow: bool, out: &mut Vec<u8>) {
    match draw.below(8) {
        0 => segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0", out),
        kind @ 1..=3 => segment(0xEE, &[&b"Adobe\0\x64\0\0\0\0"[..], &[kind as u8 - 1]].concat(), out),
        4 => segment(0xFE, b"words", out),
        _ => {}
    }
    for number in 0..4 {
        if frame.components.iter().any(|c| c.quantisation == number) {
            segment(0xDB, &quantisation(draw, number), out);
        }
    }
    let height = if lines_follow { 0 } else { frame.size.1 as u8 };
    let mut body = vec![8, 0, height, 0, frame.size.0 as u8, frame.components.len() as u8];
    for c in &frame.components {
        body.extend([c.id, (c.sampling.0 << 4 | c.sampling.1) as u8, c.quantisation]);
    }
    let process = if form == Form::Progressive { 2 } else { draw.below(2) as u8 };
    segment(0xC0 | process, &body, out);
}

fn quantisation(draw: &mut Draw<'_>, number: u8) -> Vec<u8> {
    let style = draw.below(8);
    let each = 1 + draw.below(if style < 4 { 8 } else { 255 });
    let mut value = |_| match style {
        0..=4 => each as u8,
        _ => 1 + draw.byte() % 255,
    };
    let values: Vec<u8> = (0..64).map(&mut value).collect();
    match style {
        7 => [&[0x10 | number][..], &values.iter().flat_map(|&v| [0, v]).collect::<Vec<_>>()].concat(),
        _ => [&[number][..], &values].concat(),
    }
}

/// A scan of coefficients.
fn sound_scan(
    draw: &mut Draw<'_>,
    frame: &Frame,
    form: Form,
    scan: &Scan,
    intervals: &[Vec<Token>],
    out: &mut Vec<u8>,
) {
    let mut used = [[false; 256]; 8];
    for token in intervals.iter().flatten() {
        if let Token::Symbol { table, symbol } = *token {
            used[usize::from(table)][usize::from(symbol)] = true;
        }
    }
    // More symbols than those that come.
    let spare = draw.once_in(2);
    let tables: Vec<Table> = used
        .iter()
        .enumerate()
        .map(|(table, used)| {
            let more = if spare && table < 4 { draw.below(12) } else { 0 };
            let symbols = (0..=255).filter(|&symbol| used[usize::from(symbol)] || usize::from(symbol) < more);
            Table::drawn(draw, symbols.collect())
        })
        .collect();
    let mut defined = Vec::new();
    for &i in &scan.components {
        let (dc, ac) = frame.components[i].huffman;
        for (head, table) in [(dc, dc), (0x10 | ac, 4 + ac)] {
            let class_counts =
                form == Form::Sequential || (scan.first == 0) == (table < 4) && (table > 3 || scan.high == 0);
            if class_counts && !defined.contains(&head) {
                defined.push(head);
                segment(0xC4, &tables[usize::from(table)].defined(head), out);
            }
        }
    }
    scan_header(frame, scan, out);
    for (i, tokens) in intervals.iter().enumerate() {
        out.extend(code::coded(tokens, &tables));
        if i + 1 < intervals.len() {
            if draw.once_in(16) {
                out.push(0xFF);
            }
            out.extend([0xFF, 0xD0 | (i % 8) as u8]);
        }
    }
}

/// A scan of bytes that mean what they mean; whether none of them are markers.
fn raw_scan(draw: &mut Draw<'_>, frame: &Frame, scan: &Scan, interval: usize, out: &mut Vec<u8>) -> bool {
    if out.len() < 400 || draw.once_in(2) {
        for &i in &scan.components {
            let (dc, ac) = frame.components[i].huffman;
            segment(0xC4, &means(draw).defined(dc), out);
            segment(0xC4, &others(draw).defined(0x10 | ac), out);
        }
    }
    scan_header(frame, scan, out);
    let alone = scan.components.len() == 1;
    let (across, down) = if alone { frame.components[scan.components[0]].own } else { frame.mcus };
    let intervals = if interval == 0 { 1 } else { (across * down).div_ceil(interval).min(40) };
    let times = draw.of(&[1, 1, 4, 16]);
    let stuffed = !draw.once_in(16);
    let short = draw.once_in(8);
    for i in 0..intervals {
        let bytes: Vec<u8> = (0..=draw.below(24)).map(|_| draw.byte()).collect();
        for &byte in bytes.iter().cycle().take(bytes.len() * times) {
            out.push(byte);
            if stuffed && byte == 0xFF {
                out.push(0);
            }
        }
        // Mostly the number that is due.
        if i + 1 < intervals && !(short && draw.once_in(3)) {
            let number = if draw.once_in(24) { draw.byte() } else { i as u8 };
            out.extend([0xFF, 0xD0 | number & 7]);
        }
    }
    stuffed
}

/// A table of sizes of means.
fn means(draw: &mut Draw<'_>) -> Table {
    let symbols = match draw.below(8) {
        0 => vec![0],
        1 => vec![0; 3],
        2 => (0..=15).collect(),
        3 => (0..=draw.below(20)).map(|_| draw.byte() & 15).collect(),
        _ => (0..=11).collect(),
    };
    Table::drawn(draw, symbols)
}

/// A table of runs and sizes.
fn others(draw: &mut Draw<'_>) -> Table {
    let symbols = match draw.below(8) {
        // Every block ends at once, by codes that are all of one length or not: readers of it that begin at different
        // places may never fall into step.
        0 => vec![0; 1 + draw.below(15)],
        1 => vec![0xF0, 0],
        2 => (0..=draw.below(200)).map(|_| draw.byte()).collect(),
        3 => (0..=255).collect(),
        // End-of-band runs among them.
        4 => (0..16).flat_map(|run| [run << 4, run << 4 | 1]).collect(),
        5 => (0..16).flat_map(|run| (0..=10).map(move |size| run << 4 | size)).collect(),
        _ => (0..=draw.below(24)).map(|_| draw.byte() & 0x33).collect(),
    };
    Table::drawn(draw, symbols)
}

fn scan_header(frame: &Frame, scan: &Scan, out: &mut Vec<u8>) {
    let mut body = vec![scan.components.len() as u8];
    for &i in &scan.components {
        let c = &frame.components[i];
        body.extend([c.id, c.huffman.0 << 4 | c.huffman.1]);
    }
    body.extend([scan.first, scan.last, scan.high << 4 | scan.low]);
    segment(0xDA, &body, out);
}

fn segment(marker: u8, body: &[u8], out: &mut Vec<u8>) {
    out.extend([0xFF, marker]);
    out.extend((body.len() as u16 + 2).to_be_bytes());
    out.extend(body);
}
