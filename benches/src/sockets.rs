//! Raw reads and writes on a socket, so that no library code runs between the system call and the timestamp.

use std::io::{self, ErrorKind};

use tokio::net::TcpStream;

/// Appends the available bytes to `buffer` and returns their number; 0 once the other side has closed.
pub async fn read_some(stream: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
    let mut piece = [0; 16 * 1024];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut piece) {
            Ok(read) => {
                buffer.extend_from_slice(&piece[..read]);
                return Ok(read);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes all bytes to the socket, in one system call unless its buffer is full.
pub async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        // Trying first saves a trip through the reactor: the buffer of a socket is rarely full.
        match stream.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
