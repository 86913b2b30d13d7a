//! An authority's web server: the files of a folder, for as long as it is switched on.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Serves `/NAME` from a folder that may be named later.
#[derive(Clone)]
pub struct FileServer {
    pub url: String,
    folder: Arc<Mutex<PathBuf>>,
    on: Arc<AtomicBool>,
}

impl FileServer {
    /// Listens, and hangs up on everybody until it is switched on.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, folder: Arc::default(), on: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if serving.on.load(Ordering::Acquire) {
                    serving.answer(stream).await;
                }
            }
        });
        server
    }

    pub fn serve(&self, folder: PathBuf) {
        *self.folder.lock().unwrap() = folder;
        self.on.store(true, Ordering::Release);
    }

    pub fn switch_off(&self) {
        self.on.store(false, Ordering::Release);
    }

    async fn answer(&self, mut stream: TcpStream) {
        let mut request = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let line = String::from_utf8_lossy(&request).into_owned();
        let name = line.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
        let folder = self.folder.lock().unwrap().clone();
        let (status, body) = match std::fs::read(folder.join(name)) {
            Ok(body) => ("200 OK", body),
            Err(_) => ("404 Not Found", Vec::new()),
        };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        // Whoever asked may be gone.
        let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
    }
}
