//! `--post`: the uploader to a service, and a warning if its key can be read on the way.

use anyhow::Result;
use llmscope_harness::{Secret, Uploader};
use url::{Host, Url};

use crate::output::{self, CAUTION};

/// An uploader to the service at this address, with the key of `LLMSCOPE_API_KEY`.
pub(crate) fn uploader(service: &str) -> Result<Uploader> {
    let uploader = Uploader::to_service(service)?;
    if let Some(host) = exposed_host(service).filter(|_| Secret::from_environment(&["LLMSCOPE_API_KEY"]).is_some()) {
        let advice = format!("the key of LLMSCOPE_API_KEY goes to {host} unencrypted: use https:// or an SSH tunnel");
        output::say(CAUTION, "warning:", &advice);
    }
    Ok(uploader)
}

/// The host of an address without encryption, unless it is this machine.
fn exposed_host(service: &str) -> Option<String> {
    let url = Url::parse(service).ok().filter(|url| url.scheme() == "http")?;
    let is_here = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.to_canonical().is_loopback(),
    };
    (!is_here).then(|| url.host_str().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_machines_without_encryption_are_exposed() {
        for here in [
            "http://localhost:8081",
            "http://127.0.0.1:8081",
            "http://127.9.9.9",
            "http://[::1]:8081",
            "http://[::ffff:127.0.0.1]",
            "https://llmscope.example",
        ] {
            assert_eq!(exposed_host(here), None, "{here}");
        }
        for (there, host) in [
            ("http://llmscope.example:8081/", "llmscope.example"),
            ("http://192.0.2.7:8081", "192.0.2.7"),
            ("http://localhost.example", "localhost.example"),
        ] {
            assert_eq!(exposed_host(there).as_deref(), Some(host), "{there}");
        }
    }
}
