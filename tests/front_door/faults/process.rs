//! A host in a process of its own, whose log can be read and whose disk can be made to fail.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, mpsc};

use super::*;
use crate::command::cartwright;

pub struct Process {
    child: Child,
    address: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Process {
    /// On the folder of a world whose own host was stopped.
    pub fn serve(world: &World) -> Self {
        let command = cartwright();
        let mut shell = std::process::Command::new("sh");
        // Ignored signals stay so in what is executed: a write that may not be is an error, as with a broken disk.
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(command.get_program()).arg("-C");
        shell.arg(&world.folder).args(["serve", "--listen", "127.0.0.1:0"]);
        shell.env("NO_COLOR", "1").env("CARTWRIGHT_LOG", "info").env_remove("RUST_LOG");
        let mut child = shell.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (kept, (tell, told)) = (Arc::clone(&log), mpsc::channel());
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.contains("listening") {
                    let port = line.split("127.0.0.1:").nth(1).unwrap_or_default();
                    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
                    let _ = tell.send(format!("127.0.0.1:{port}"));
                }
                kept.lock().unwrap().push(line);
            }
        });
        let address = told.recv_timeout(Duration::from_secs(60)).expect("the log names the address");
        Self { child, address, log }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Lines of the log that hold all of these words.
    pub fn lines(&self, words: &[&str]) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|line| words.iter().all(|word| line.contains(word))).cloned().collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
