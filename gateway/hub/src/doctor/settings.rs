//! What the configuration says.

use super::Report;
use crate::assemble::{drivers, registry};
use crate::cli::Place;
use crate::config::Config;
use hub_service::{load_models, load_pay_rules, load_payout, load_portraits, load_schemes};
use hub_tree::{Findings, Severity};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;
use url::{Host, Url};

/// Fewer characters than this can be guessed.
const SHORTEST_KEY: usize = 32;

pub(super) fn look(config: &Config, place: &Place, findings: Findings, report: &mut Report) {
    let shown = place.config.display();
    let registry = registry(config, &drivers(), &findings);
    let models = load_models(&config.catalog, &findings);
    let pay = load_pay_rules(&config.catalog, &findings);
    let payout = load_payout(&config.catalog, &findings);
    let portraits = load_portraits(&config.catalog, &findings);
    let schemes = load_schemes(&config.catalog, &findings);
    for finding in findings.into_sorted() {
        let fix =
            finding.suggestion.clone().unwrap_or_else(|| format!("mend the line; `hrhub check {shown}` shows it"));
        if finding.severity == Severity::Error {
            report.error(finding.place(), finding.message.clone(), fix);
        } else {
            report.warning(finding.place(), finding.message.clone(), fix);
        }
    }
    let (connections, models) = (registry.connections.len(), models.len() + schemes.len() + pay.len());
    let models = models + payout.banks.len() + payout.charts.len() + portraits.len();
    report.looked_at(format!("configuration ({connections} connections, {models} models)"));
    admin_key(config, report);
    addresses(config, place, report);
    for network in &config.allow_private {
        private(network, place, report);
    }
}

fn admin_key(config: &Config, report: &mut Report) {
    let Some(key) = config.environment.get("HRHUB_ADMIN_KEY") else { return };
    let different: BTreeSet<char> = key.chars().collect();
    let fix =
        "set HRHUB_ADMIN_KEY to the output of `openssl rand -hex 32`, or leave it out and use `hrhub keys create`";
    if key.chars().count() < SHORTEST_KEY {
        let what = format!("the admin key has fewer than {SHORTEST_KEY} characters: it can be guessed");
        report.error("HRHUB_ADMIN_KEY", what, fix);
    } else if different.len() < 10 {
        report.error("HRHUB_ADMIN_KEY", "the admin key repeats few characters: it can be guessed", fix);
    }
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn addresses(config: &Config, place: &Place, report: &mut Report) {
    let file = place.config.join("hub.yaml").display().to_string();
    let public = config.public_url();
    let listens = config.listen.rsplit_once(':').map_or(config.listen.as_str(), |(host, _)| host);
    let listens_locally = is_local(listens.trim_matches(['[', ']']));
    let Ok(url) = Url::parse(&public) else {
        report.error(file, format!("public_url: `{public}` is no URL"), "public_url: https://hub.example.com");
        return;
    };
    let local = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => true,
    };
    if local && !listens_locally {
        let what = format!("vendors are told {public}, which nobody else reaches, while the hub listens on {listens}");
        report.warning(file, what, "public_url: https://<the name that vendors reach>");
    } else if !local && url.scheme() != "https" {
        let what = format!("{public} is not encrypted: keys and candidates' data can be read on the way");
        report.warning(file, what, "put a TLS proxy in front, and public_url: https://…");
    }
}

fn private(network: &IpNet, place: &Place, report: &mut Report) {
    let file = place.config.join("hub.yaml").display().to_string();
    let loopback = network.network().is_loopback();
    let (metadata, everything) = match network {
        IpNet::V4(_) => (network.contains(&IpAddr::from([169, 254, 169, 254])), network.prefix_len() == 0),
        IpNet::V6(_) => (false, network.prefix_len() == 0),
    };
    let wide = match network {
        IpNet::V4(v4) => v4.prefix_len() < 16,
        IpNet::V6(v6) => v6.prefix_len() < 48,
    };
    let fix = "egress: { allow_private: [<the one network that the vendor is in, such as 10.20.30.0/24>] }";
    if everything || metadata {
        let what = format!("egress.allow_private holds {network}: calls may reach every host, cloud metadata included");
        report.error(file, what, fix);
    } else if wide && !loopback {
        report.warning(file, format!("egress.allow_private holds {network}: that is a wide network"), fix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(network: &str) -> Vec<(&'static str, String)> {
        let place = Place { config: "config".into(), data: None };
        let mut report = Report::default();
        private(&network.parse().unwrap(), &place, &mut report);
        report.findings.into_iter().map(|finding| (finding.level.word(), finding.place)).collect()
    }

    #[test]
    fn networks_that_are_too_wide_are_told_from_those_that_are_not() {
        for network in ["127.0.0.0/8", "::1/128", "10.20.0.0/16", "192.168.1.0/24", "fd00:1:2::/48"] {
            assert_eq!(found(network), [], "{network}");
        }
        assert_eq!(found("10.0.0.0/8"), [("warning", "config/hub.yaml".to_owned())]);
        assert_eq!(found("fd00::/8"), [("warning", "config/hub.yaml".to_owned())]);
        for network in ["0.0.0.0/0", "::/0", "169.254.0.0/16"] {
            assert_eq!(found(network), [("error", "config/hub.yaml".to_owned())], "{network}");
        }
    }
}
