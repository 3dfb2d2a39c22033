//! Attacks by looking around: each logs what it found.

use crate::{Attack, Context};
use cofferdam_sdk::{Result, Step};
use std::time::Instant;

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("look-around", look_around),
    ("open-files", open_files),
    ("open-sockets", open_sockets),
    ("measure-clock", measure_clock),
    ("read-stream-error", read_stream_error),
];

fn look_around(_: &Context) -> Result<Step> {
    log::info!("environment {}", std::env::vars().count());
    log::info!("arguments {}", std::env::args().count());
    log::info!("terminal {}", std::io::IsTerminal::is_terminal(&std::io::stdout()));
    log::info!("input {}", std::io::read_to_string(std::io::stdin()).unwrap_or_default().len());
    Ok(Step::End)
}

fn open_files(_: &Context) -> Result<Step> {
    for path in ["/", ".", "/etc/passwd", "../../etc/passwd", "/proc/self/environ", "/data/../../etc/passwd"]
    {
        let found = std::fs::read_dir(path).is_ok() || std::fs::read(path).is_ok();
        log::info!("{path} {found}");
    }
    Ok(Step::End)
}

fn open_sockets(_: &Context) -> Result<Step> {
    use wasip2::sockets::{instance_network, ip_name_lookup, network, tcp_create_socket, udp_create_socket};
    let family = network::IpAddressFamily::Ipv4;
    let code =
        |result: Option<network::ErrorCode>| result.map_or("allowed".into(), |code| code.name().to_owned());
    log::info!("tcp {}", code(tcp_create_socket::create_tcp_socket(family).err()));
    log::info!("udp {}", code(udp_create_socket::create_udp_socket(family).err()));
    let network = instance_network::instance_network();
    log::info!("lookup {}", code(ip_name_lookup::resolve_addresses(&network, "localhost").err()));
    Ok(Step::End)
}

/// The smallest step of the clock, in microseconds.
fn measure_clock(_: &Context) -> Result<Step> {
    let mut smallest = u128::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        let mut now = began;
        while now == began {
            now = Instant::now();
        }
        smallest = smallest.min((now - began).as_micros());
    }
    log::info!("smallest step {smallest}");
    Ok(Step::End)
}

/// What the host tells of a stream that failed: a directory that is read as a file.
fn read_stream_error(_: &Context) -> Result<Step> {
    use wasip2::filesystem::{preopens, types};
    let (directory, _) = preopens::get_directories().remove(0);
    let empty = types::PathFlags::empty();
    let opened = directory.open_at(empty, ".", types::OpenFlags::empty(), types::DescriptorFlags::READ);
    let stream = opened.and_then(|file| file.read_via_stream(0).map(|stream| (stream, file)));
    let text = match &stream {
        Ok((stream, _)) => match stream.blocking_read(10) {
            Err(wasip2::io::streams::StreamError::LastOperationFailed(error)) => error.to_debug_string(),
            other => format!("{other:?}"),
        },
        Err(code) => code.name().to_owned(),
    };
    log::info!("{text}");
    Ok(Step::End)
}
