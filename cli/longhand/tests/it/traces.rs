//! Traces on their way to an OTLP collector, and what happens where there is none.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::ResourceSpans,
};
use test_stack::{INGESTION, INGESTION_API, LLM, Stack, TRANSCRIPTION, free_port, sample};
use tokio::runtime::Runtime;
use tonic::{Request, Response, Status};

/// A collector that passes on whatever it gets.
struct Collector(Sender<ResourceSpans>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for spans in request.into_inner().resource_spans {
            self.0.send(spans).map_err(|_| Status::unavailable("the test is over"))?;
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn collector() -> (String, Receiver<ResourceSpans>) {
    let (sender, spans) = mpsc::channel();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || Runtime::new().unwrap().block_on(serve(listener, sender)));
    (endpoint, spans)
}

async fn serve(listener: TcpListener, sender: Sender<ResourceSpans>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(TraceServiceServer::new(Collector(sender.clone())));
        tokio::spawn(async move {
            Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await.unwrap();
        });
    }
}

#[test]
fn one_trace_holds_a_job_from_its_request_to_every_activity() {
    let (endpoint, spans) = collector();
    let mut stack = Stack::start_with(&[("LONGHAND_OTLP_ENDPOINT", &endpoint)]);
    stack.start_worker(INGESTION_API);
    hand_in(&format!("127.0.0.1:{}", stack.embedded().ports.ingestion_api), &[("language", "en"), ("llm", "summary")]);
    // Which services have a span in which trace.
    let mut traces: BTreeMap<Vec<u8>, BTreeSet<String>> = BTreeMap::new();
    let all = BTreeSet::from([INGESTION_API, INGESTION, TRANSCRIPTION, LLM].map(str::to_owned));
    while !traces.values().any(|services| *services == all) {
        let spans = spans.recv_timeout(std::time::Duration::from_secs(60)).unwrap_or_else(|_| panic!("{traces:?}"));
        let service = service(&spans);
        for span in spans.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            traces.entry(span.trace_id).or_default().insert(service.clone());
        }
    }
}

/// Posts the sample as a form does.
fn hand_in(address: &str, fields: &[(&str, &str)]) {
    let mut body = Vec::new();
    for (name, value) in fields {
        write!(body, "--x\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").unwrap();
    }
    write!(body, "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"jfk.flac\"\r\n\r\n").unwrap();
    body.extend(std::fs::read(sample()).unwrap());
    write!(body, "\r\n--x--\r\n").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "POST /v1/jobs HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n").unwrap();
    write!(stream, "content-type: multipart/form-data; boundary=x\r\ncontent-length: {}\r\n\r\n", body.len()).unwrap();
    stream.write_all(&body).unwrap();
    let answer = std::io::read_to_string(stream).unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
}

fn service(spans: &ResourceSpans) -> String {
    let attributes = spans.resource.iter().flat_map(|resource| &resource.attributes);
    let name = attributes.filter(|attribute| attribute.key == "service.name");
    match name.filter_map(|attribute| attribute.value.clone()?.value).next() {
        Some(Value::StringValue(name)) => name,
        other => panic!("no service's name: {other:?}"),
    }
}

#[test]
fn a_collector_that_is_away_silent_or_something_else_is_logged_once_and_stops_nothing() {
    // Accepts connections, and never answers.
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoints = [
        format!("http://127.0.0.1:{}", free_port()),
        format!("http://{}", silent.local_addr().unwrap()),
        "http://no-such-host.invalid:4317".to_owned(),
    ];
    for endpoint in endpoints {
        let stack = Stack::start_with(&[("LONGHAND_OTLP_ENDPOINT", &endpoint)]);
        stack.text(["transcribe", &sample(), "--language", "en", "--id", "untraced"]);
        test_stack::wait_until("the collector's absence is logged", || said(&stack) > 0);
        stack.text(["transcribe", &sample(), "--language", "en", "--words", "--id", "untraced-2"]);
        assert_eq!(stack.json(["show", "untraced-2", "--json"])["status"], "completed");
        assert_eq!(said(&stack), 1, "{}", stack.log_of(TRANSCRIPTION));
    }
}

fn said(stack: &Stack) -> usize {
    stack.log_of(TRANSCRIPTION).matches("traces do not reach the collector").count()
}
