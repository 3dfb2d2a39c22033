//! Name servers: whether they answer at all. They are asked who serves the root of all names, which says nothing of us.

use std::io;
use std::net::SocketAddr;

use egress::Dns;

use super::finding::{Finding, Topic::Names};

/// A name server, and whether it has answered.
type Asked = (SocketAddr, io::Result<()>);

pub(super) async fn findings(chosen: Vec<SocketAddr>) -> Vec<Finding> {
    let servers = match (Dns { servers: chosen, ..Dns::default() }).name_servers() {
        Ok(servers) => servers,
        Err(error) => return vec![none(&format!("the machine's name servers are not known: {error}"))],
    };
    let asked =
        servers.into_iter().map(|server| async move { (server, egress::ask_name_server(server).await) });
    judge(&futures::future::join_all(asked).await)
}

fn judge(asked: &[Asked]) -> Vec<Finding> {
    if asked.is_empty() {
        return vec![none("the machine has no name server")];
    }
    let is_in_vain = asked.iter().all(|(_, answer)| answer.is_err());
    asked.iter().map(|(server, answer)| judge_one(server, answer, is_in_vain)).collect()
}

fn judge_one(server: &SocketAddr, answer: &io::Result<()>, is_in_vain: bool) -> Finding {
    let Err(error) = answer else { return Finding::ok(Names, format!("the name server {server} answers")) };
    let seen = format!("the name server {server} does not answer: {error}");
    if is_in_vain {
        return Finding::fault(Names, seen, NO_HOST, MEND);
    }
    Finding::warning(Names, seen, "connections wait for it before another one is asked", MEND)
}

/// Files can be moved without a name server.
fn none(seen: &str) -> Finding {
    Finding::warning(Names, seen, NO_HOST, MEND)
}

const NO_HOST: &str = "no connector reaches a host by its name";
const MEND: &str = "correct `nameserver` in /etc/resolv.conf, or name one that answers with `--name-server ADDRESS`; a firewall \
                    must let UDP and TCP to its port 53 through";

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::super::finding::State::{self, Fault, Ok as Good, Warning};
    use super::{Asked, judge};

    #[test]
    fn one_name_server_that_answers_is_enough_to_go_on() {
        let asked = |is_answered: bool| -> Asked {
            let answer = if is_answered { Ok(()) } else { Err(Error::from(ErrorKind::TimedOut)) };
            ("192.0.2.1:53".parse().unwrap(), answer)
        };
        let cases: [(&[bool], &[State]); 5] = [
            (&[], &[Warning]),
            (&[true], &[Good]),
            (&[false], &[Fault]),
            (&[true, false], &[Good, Warning]),
            (&[false, false], &[Fault, Fault]),
        ];
        for (answers, expected) in cases {
            let asked: Vec<Asked> = answers.iter().copied().map(asked).collect();
            let states: Vec<State> = judge(&asked).iter().map(|finding| finding.state()).collect();
            assert_eq!(states, expected, "{answers:?}");
        }
    }
}
