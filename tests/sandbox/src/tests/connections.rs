use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::{Fault, Gate, Route, Sandbox};

#[test]
fn many_at_once() {
    let sandbox = Sandbox::start().unwrap();
    let gate = Gate::new();
    sandbox.always(Route::Canary, Fault::Hold(gate.clone()));
    let canary = sandbox.canary().unwrap();
    let address = canary.http.trim_start_matches("http://");
    let mut open: Vec<TcpStream> = (0..250).map(|_| TcpStream::connect(address).unwrap()).collect();
    for socket in &mut open {
        socket.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    }
    assert!(gate.wait_for(250, Duration::from_mins(1)));
    gate.release();
    for mut socket in open {
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[test]
fn a_connection_serves_many_requests() {
    let sandbox = Sandbox::start().unwrap();
    let canary = sandbox.canary().unwrap();
    let mut socket = TcpStream::connect(canary.http.trim_start_matches("http://")).unwrap();
    for _ in 0..3 {
        socket.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
    }
    assert_eq!((sandbox.count(Route::Canary), canary.connections()), (3, 1));
}

#[test]
fn the_end_of_the_sandbox_ends_everything() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(
        Route::Canary,
        [Fault::Silence, Fault::Hold(Gate::new()), Fault::Delay(Duration::from_hours(1))],
    );
    let canary = sandbox.canary().unwrap();
    let address = canary.http.trim_start_matches("http://").to_owned();
    let mut open: Vec<TcpStream> = (0..4).map(|_| TcpStream::connect(&address).unwrap()).collect();
    for socket in &mut open[..3] {
        socket.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    }
    while sandbox.count(Route::Canary) < 3 {
        std::thread::yield_now();
    }
    drop(sandbox);
    for mut socket in open {
        let mut answer = Vec::new();
        drop(socket.read_to_end(&mut answer));
        assert!(answer.is_empty());
    }
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn what_is_no_http_is_told_so() {
    let sandbox = Sandbox::start().unwrap();
    let canary = sandbox.canary().unwrap();
    let mut socket = TcpStream::connect(canary.http.trim_start_matches("http://")).unwrap();
    socket.write_all(b"\x16\x03\x01 not http\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(sandbox.total(), 0);
}
