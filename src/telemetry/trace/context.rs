//! W3C Trace Context: the headers `traceparent` and `tracestate`, read and written.
//! <https://www.w3.org/TR/trace-context/>

use super::ids::{SpanId, TraceId, from_hex};

/// The caller's span, as its headers tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::telemetry) struct Caller {
    pub(in crate::telemetry) trace: TraceId,
    pub(in crate::telemetry) span: SpanId,
    pub(in crate::telemetry) sampled: bool,
    /// What vendors say of the trace, passed on as it is; may be empty.
    pub(in crate::telemetry) state: String,
}

/// Longest `tracestate` that is passed on; a longer one is dropped whole.
const STATE_BYTES: usize = 512;
/// Most members of it.
const STATE_MEMBERS: usize = 32;

impl Caller {
    /// Reads the headers' values, each as often as it was sent.
    pub(in crate::telemetry) fn read<'a>(
        mut parents: impl Iterator<Item = &'a str>,
        states: impl Iterator<Item = &'a str>,
    ) -> Option<Self> {
        let parent = parents.next()?;
        // Two of them: nobody knows which is right.
        if parents.next().is_some() {
            return None;
        }
        let (trace, span, sampled) = traceparent(parent.trim())?;
        Some(Self { trace, span, sampled, state: tracestate(states) })
    }
}

/// `00-<trace>-<span>-<flags>`; what later versions add behind that is passed over.
fn traceparent(text: &str) -> Option<(TraceId, SpanId, bool)> {
    if !text.is_ascii() || text.len() < 55 {
        return None;
    }
    let (front, more) = text.split_at(55);
    let mut parts = front.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lower_hex =
        |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let rest_fits = if version == "00" { more.is_empty() } else { more.is_empty() || more.starts_with('-') };
    if parts.next().is_some() || !lower_hex(version) || version == "ff" || !lower_hex(flags) || !rest_fits {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    Some((TraceId(from_hex(trace)?), SpanId(from_hex(span)?), flags & 1 == 1))
}

/// All members in one line; empty when any is malformed or there are too many.
fn tracestate<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let joined = values.collect::<Vec<_>>().join(",");
    let members: Vec<&str> = joined.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    let well_formed = |member: &&str| {
        let (key, value) = member.split_once('=').unwrap_or_default();
        let in_key = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b);
        !key.is_empty()
            && key.bytes().all(in_key)
            && !value.is_empty()
            && value.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'=')
    };
    let state = members.join(",");
    if members.len() > STATE_MEMBERS || state.len() > STATE_BYTES || !members.iter().all(well_formed) {
        return String::new();
    }
    state
}

/// The header for whoever is called from this span.
pub(in crate::telemetry) fn written(trace: TraceId, span: SpanId, sampled: bool) -> String {
    format!("00-{trace}-{span}-0{}", u8::from(sampled))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(parent: &str) -> Option<Caller> {
        Caller::read([parent].into_iter(), ["a=1"].into_iter())
    }

    #[test]
    fn the_specifications_example_reads_and_writes() {
        let caller = read(PARENT).unwrap();
        assert!(caller.sampled);
        assert_eq!(written(caller.trace, caller.span, true), PARENT);
        assert_eq!((caller.span.to_string().as_str(), caller.state.as_str()), ("00f067aa0ba902b7", "a=1"));
        assert!(!read(&PARENT.replace("-01", "-00")).unwrap().sampled);
        // Other flags say nothing of sampling.
        assert!(!read(&PARENT.replace("-01", "-02")).unwrap().sampled);
        assert!(read(&PARENT.replace("-01", "-03")).unwrap().sampled);
    }

    #[test]
    fn later_versions_may_say_more_and_this_one_may_not() {
        assert!(read(&format!("{PARENT}-x")).is_none());
        let later = PARENT.replacen("00", "01", 1);
        assert!(read(&later).is_some());
        assert!(read(&format!("{later}-what-the-future-brings")).is_some());
        assert!(read(&format!("{later}x")).is_none());
    }

    #[test]
    fn malformed_parents_are_none() {
        for wrong in [
            "",
            "00",
            &PARENT[..54],
            &PARENT.replacen("00-", "ff-", 1),
            &PARENT.to_uppercase(),
            &PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000000"),
            &PARENT.replace("00f067aa0ba902b7", "0000000000000000"),
            &PARENT.replace('-', "_"),
            &PARENT.replace("-01", "-0x"),
            &PARENT.replace("4bf9", "4b-9"),
            &PARENT.replace("4bf9", "4bé"),
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(Caller::read([PARENT, PARENT].into_iter(), [].into_iter()), None);
    }

    #[test]
    fn state_is_joined_or_dropped_whole() {
        let state = |values: &[&str]| tracestate(values.iter().copied());
        assert_eq!(state(&["congo=t61 x, rojo=00f0", "a/b@c=1"]), "congo=t61 x,rojo=00f0,a/b@c=1");
        assert_eq!(state(&[" , ", ""]), "");
        for wrong in ["a", "=1", "a=", "A=1", "a=1=2", "a=é", "ok=1,b c=2"] {
            assert_eq!(state(&[wrong]), "", "{wrong}");
        }
        assert_eq!(state(&[&format!("a={}", "x".repeat(511))]), "");
        assert_eq!(state(&["a=1,"; 33].map(|s| s)), "");
    }
}
