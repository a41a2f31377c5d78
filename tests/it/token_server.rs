//! A scripted service that gives tokens: HTTP on the loopback, with or without TLS.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};

use crate::smtp_server::Certificate;

/// How long the service waits for a client: no test hangs for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the service does with a request.
#[derive(Clone)]
pub enum Reply {
    /// Answers with this status and body.
    Answer(u16, String),
    /// Answers so in chunks of one byte.
    Chunked(String),
    /// Sends these bytes, whatever they are, and closes.
    Raw(Vec<u8>),
    /// Redirects to this address.
    Redirect(u16, String),
    /// Sends a body without end.
    Endless,
    /// Says nothing.
    Silence,
    /// Sends the status line and then a byte a second.
    Dribble,
    /// Closes the connection.
    Close,
}

/// Returns the usual answer: this token, for an hour.
pub fn gives(token: &str) -> Reply {
    let body =
        format!("{{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"{token}\"}}");
    Reply::Answer(200, body)
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// The first line.
    pub line: String,
    /// The header fields, the names in lower case.
    pub fields: BTreeMap<String, String>,
    /// The form.
    pub form: BTreeMap<String, String>,
}

/// A running service.
pub struct TokenServer {
    port: u16,
    scheme: &'static str,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl TokenServer {
    /// Starts a service that gives its first answer to the first request, and so on; the last one
    /// to all further ones.
    pub fn start(replies: Vec<Reply>) -> TokenServer {
        TokenServer::serve(replies, None)
    }

    /// The same over TLS.
    pub fn secure(replies: Vec<Reply>, certificate: &Arc<Certificate>) -> TokenServer {
        TokenServer::serve(replies, Some(Arc::clone(certificate)))
    }

    fn serve(replies: Vec<Reply>, certificate: Option<Arc<Certificate>>) -> TokenServer {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let scheme = if certificate.is_some() {
            "https"
        } else {
            "http"
        };
        let log = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, replies) = (Arc::clone(&log), replies.clone());
                let certificate = certificate.clone();
                thread::spawn(move || {
                    stream
                        .set_read_timeout(Some(PATIENCE))
                        .expect("socket option");
                    // A client that does not trust the certificate, or leaves, is no fault here.
                    let _ = match certificate {
                        None => talk(&mut { stream }, &replies, &log),
                        Some(certificate) => {
                            let tls = ServerConnection::new(certificate.config());
                            talk(
                                &mut StreamOwned::new(tls.expect("good"), stream),
                                &replies,
                                &log,
                            )
                        }
                    };
                });
            }
        });
        TokenServer {
            port,
            scheme,
            requests,
        }
    }

    /// Returns the address that tokens come from.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}/token", self.scheme, self.port)
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("log").clone()
    }
}

/// Returns an address where nobody listens.
pub fn nowhere() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    format!(
        "http://127.0.0.1:{}/token",
        listener.local_addr().expect("bound").port()
    )
}

fn talk(
    stream: &mut (impl Read + Write),
    replies: &[Reply],
    log: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let request = read(stream)?;
    let number = {
        let mut log = log.lock().expect("log");
        log.push(request);
        log.len() - 1
    };
    let head = |status: u16, more: &str| {
        format!("HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n{more}\r\n")
    };
    match &replies[number.min(replies.len() - 1)] {
        Reply::Answer(status, body) => {
            let head = head(*status, &format!("Content-Length: {}\r\n", body.len()));
            stream.write_all(format!("{head}{body}").as_bytes())?;
        }
        Reply::Chunked(body) => {
            stream.write_all(head(200, "Transfer-Encoding: chunked\r\n").as_bytes())?;
            for byte in body.bytes() {
                stream.write_all(&[b'1', b'\r', b'\n', byte, b'\r', b'\n'])?;
            }
            stream.write_all(b"0\r\n\r\n")?;
        }
        Reply::Raw(bytes) => stream.write_all(bytes)?,
        Reply::Redirect(status, to) => {
            let more = format!("Location: {to}\r\nContent-Length: 0\r\n");
            stream.write_all(head(*status, &more).as_bytes())?;
        }
        Reply::Endless => {
            stream.write_all(head(200, "Content-Length: 1000000000\r\n").as_bytes())?;
            let block = vec![b' '; 1 << 20];
            for _ in 0..1000 {
                stream.write_all(&block)?;
            }
        }
        Reply::Silence => {
            // Until the client leaves.
            let _ = stream.read(&mut [0]);
        }
        Reply::Dribble => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            while stream.write_all(b"x").and_then(|()| stream.flush()).is_ok() {
                thread::sleep(Duration::from_millis(300));
            }
        }
        Reply::Close => {}
    }
    stream.flush()
}

fn read(stream: &mut impl Read) -> std::io::Result<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break at;
        }
        more(stream, &mut bytes)?;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let fields: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = fields
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let length: usize = length.unwrap_or(0);
    while bytes.len() < end + 4 + length {
        more(stream, &mut bytes)?;
    }
    let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    let form = body.split('&').filter_map(|pair| pair.split_once('='));
    Ok(Request {
        line,
        fields,
        form: form
            .map(|(name, value)| (name.to_owned(), decoded(value)))
            .collect(),
    })
}

fn more(stream: &mut impl Read, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let mut block = [0; 4096];
    match stream.read(&mut block)? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        count => {
            bytes.extend_from_slice(&block[..count]);
            Ok(())
        }
    }
}

fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().expect("a digit"), rest.next().expect("a digit")];
                let digits = std::str::from_utf8(&digits).expect("digits");
                u8::from_str_radix(digits, 16).expect("digits")
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).expect("UTF-8")
}
