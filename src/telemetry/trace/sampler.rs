//! Which traces are recorded.

use super::ids::TraceId;

/// A rule of which traces are recorded, by the names of OpenTelemetry's specification.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// The caller's decision holds where there is a caller.
    pub parent_based: bool,
    /// The share of the others that is recorded, 0 to 1.
    pub ratio: f64,
}

/// Names of samplers, as `OTEL_TRACES_SAMPLER` takes them.
pub const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

impl Sampler {
    /// The sampler of that name; `ratio` counts for those whose name ends in `ratio`.
    pub fn named(name: &str, ratio: f64) -> Option<Self> {
        let (parent_based, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None => (false, name),
        };
        let ratio = match root {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => ratio,
            _ => return None,
        };
        Some(Self { parent_based, ratio })
    }

    /// Whether a trace is recorded. `caller`: what the caller decided, where there is one. The same trace is decided the
    /// same way by every process that has the same ratio.
    pub(super) fn records(&self, trace: TraceId, caller: Option<bool>) -> bool {
        match caller {
            Some(sampled) if self.parent_based => sampled,
            _ if self.ratio >= 1.0 => true,
            #[allow(clippy::cast_precision_loss, reason = "of 63 bits the lowest ten do not matter")]
            _ => ((trace.lower() >> 1) as f64) < self.ratio * (1_u64 << 63) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_specifications() {
        for name in SAMPLERS {
            assert!(Sampler::named(name, 0.5).is_some(), "{name}");
        }
        assert_eq!(Sampler::named("traceidratio", 0.25), Some(Sampler { parent_based: false, ratio: 0.25 }));
        assert_eq!(Sampler::named("parentbased_always_on", 0.25), Some(Sampler { parent_based: true, ratio: 1.0 }));
        assert_eq!(Sampler::named("jaeger_remote", 0.25), None);
    }

    #[test]
    fn about_the_ratio_is_recorded_and_callers_are_followed() {
        let tenth = Sampler { parent_based: true, ratio: 0.1 };
        let recorded = (0..10_000).filter(|_| tenth.records(TraceId::random(), None)).count();
        assert!((800..1200).contains(&recorded), "{recorded}");
        assert!(tenth.records(TraceId([0xff; 16]), Some(true)) && !tenth.records(TraceId([1; 16]), Some(false)));
        let alone = Sampler { parent_based: false, ratio: 0.0 };
        assert!(!alone.records(TraceId([1; 16]), Some(true)) && !alone.records(TraceId([0; 16]), None));
        let all = Sampler { parent_based: true, ratio: 1.0 };
        assert!(all.records(TraceId([0xff; 16]), None) && !all.records(TraceId([0xff; 16]), Some(false)));
    }
}
