use engine::{config::{IngestSettings, StoreSettings}, job::Source, plan::WorkUnit, store::{Store, keys}};
use std::time::Instant;
#[tokio::main]
async fn main() {
    let path = std::env::args().nth(1).unwrap();
    let unit: u32 = std::env::args().nth(2).map_or(180, |s| s.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&StoreSettings { url: Some(std::env::var("PROBE_STORE").unwrap_or(dir.path().display().to_string())) }).unwrap();
    let settings = IngestSettings { slots: 1, unit_seconds: unit, allow_private_urls: true, max_source_mb: 20000 };
    let source = if path.starts_with("http") { Source::Url(path) } else { Source::Path(path) };
    let t = Instant::now();
    let r = ingestion_worker::ingest(&store, &settings, &source, &Default::default(), |_| ()).await;
    let e = t.elapsed();
    match r {
        Err(e) => println!("{:?}: {}", e.kind, e.message),
        Ok(i) => {
            let mut audio = 0.0; let mut lens = vec![];
            for u in 0..i.plan.units {
                let w: WorkUnit = store.read_json(&keys::unit(&i.folder, u)).await.unwrap();
                for c in &w.chunks { audio += c.length as f64 / 16000.0; lens.push((c.length as f64 / 1600.0).round() / 10.0);
                    if std::env::var("SPANS").is_ok() { for s in &c.spans { println!("  chunk {} {:.2}-{:.2}", c.index, s.source as f64/16000.0, (s.source+s.length) as f64/16000.0); } } }
            }
            println!("{:?}\n chunk audio {audio:.1} s, mean {:.1}; {:?}", i.plan, audio / lens.len().max(1) as f64, if lens.len() < 60 { lens } else { vec![] });
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!(" {:.3} s, {}", e.as_secs_f64(), status.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
