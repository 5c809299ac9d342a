//! An answer is read no further than it may be large, and is withheld when it repeats a secret.

use reqwest::Response;
use secrecy::{ExposeSecret as _, SecretString};

use super::{Refusal, policy};
use crate::domain::{HttpResponse, Unanswered};

/// A shorter text stands in an answer by chance.
const SECRET: usize = 8;

/// The body is counted as it is unpacked, so a small one that unpacks to a large one is no way around.
pub(super) async fn read(
    mut response: Response,
    most: usize,
    secrets: &[(String, SecretString)],
) -> Result<HttpResponse, Refusal> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(Refusal::of)? {
        if body.len().saturating_add(piece.len()) > most {
            let why = format!("its answer has more than {most} bytes (fetch.response_bytes)");
            return Err(Refusal::new(Unanswered::TooLarge, why));
        }
        body.extend_from_slice(&piece);
    }
    let answer =
        HttpResponse { status: response.status().as_u16(), headers: policy::told(response.headers()), body };
    if secrets.iter().any(|(_, secret)| repeats(&answer, secret)) {
        return Err(Refusal::denied("its answer repeats the secret that it was asked with".to_owned()));
    }
    Ok(answer)
}

/// The whole secret, or what stands behind a word like `Bearer`.
fn repeats(answer: &HttpResponse, secret: &SecretString) -> bool {
    let whole = secret.expose_secret();
    let last = whole.rsplit(' ').next().unwrap_or_default();
    [whole, last].into_iter().filter(|part| part.len() >= SECRET).any(|part| {
        answer.headers.iter().any(|(_, value)| value.contains(part))
            || answer.body.windows(part.len()).any(|window| window == part.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_repeats_the_secret_is_noticed() {
        let answer = |header: &str, body: &str| HttpResponse {
            status: 200,
            headers: vec![("etag".to_owned(), header.to_owned())],
            body: body.into(),
        };
        let secret = SecretString::from("Bearer 0123456789");
        assert!(repeats(&answer("", "{\"authorization\":\"Bearer 0123456789\"}"), &secret));
        assert!(repeats(&answer("", "token 0123456789."), &secret));
        assert!(repeats(&answer("0123456789", ""), &secret));
        assert!(!repeats(&answer("", "Bearer 012345678"), &secret));
        assert!(!repeats(&answer("", "a short one"), &SecretString::from("short")));
    }
}
