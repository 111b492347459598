//! What schemas cannot see. One function a rule; each answers with a sentence for everything that is wrong.

mod edge;
mod egress;
mod figures;
mod hardening;
mod labels;
mod ports;
mod references;
mod resources;
mod scaling;
mod settings;
mod stopping;
mod words;

use super::set::Set;

pub(super) use settings::OTHER_VARIABLES;

/// What the admin port answers; tested against the server.
pub(super) const ADMIN_PATHS: [&str; 4] = ["/startupz", "/readyz", "/livez", "/metrics"];

/// Sentences about what is wrong.
pub(super) struct Faults(Vec<String>);

impl Faults {
    /// Notes the fault unless this holds.
    fn unless(&mut self, holds: bool, fault: impl Into<String>) {
        if !holds {
            self.0.push(fault.into());
        }
    }
}

/// Looks for breaches.
type Check = fn(&Set, &mut Faults);

/// The rules by name.
pub(super) const RULES: [(&str, Check); 12] = [
    ("edge", edge::check),
    ("egress", egress::check),
    ("figures", figures::check),
    ("hardening", hardening::check),
    ("labels", labels::check),
    ("ports", ports::check),
    ("references", references::check),
    ("resources", resources::check),
    ("scaling", scaling::check),
    ("settings", settings::check),
    ("stopping", stopping::check),
    ("words", words::check),
];

/// Everything that is wrong with a set, each sentence behind its rule's name.
pub(super) fn faults(set: &Set) -> Vec<String> {
    let mut all = Vec::new();
    for (name, check) in RULES {
        let mut faults = Faults(Vec::new());
        check(set, &mut faults);
        all.extend(faults.0.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    all
}
