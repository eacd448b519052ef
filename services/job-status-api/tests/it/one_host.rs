//! A proxy that shows both services under one host, by the paths of deploy/kubernetes/overlays/example/ingress.yaml.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

/// Gives the port.
pub(crate) async fn serve(ingestion: String, status: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(forward(client, ingestion.clone(), status.clone()));
        }
    });
    port
}

/// One request, by its path. Whoever breaks off is missed by nobody.
async fn forward(mut client: TcpStream, ingestion: String, status: String) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let address = if path.starts_with("/ingest/") { ingestion } else { status };
    let mut service = TcpStream::connect(address).await.unwrap();
    service.write_all(head.replace("keep-alive", "close").as_bytes()).await.ok();
    copy_bidirectional(&mut client, &mut service).await.ok();
}
