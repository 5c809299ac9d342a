//! A webhook service as one would write it in axum.

use std::process::{Command, ExitCode};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use figures_logic::{Question, Stage, decide};

/// What makes this program a service.
pub const ARGUMENT: &str = "be-a-webhook-service";

pub fn command() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(ARGUMENT);
    Ok(command)
}

pub fn be() -> ExitCode {
    harness::process::end_with_parent();
    let router = Router::new().route("/readyz", get(|| async { "ready" })).route("/{stage}", post(answer));
    // On one thread: four services share the machine's processors, and are the faster for it.
    serve(tokio::runtime::Builder::new_current_thread(), router)
}

async fn answer(Path(stage): Path<Stage>, body: Bytes) -> Response {
    match serde_json::from_slice::<Question<'_>>(&body) {
        Ok(question) => axum::Json(decide(&question).of(stage)).into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

pub fn serve(mut threads: tokio::runtime::Builder, router: Router) -> ExitCode {
    let served = threads.enable_all().build().map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(async {
            let address = std::env::var("CARTWRIGHT_LISTEN")?;
            let listener = tokio::net::TcpListener::bind(address).await?.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            axum::serve(listener, router).await?;
            anyhow::Ok(())
        })
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
