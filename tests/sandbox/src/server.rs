//! A listener on loopback: one thread accepts, one thread serves each connection, and all of them end with the sandbox.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::connection::{self, Wire};
use crate::http::{Request, Response};
use crate::route::{Route, Service};
use crate::world::World;

/// What a service answers.
pub(crate) trait Handler: Send + Sync + 'static {
    /// The listener's name in the log.
    fn service(&self) -> String;
    /// What is asked.
    fn route(&self, request: &Request) -> Route;
    /// The true answer.
    fn answer(&self, request: &Request) -> Response;
    /// A connection was made.
    fn connected(&self) {}
    /// These bytes arrived, in the clear.
    fn saw(&self, _bytes: &[u8]) {}
}

/// A listening service; dropping it closes its socket.
pub(crate) struct Server {
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a port of its own; `tls` names whose certificates to show, none is plain HTTP.
    pub(crate) fn start(
        world: &Arc<World>,
        tls: Option<Service>,
        handler: Arc<dyn Handler>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        #[cfg(unix)]
        rustix::net::listen(&listener, 1024)?; // the standard library's 128 is few for a fleet that starts at once
        let address = listener.local_addr()?;
        let world = Arc::clone(world);
        let accepting = thread::Builder::new()
            .name(handler.service())
            .spawn(move || accept(&world, tls, &handler, &listener))?;
        Ok(Self { address, accepting: Some(accepting) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    /// The world has been stopped by now; a last connection wakes the accepting thread so that it sees it.
    fn drop(&mut self) {
        drop(TcpStream::connect_timeout(&self.address, Duration::from_secs(1)));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
    }
}

fn accept(
    world: &Arc<World>,
    tls: Option<Service>,
    handler: &Arc<dyn Handler>,
    listener: &TcpListener,
) {
    for socket in listener.incoming() {
        if world.stop.stopped() {
            return;
        }
        // Out of file descriptors, or gone before we looked: the next one may do better.
        let Ok(socket) = socket else { continue };
        let (world, handler) = (Arc::clone(world), Arc::clone(handler));
        let spawned = thread::Builder::new().stack_size(STACK).spawn(move || {
            handler.connected();
            let Ok(number) = world.connections.add(&socket) else { return };
            if world.stop.stopped() {
                return; // the end came between accepting and adding: nobody would end this one
            }
            let config = tls.map(|service| world.certificates.config(service));
            if let Ok(wire) = Wire::new(socket, config) {
                connection::serve(&world, handler.as_ref(), wire, number);
            }
            world.connections.remove(number);
        });
        drop(spawned);
    }
}

/// Open connections, so that the end of the sandbox can end them.
#[derive(Default)]
pub(crate) struct Connections(std::sync::Mutex<(u64, std::collections::HashMap<u64, TcpStream>)>);

impl Connections {
    fn add(&self, socket: &TcpStream) -> io::Result<u64> {
        let socket = socket.try_clone()?;
        let mut open = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        open.0 += 1;
        let number = open.0;
        open.1.insert(number, socket);
        Ok(number)
    }

    pub(crate) fn remove(&self, number: u64) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1.remove(&number);
    }

    pub(crate) fn shut_down(&self) {
        for socket in self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1.values() {
            drop(socket.shutdown(Shutdown::Both));
        }
    }
}

const STACK: usize = 1024 * 1024;
