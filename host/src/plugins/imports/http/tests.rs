//! A world outside that counts, and a job's memory.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use contract::http::Host as _;

use super::*;
use crate::domain::{Hook, HostPattern, ReadError};
use crate::plugins::fixtures;
use crate::plugins::imports::tests::with;

/// Answers with the number of the question, in the status that is said.
#[derive(Default)]
struct World {
    status: u16,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Fetch for World {
    async fn get(&self, errand: Errand<'_>) -> Result<HttpResponse, Unanswered> {
        let hosts: Vec<String> = errand.hosts.iter().map(|granted| granted.host.to_string()).collect();
        let mut asked = self.asked.lock().unwrap();
        asked.push(format!("{} {} {} {}", errand.shop, errand.plugin, errand.request.url, hosts.join(",")));
        if self.status == 0 {
            return Err(Unanswered::Unreachable);
        }
        Ok(HttpResponse {
            status: self.status,
            headers: Vec::new(),
            body: asked.len().to_string().into_bytes(),
        })
    }
}

#[derive(Default)]
struct Memory {
    kept: Mutex<BTreeMap<String, HttpResponse>>,
    full: bool,
}

#[async_trait]
impl Journal for Memory {
    async fn recall(&self, question: &str) -> Result<Option<HttpResponse>, ReadError> {
        Ok(self.kept.lock().unwrap().get(question).cloned())
    }

    async fn keep(&self, question: &str, answer: &HttpResponse) -> Result<bool, ReadError> {
        self.kept.lock().unwrap().insert(question.to_owned(), answer.clone());
        Ok(!self.full)
    }
}

fn call(world: &Arc<World>, memory: Option<&Arc<Memory>>) -> CallState {
    let mut call = with(Hook::OrderPlaced, &["http"], fixtures::Memory::default(), |invocation| {
        let plugin = Arc::get_mut(&mut invocation.plugin).unwrap();
        plugin.entry.hosts = vec!["api.example".parse::<HostPattern>().unwrap().into()];
    });
    let journal = memory.map(|memory| Arc::clone(memory) as Arc<dyn Journal>);
    let until = Instant::now() + Duration::from_secs(5);
    call.outside = Some(Outside::new(Arc::clone(world) as _, journal, until));
    call
}

fn world(status: u16) -> Arc<World> {
    Arc::new(World { status, ..World::default() })
}

async fn get(call: &mut CallState, url: &str, accept: &str) -> Result<String, String> {
    let headers = vec![("accept".to_owned(), accept.to_owned())];
    let answer = call.get(HttpRequest { url: url.to_owned(), headers }).await.unwrap();
    answer.map(|answer| String::from_utf8(answer.body).unwrap())
}

#[tokio::test]
async fn a_question_goes_out_with_what_the_merchant_grants() {
    let world = world(200);
    let mut call = call(&world, None);
    assert_eq!(get(&mut call, "https://api.example/a", "x").await, Ok("1".to_owned()));
    assert_eq!(get(&mut call, "https://api.example/a", "x").await, Ok("2".to_owned()));
    assert_eq!(world.asked.lock().unwrap()[0], "lipa guest https://api.example/a api.example");
}

#[tokio::test]
async fn another_attempt_hears_what_the_first_one_heard() {
    let (world, memory) = (world(200), Arc::new(Memory::default()));
    for _ in 0..3 {
        let mut call = call(&world, Some(&memory));
        assert_eq!(get(&mut call, "https://api.example/a", "x").await, Ok("1".to_owned()));
        // The same question again is another one.
        assert_eq!(get(&mut call, "https://api.example/a", "x").await, Ok("2".to_owned()));
        assert_eq!(get(&mut call, "https://api.example/b", "x").await, Ok("3".to_owned()));
        assert_eq!(get(&mut call, "https://api.example/b", "y").await, Ok("4".to_owned()));
    }
    assert_eq!(world.asked.lock().unwrap().len(), 4);
    assert_eq!(memory.kept.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn what_is_no_answer_yet_is_asked_again() {
    for (status, times) in [(0, 2), (503, 2), (429, 2), (200, 1), (404, 1)] {
        let (world, memory) = (world(status), Arc::new(Memory::default()));
        for _ in 0..2 {
            let _ = get(&mut call(&world, Some(&memory)), "https://api.example/a", "x").await;
        }
        assert_eq!(world.asked.lock().unwrap().len(), times, "{status}");
    }
}

#[tokio::test]
async fn a_call_asks_and_a_job_remembers_only_so_much() {
    let world = world(200);
    let mut greedy = call(&world, None);
    for _ in 0..QUESTIONS {
        assert!(get(&mut greedy, "https://api.example/a", "x").await.is_ok());
    }
    assert_eq!(get(&mut greedy, "https://api.example/a", "x").await, Err("too-many".to_owned()));
    assert_eq!(world.asked.lock().unwrap().len(), QUESTIONS as usize);
    let full = Arc::new(Memory { full: true, ..Memory::default() });
    let answer = get(&mut call(&world, Some(&full)), "https://api.example/a", "x").await;
    assert_eq!(answer, Err("too-many".to_owned()));
}

#[tokio::test]
async fn where_nobody_goes_outside_all_is_denied() {
    let mut call = with(Hook::Content, &["http"], fixtures::Memory::default(), |_| {});
    assert_eq!(get(&mut call, "https://api.example/", "x").await, Err("denied".to_owned()));
}

#[tokio::test]
async fn a_host_whose_secret_is_gone_is_not_asked() {
    let world = world(200);
    let mut call = call(&world, None);
    let mut plugin = with(Hook::Content, &["http"], fixtures::Memory::default(), |invocation| {
        let plugin = Arc::get_mut(&mut invocation.plugin).unwrap();
        let mut host = crate::config::HostGrant::from("api.example".parse::<HostPattern>().unwrap());
        host.secrets
            .insert("x-api-key".to_owned(), crate::config::SecretSource::File("/no/such.secret".into()));
        plugin.entry.hosts = vec![host, "other.example".parse::<HostPattern>().unwrap().into()];
    });
    call.plugin = plugin.plugin.take();
    assert_eq!(get(&mut call, "https://api.example/", "x").await, Ok("1".to_owned()));
    assert_eq!(world.asked.lock().unwrap()[0], "lipa guest https://api.example/ other.example");
}
