//! The file of a connection to fill in, from what its connector's manifest says of settings.

use hub_kit::Manifest;
use std::fmt::Write as _;

/// The text of `connections/<vendor>-main.yaml`, and the variables that it names: required settings are variables, so that
/// `check` says which are not set yet; the others stand behind `#`.
pub(crate) fn connection(manifest: &Manifest) -> (String, Vec<String>) {
    let mut variables = Vec::new();
    let mut text = format!("# {}. What is named in capitals stands in .env.\n", manifest.name);
    let _ = write!(text, "id: {}-main\nconnector: {}\n", manifest.vendor, manifest.vendor);
    if !manifest.polls.is_empty() {
        let polls: Vec<&str> = manifest.polls.iter().map(|poll| poll.name.as_str()).collect();
        let _ = writeln!(text, "# polls: [{}]", polls.join(", "));
    }
    if manifest.settings.is_empty() {
        return (text, variables);
    }
    text += "settings:\n";
    let (required, others): (Vec<_>, Vec<_>) = manifest.settings.iter().partition(|setting| setting.required);
    for setting in required {
        let name = variable(&manifest.vendor, &setting.name);
        let _ = writeln!(text, "  # {}\n  {}: \"${{{name}}}\"", setting.doc, setting.name);
        variables.push(name);
    }
    for setting in others {
        let value = if setting.secret {
            format!("\"${{{}}}\"", variable(&manifest.vendor, &setting.name))
        } else {
            "…".to_owned()
        };
        let _ = writeln!(text, "  # {}\n  # {}: {value}", setting.doc, setting.name);
    }
    (text, variables)
}

fn variable(vendor: &str, setting: &str) -> String {
    format!("{vendor}_{setting}").replace('-', "_").to_uppercase()
}
