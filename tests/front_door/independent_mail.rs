//! A mail server that somebody else wrote (Python's aiosmtpd) takes our mails, over STARTTLS and with a password.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use harness::mail_server::{MailServer, PASSWORD};
use harness::{Setup, project};

use crate::mail::{message_of, order_of};

/// Ends with the scenario.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_mail_server_takes_a_mail_over_starttls_with_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = MailServer::certificate();
    std::fs::write(folder.path().join("cert.pem"), &certificate).unwrap();
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    let own = project().join("target/test-python/bin/python3");
    let python = if own.exists() { own } else { "python3".into() };
    let child = Command::new(python)
        .arg(project().join("tests/fixtures/mail_server.py"))
        .args([folder.path().as_os_str(), "shop".as_ref(), PASSWORD.as_ref()])
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 with aiosmtpd; `-- --skip independent_mail::` leaves this out");
    let mut running = Running(child);
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let port: u16 = lines.next().expect("a port").unwrap().parse().unwrap();

    let toml = format!(
        "[smtp]\nhost = \"localhost\"\nport = {port}\nusername = \"shop\"\npassword = {{ file = \"smtp.secret\" }}\n\
         ca_file = \"mail-ca.pem\"\n"
    );
    let world = Setup::new()
        .host(&toml)
        .file("smtp.secret", PASSWORD)
        .file("mail-ca.pem", &certificate)
        .plugin("order-updates", &["customers", "messages", "orders", "state", "state-write", "timers"], "{}")
        .start()
        .await;
    world.event("order-placed", "1001", &order_of("1001", "anna@mail.example")).await.json(202);
    world.settle().await;
    let view = message_of(&world, "1001").await;
    assert_eq!(view.state, "sent", "{view:?}");
    let taken: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(taken["to"], serde_json::json!(["anna@mail.example"]));
    assert_eq!(taken["tls"], true);
    assert_eq!(taken["user"], "shop");
    assert_eq!(taken["message_id"].as_str(), view.message_id.as_deref());
}
