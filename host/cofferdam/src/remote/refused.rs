//! What a server refuses, as a problem of the command.

use http::StatusCode;
use serde::Deserialize;

use super::client::{Answer, Client};
use crate::problem::{Problem, Problems, Whose};

/// Session or token do not hold.
const NOT_SIGNED_IN: &str = "CD1310";

/// The body of every refusal.
#[derive(Deserialize)]
struct Body {
    code: String,
    message: String,
    hint: String,
    request_id: String,
}

/// In the server's words: its codes are explained by this very program.
pub(super) async fn refused(client: &Client, status: StatusCode, answer: Answer) -> Problems {
    let bytes = match client.whole(answer.body).await {
        Ok(bytes) => bytes,
        Err(error) => return error.into(),
    };
    let Ok(body) = serde_json::from_slice::<Body>(&bytes) else {
        return client.strange(format!("it answers with the status {status}")).into();
    };
    told(body, status, &client.address.to_string()).into()
}

fn told(body: Body, status: StatusCode, server: &str) -> Problem {
    let Body { code, message, hint, request_id } = body;
    let is_signed_in = code != NOT_SIGNED_IN;
    let mut problem = Problem::new(code, message);
    problem.details.push(format!("said by {server}, request {request_id}"));
    // What is over for now, or a fault of what the server asks for us, is no fault of cofferdam.
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        problem.whose = Whose::Ours;
    }
    if is_signed_in {
        return problem.hint(hint);
    }
    problem
        .hint(format!("`cofferdam login --server {server}`; a token in COFFERDAM_TOKEN may have ended too"))
}

#[cfg(test)]
mod tests {
    use super::{Body, told};
    use crate::problem::Whose;
    use http::StatusCode;

    fn body(code: &str) -> Body {
        let [code, message, hint, request_id] = [code, "a", "b", "req_1"].map(ToOwned::to_owned);
        Body { code, message, hint, request_id }
    }

    #[test]
    fn whose_fault_it_is_follows_from_the_status() {
        for (status, whose) in
            [(400, Whose::Yours), (502, Whose::Yours), (503, Whose::Yours), (500, Whose::Ours)]
        {
            let problem = told(body("CD1242"), StatusCode::from_u16(status).unwrap(), "https://a");
            assert_eq!(problem.whose, whose, "{status}");
            assert!(problem.details[0].contains("req_1"), "{problem:?}");
            assert_eq!(problem.hints[0].text, "b");
        }
    }

    #[test]
    fn whoever_is_logged_out_is_told_how_to_come_in_again() {
        let problem = told(body("CD1310"), StatusCode::UNAUTHORIZED, "https://a");
        assert!(problem.hints[0].text.contains("cofferdam login --server https://a"), "{problem:?}");
    }
}
