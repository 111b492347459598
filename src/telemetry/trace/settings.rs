//! OpenTelemetry's standard variables.
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use std::time::Duration;

use hyper::http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::{Config, ExporterConfig, Sampler};

/// A variable that is read.
#[derive(Debug, Clone, Copy)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What is made of it.
    pub meaning: &'static str,
}

const fn variable(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning }
}

/// All that are read. A flag that says the same wins over them.
pub const STANDARD: [Variable; 17] = [
    variable("OTEL_SDK_DISABLED", "`true`: no traces"),
    variable("OTEL_TRACES_EXPORTER", "`otlp` (also when empty) or `none`; any other is refused"),
    variable("OTEL_EXPORTER_OTLP_ENDPOINT", "base URL of the collector, `/v1/traces` is added; `--otlp-endpoint` wins"),
    variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "the whole URL; wins over the base URL"),
    variable("OTEL_EXPORTER_OTLP_HEADERS", "headers for the collector: `name=value`, comma separated, percent-encoded"),
    variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "the same; wins"),
    variable("OTEL_EXPORTER_OTLP_PROTOCOL", "anything but `http/json` gets a warning: JSON is what is spoken"),
    variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "the same; wins"),
    variable("OTEL_EXPORTER_OTLP_TIMEOUT", "longest time for one export, in milliseconds; 10000"),
    variable("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "the same; wins"),
    variable(
        "OTEL_TRACES_SAMPLER",
        "a name of the specification's; `parentbased_always_on`, with a ratio `parentbased_traceidratio`",
    ),
    variable("OTEL_TRACES_SAMPLER_ARG", "the ratio, 0 to 1; `--trace-ratio` wins"),
    variable("OTEL_SERVICE_NAME", "`service.name`; `phasor`"),
    variable(
        "OTEL_RESOURCE_ATTRIBUTES",
        "more attributes of the process: `name=value`, comma separated, percent-encoded",
    ),
    variable("OTEL_BSP_SCHEDULE_DELAY", "longest time that a span waits for others, in milliseconds; 5000"),
    variable("OTEL_BSP_MAX_QUEUE_SIZE", "spans that may wait, more are dropped and counted; 2048"),
    variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "most spans of one export; 512"),
];

/// Puts flags and variables together. `endpoint` and `ratio` are the flags' texts, empty when not given; `variable` looks
/// a standard one up. `None`: no traces. The second part are warnings.
///
/// # Errors
/// Every value that cannot be read, a sentence each; never the value of a header.
pub fn settings(
    endpoint: &str,
    ratio: &str,
    version: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<(Option<Config>, Vec<String>), Vec<String>> {
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    let given = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    // The one for traces before the one for all signals.
    let signal = |name: &str| {
        given(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}")).or_else(|| given(&format!("OTEL_EXPORTER_OTLP_{name}")))
    };
    if given("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok((None, warnings));
    }
    match given("OTEL_TRACES_EXPORTER").as_deref() {
        None | Some("otlp") => {}
        Some("none") if endpoint.is_empty() => return Ok((None, warnings)),
        Some("none") => {}
        Some(other) => faults.push(format!("OTEL_TRACES_EXPORTER {other}: only otlp and none are known")),
    }
    let based = |base: &str| format!("{}/v1/traces", base.trim_end_matches('/'));
    let endpoint = match endpoint {
        "" => given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            .or_else(|| given("OTEL_EXPORTER_OTLP_ENDPOINT").map(|base| based(&base))),
        base => Some(based(base)),
    };
    let Some(endpoint) = endpoint else { return if faults.is_empty() { Ok((None, warnings)) } else { Err(faults) } };
    match url::Url::parse(&endpoint) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {}
        _ => faults.push(format!("{endpoint} is not the URL of a collector; write it as http://collector:4318")),
    }
    if let Some(protocol) = signal("PROTOCOL").filter(|protocol| protocol != "http/json") {
        warnings.push(format!("traces are sent as http/json, not as {protocol}: the collector must take that"));
    }

    let mut number = |name: &str, value: Option<String>, otherwise: u64| match value.map(|text| text.parse::<u64>()) {
        None => otherwise,
        Some(Ok(number)) if number > 0 => number,
        Some(_) => {
            faults.push(format!("{name}: not a whole number above 0"));
            otherwise
        }
    };
    let own = |name: &'static str| (name, given(name));
    let mut positive = |(name, value): (&'static str, Option<String>), otherwise| number(name, value, otherwise);
    let timeout = positive(("OTEL_EXPORTER_OTLP_TIMEOUT", signal("TIMEOUT")), 10_000);
    let delay = positive(own("OTEL_BSP_SCHEDULE_DELAY"), 5000);
    let queue = positive(own("OTEL_BSP_MAX_QUEUE_SIZE"), 2048).min(1 << 20) as usize;
    let batch = (positive(own("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"), 512) as usize).min(queue);

    let said = Some(ratio.to_owned()).filter(|ratio| !ratio.is_empty());
    let argument = said.or_else(|| given("OTEL_TRACES_SAMPLER_ARG"));
    let ratio = match argument.as_deref().map(str::parse::<f64>) {
        None => 1.0,
        Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
        Some(_) => {
            faults.push(format!("the ratio of traces must be 0 to 1, not {}", argument.unwrap_or_default()));
            1.0
        }
    };
    let named = given("OTEL_TRACES_SAMPLER").unwrap_or_else(|| "parentbased_traceidratio".to_owned());
    let sampler = Sampler::named(&named, ratio).unwrap_or_else(|| {
        faults.push(format!("OTEL_TRACES_SAMPLER {named}: one of {} is known", super::SAMPLERS.join(", ")));
        Sampler { parent_based: true, ratio }
    });

    let mut headers = HeaderMap::new();
    for (name, value) in pairs(&signal("HEADERS").unwrap_or_default()) {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                headers.append(name, value);
            }
            _ => faults.push(format!("OTEL_EXPORTER_OTLP_HEADERS: {name:?} is no header")),
        }
    }
    let mut resource = pairs(&given("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default());
    let mut set = |key: &str, value: String| {
        resource.retain(|(name, _)| name != key);
        resource.push((key.to_owned(), value));
    };
    if let Some(name) = given("OTEL_SERVICE_NAME") {
        set("service.name", name);
    }
    set("service.version", version.to_owned());
    set("telemetry.sdk.name", "phasor".to_owned());
    set("telemetry.sdk.language", "rust".to_owned());
    if !resource.iter().any(|(name, _)| name == "service.name") {
        resource.push(("service.name".to_owned(), "phasor".to_owned()));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let (delay, timeout) = (Duration::from_millis(delay), Duration::from_millis(timeout));
    let exporter = ExporterConfig { endpoint, headers, resource, queue, batch, delay, timeout };
    Ok((Some(Config { sampler, exporter }), warnings))
}

/// `a=b,c=d` with percent-encoded values, as in W3C Baggage.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), percent_decode_str(value.trim()).decode_utf8_lossy().into_owned()))
    };
    text.split(',').filter_map(pair).filter(|(name, _)| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(endpoint: &str, ratio: &str, env: &[(&str, &str)]) -> Result<(Option<Config>, Vec<String>), Vec<String>> {
        let variable = |name: &str| {
            assert!(STANDARD.iter().any(|known| known.name == name), "{name} is not in the table");
            env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        };
        settings(endpoint, ratio, "1.2.3", &variable)
    }

    fn on(endpoint: &str, ratio: &str, env: &[(&str, &str)]) -> Config {
        made(endpoint, ratio, env).unwrap().0.unwrap()
    }

    #[test]
    fn nothing_said_is_off_and_so_is_none_and_disabled() {
        assert_eq!(made("", "", &[]).unwrap().0, None);
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318");
        assert_eq!(made("", "", &[base, ("OTEL_TRACES_EXPORTER", "none")]).unwrap().0, None);
        assert_eq!(made("http://c", "", &[("OTEL_SDK_DISABLED", "true")]).unwrap().0, None);
    }

    #[test]
    fn endpoints_are_built_as_the_specification_says() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/");
        let whole = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://d/x");
        assert_eq!(on("", "", &[base]).exporter.endpoint, "http://c:4318/v1/traces");
        assert_eq!(on("", "", &[base, whole]).exporter.endpoint, "https://d/x");
        assert_eq!(on("http://e", "", &[base, whole]).exporter.endpoint, "http://e/v1/traces");
        assert!(made("c:4318", "", &[]).is_err() && made("ftp://c", "", &[]).is_err());
    }

    #[test]
    fn samplers_take_their_ratio_from_flag_or_variable() {
        assert_eq!(on("http://c", "", &[]).sampler, Sampler { parent_based: true, ratio: 1.0 });
        assert_eq!(on("http://c", "", &[("OTEL_TRACES_SAMPLER_ARG", "0.25")]).sampler.ratio, 0.25);
        assert_eq!(on("http://c", "0.5", &[("OTEL_TRACES_SAMPLER_ARG", "0.25")]).sampler.ratio, 0.5);
        let off = on("http://c", "0.5", &[("OTEL_TRACES_SAMPLER", "always_off")]).sampler;
        assert_eq!(off, Sampler { parent_based: false, ratio: 0.0 });
    }

    #[test]
    fn headers_and_attributes_are_decoded() {
        let config = on(
            "http://c",
            "",
            &[
                ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x, x-a=1"),
                ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=b%2Cc"),
                ("OTEL_SERVICE_NAME", "pictures"),
                ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
            ],
        )
        .exporter;
        assert_eq!(config.headers["authorization"], "Bearer x");
        assert!(config.headers["authorization"].is_sensitive());
        let of = |key: &str| config.resource.iter().filter(|(name, _)| name == key).collect::<Vec<_>>();
        assert_eq!(of("service.name"), [&("service.name".to_owned(), "pictures".to_owned())]);
        assert_eq!(of("deployment.environment.name")[0].1, "b,c");
        assert_eq!((config.queue, config.batch, config.timeout), (10, 10, Duration::from_millis(250)));
    }

    #[test]
    fn all_faults_are_told_and_no_secret_is() {
        let faults = made(
            "nothing",
            "2",
            &[
                ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
                ("OTEL_EXPORTER_OTLP_HEADERS", "bad name=s3cret"),
                ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
                ("OTEL_TRACES_EXPORTER", "zipkin"),
            ],
        )
        .unwrap_err();
        assert_eq!(faults.len(), 6, "{faults:#?}");
        assert!(!faults.iter().any(|fault| fault.contains("s3cret")));
        let (_, warnings) = made("http://c", "", &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap();
        assert_eq!(warnings.len(), 1);
    }
}
