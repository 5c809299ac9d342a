//! `cartwright doctor`: what is wrong with this installation, and what to do.

mod examine;

use std::path::Path;
use std::process::ExitCode;

use super::Ending;
use super::terminal::{Paint, wrapped};

/// How one thing is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Good,
    /// Works, but should be known.
    Doubtful,
    /// Must be repaired.
    Bad,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    what: &'static str,
    state: State,
    /// How it is.
    told: String,
    /// What to do about it.
    remedy: String,
}

impl Finding {
    fn good(what: &'static str, told: impl Into<String>) -> Self {
        Self { what, state: State::Good, told: told.into(), remedy: String::new() }
    }

    fn doubtful(what: &'static str, told: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, state: State::Doubtful, told: told.into(), remedy: remedy.into() }
    }

    fn bad(what: &'static str, told: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what, state: State::Bad, told: told.into(), remedy: remedy.into() }
    }

    fn is_good(&self) -> bool {
        self.state == State::Good
    }
}

pub fn run(folder: &Path) -> Ending {
    let findings = super::runtime()?.block_on(examine::examine(folder));
    super::print(&report(&findings, Paint::for_output()))?;
    let ill = findings.iter().any(|finding| finding.state == State::Bad);
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn report(findings: &[Finding], paint: Paint) -> String {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.state {
            State::Good => paint.good("✓"),
            State::Doubtful => paint.doubtful("!"),
            State::Bad => paint.bad("×"),
        };
        let margin = " ".repeat(width.saturating_add(4));
        let told = wrapped(&finding.told, &margin, 88);
        text.push_str(&format!("{mark} {:width$}  {}", finding.what, told.trim_start()));
        if !finding.remedy.is_empty() {
            for line in wrapped(&finding.remedy, "", 86).lines() {
                text.push_str(&format!("{margin}{}\n", paint.name(&format!("→ {line}"))));
            }
        }
    }
    let count = |state: &State| findings.iter().filter(|finding| finding.state == *state).count();
    let verdict = match (count(&State::Bad), count(&State::Doubtful)) {
        (0, 0) => paint.good("All is well."),
        (0, doubtful) => paint.doubtful(&format!("It works; {doubtful} to know of.")),
        (bad, _) => paint.bad(&format!("{bad} to repair.")),
    };
    text.push_str(&format!("\n{verdict}\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_lines_up_and_counts() {
        let findings = [
            Finding::good("port", "127.0.0.1:8080 is free"),
            Finding::bad("database", "is locked", "stop the other host"),
        ];
        assert_eq!(
            report(&findings, Paint::plain()),
            "✓ port      127.0.0.1:8080 is free\n× database  is locked\n            → stop the other host\n\n1 to repair.\n"
        );
    }

    #[tokio::test]
    async fn an_empty_folder_needs_an_init() {
        let folder = tempfile::tempdir().unwrap();
        let findings = examine::examine(folder.path()).await;
        let first = findings.first().unwrap();
        assert_eq!((first.what, &first.state), ("configuration", &State::Bad));
        assert!(first.remedy.contains("cartwright init"), "{first:?}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a doctor changes nothing");
    }

    #[tokio::test]
    async fn whom_a_plugin_may_ask_is_told_and_a_secret_that_is_missing_too() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("shops")).unwrap();
        std::fs::write(folder.path().join("cartwright.toml"), "").unwrap();
        let shop = "name = 'Lipa'\nurl = 'https://lipa.example'\ncountry = 'PL'\ncurrency = 'PLN'\nzone = 'Europe/Warsaw'\n\
                    [[plugins]]\nname = 'rates'\nsource = 'rates.wasm'\ngrants = ['http']\n\
                    hosts = ['api.example', { host = 'rates.internal:8443', allow_private = true, \
                    secrets = { Authorization = { file = 'rates.secret' } } }]\n";
        std::fs::write(folder.path().join("shops/lipa.toml"), shop).unwrap();
        let told = async || {
            let findings = examine::examine(folder.path()).await;
            findings
                .into_iter()
                .map(|finding| format!("{}|{}", finding.told, finding.remedy))
                .collect::<Vec<_>>()
        };
        let may = "lipa: `rates` may ask api.example, rates.internal:8443 (also private addresses) (with Authorization)|";
        let findings = told().await;
        assert!(findings.iter().any(|told| told == may), "{findings:#?}");
        let cannot = "lipa: `rates` cannot ask rates.internal:8443: ";
        let missing = findings.iter().find(|told| told.starts_with(cannot)).unwrap();
        assert!(missing.contains("write the secret to"), "{missing}");
        std::fs::write(folder.path().join("shops/rates.secret"), "Bearer 1").unwrap();
        let findings = told().await;
        assert!(
            !findings.iter().any(|told| told.starts_with(cannot) || told.contains("Bearer")),
            "{findings:#?}"
        );
    }

    #[tokio::test]
    async fn a_certificate_that_ends_soon_or_does_not_fit_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("cartwright.toml", "[tls]\ncertificate = 'cert.pem'\nkey = 'key.pem'\n");
        let told = async || {
            let findings = examine::examine(folder.path()).await;
            findings.into_iter().find(|finding| finding.what == "certificate").expect("a finding")
        };
        let missing = told().await;
        assert_eq!(missing.state, State::Bad);
        assert!(
            missing.told.contains("cartwright.toml:2: ") && missing.told.contains("cert.pem cannot be read")
        );
        let mut made = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        write("key.pem", &key.serialize_pem());
        for (days, state, sentence) in [
            (40, State::Good, "holds until "),
            (5, State::Doubtful, "ends in "),
            (-2, State::Bad, "has ended"),
        ] {
            let end = jiff::Zoned::now().date().saturating_add(jiff::Span::new().days(days));
            made.not_after = rcgen::date_time_ymd(end.year().into(), end.month() as u8, end.day() as u8);
            write("cert.pem", &made.self_signed(&key).unwrap().pem());
            let finding = told().await;
            assert!(finding.told.contains(sentence), "{finding:?}");
            assert_eq!(finding.state, state, "{finding:?}");
        }
    }
}
