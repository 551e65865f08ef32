//! Ports on 127.0.0.1 that nobody uses.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::Error;

/// A free port that no other process is given by chance before its server listens.
///
/// A connection is made to it and closed from this side. The system then remembers the port for a minute, and does
/// not choose it for anybody who asks for just any; whoever asks for this one by number still gets it.
pub(crate) fn free() -> Result<u16, Error> {
    let reserve = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let client = TcpStream::connect(address)?;
        let (accepted, _) = listener.accept()?;
        // The side that closes first is the one that is remembered: it has to be the one with our port.
        drop(accepted);
        drop(client);
        Ok(address.port())
    };
    reserve().map_err(Error::io("looking for a free port"))
}
