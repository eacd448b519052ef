//! A whole, tiny model goes both ways, and damaged ones are refused.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use half::f16;

use super::{
    Shape, convert_ctranslate2,
    file::{Element, F16_WEIGHTS, Header, Q8_0_WEIGHTS, TensorHead, copy, read_u32},
    inspect, quantise_q8_0,
};

const STATE: u32 = 32;
const SIZES: Header = Header {
    vocabulary: 6,
    audio_context: 10,
    audio_state: STATE,
    audio_heads: 2,
    audio_layers: 1,
    text_context: 8,
    text_state: STATE,
    text_heads: 2,
    text_layers: 1,
    mels: 80,
    precision: F16_WEIGHTS,
};
const TOKENIZER: &str = r#"{"model": {"vocab": {"a": 0, "Ġb": 1, "": 2, "<|endoftext|>": 3}},
    "added_tokens": [{"id": 3, "content": "<|endoftext|>"}, {"id": 4, "content": "<|startoftranscript|>"}]}"#;

struct Folder(tempfile::TempDir);

impl Folder {
    fn with_model(model: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("model.bin"), model).unwrap();
        std::fs::write(folder.path().join("tokenizer.json"), TOKENIZER).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn convert(&self) -> Result<(), String> {
        let converted =
            convert_ctranslate2(&self.file("model.bin"), &self.file("tokenizer.json"), &self.file("f16.bin"));
        converted.map_err(|error| error.to_string())
    }

    fn quantise(&self) -> Result<(), String> {
        quantise_q8_0(&self.file("f16.bin"), &self.file("q8.bin")).map_err(|error| error.to_string())
    }
}

#[test]
fn every_tensor_arrives_under_its_name_with_its_numbers() {
    let folder = Folder::with_model(&ctranslate2_model());
    folder.convert().unwrap();
    let ggml = GgmlFile::read(&folder.file("f16.bin"));
    assert_eq!(ggml.header, SIZES);
    assert_eq!(ggml.tokens, [&b"a"[..], b" b", b""]);
    for (name, source, first_row, dimensions, element) in [
        ("encoder.positional_embedding", "encoder/position_encodings/encodings", 0, &[32, 10][..], Element::F32),
        ("encoder.conv1.weight", "encoder/conv1/weight", 0, &[3, 80, 32], Element::F16),
        ("encoder.conv2.bias", "encoder/conv2/bias", 0, &[1, 32], Element::F32),
        (
            "encoder.blocks.0.attn.key.weight",
            "encoder/layer_0/self_attention/linear_0/weight",
            32,
            &[32, 32],
            Element::F16,
        ),
        ("encoder.blocks.0.attn.value.bias", "encoder/layer_0/self_attention/linear_0/bias", 64, &[32], Element::F32),
        (
            "decoder.blocks.0.cross_attn.value.weight",
            "decoder/layer_0/attention/linear_1/weight",
            32,
            &[32, 32],
            Element::F16,
        ),
        ("decoder.blocks.0.mlp.2.weight", "decoder/layer_0/ffn/linear_1/weight", 0, &[128, 32], Element::F16),
        ("decoder.token_embedding.weight", "decoder/embeddings/weight", 0, &[32, 6], Element::F16),
        ("decoder.ln.bias", "decoder/layer_norm/beta", 0, &[32], Element::F32),
    ] {
        let tensor = ggml.tensor(name);
        assert_eq!((tensor.head.dimensions.as_slice(), tensor.head.element), (dimensions, element), "{name}");
        let row_length =
            if dimensions.len() == 1 { 1 } else { tensor.numbers.len() / dimensions[dimensions.len() - 1] as usize };
        let expected: Vec<f32> =
            (0..tensor.numbers.len()).map(|index| number(source, first_row * row_length + index)).collect();
        assert_eq!(tensor.numbers, expected, "{name}");
    }
    assert_eq!(ggml.tensors.len(), 5 + 15 + 2 + 2 + 24 + 2);
}

#[test]
fn quantising_keeps_everything_but_the_matrices() {
    let folder = Folder::with_model(&ctranslate2_model());
    folder.convert().unwrap();
    folder.quantise().unwrap();
    let (f16, q8) = (GgmlFile::read(&folder.file("f16.bin")), GgmlFile::read(&folder.file("q8.bin")));
    assert_eq!(q8.header, Header { precision: Q8_0_WEIGHTS, ..f16.header });
    assert_eq!(q8.tokens, f16.tokens);
    for (before, after) in f16.tensors.iter().zip(&q8.tensors) {
        let name = &before.head.name;
        let is_matrix = before.head.dimensions.len() == 2 && before.head.element == Element::F16;
        assert_eq!(after.head.element == Element::Q8_0, is_matrix, "{name}");
        assert_eq!((&after.head.name, &after.head.dimensions), (name, &before.head.dimensions));
        let tolerance = if is_matrix { 0.01 } else { 0.0 };
        let worst =
            before.numbers.iter().zip(&after.numbers).map(|(left, right)| (left - right).abs()).fold(0.0, f32::max);
        assert!(worst <= tolerance, "{name} is off by {worst}");
    }
    folder.quantise().unwrap();
    let again = quantise_q8_0(&folder.file("q8.bin"), &folder.file("again.bin")).unwrap_err().to_string();
    assert!(again.contains("nothing to quantise"), "{again}");
}

#[test]
fn damaged_and_foreign_files_are_refused_and_leave_nothing() {
    let model = ctranslate2_model();
    let cut = |length: usize| model[..length].to_vec();
    let renamed = |from: &str, to: &str| {
        let at = model.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut renamed = model.clone();
        renamed[at..at + to.len()].copy_from_slice(to.as_bytes());
        renamed
    };
    for (model, expected) in [
        (Vec::new(), "it ends in the middle"),
        (b"ID3\x04 this is music".to_vec(), "it is no CTranslate2 model"),
        (cut(model.len() / 2), "it ends in the middle"),
        (renamed("WhisperSpec", "Transformer"), "it is a Transformer"),
        (renamed("encoder/conv1/bias", "encoder/conv7/bias"), "it has no encoder/conv1/bias"),
    ] {
        let folder = Folder::with_model(&model);
        let error = folder.convert().unwrap_err();
        assert!(error.contains("model.bin") && error.contains(expected), "{error}");
        assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 2, "only the two inputs are there");
    }
    let folder = Folder::with_model(&model);
    folder.convert().unwrap();
    let whole = std::fs::read(folder.file("f16.bin")).unwrap();
    for (content, expected) in
        [(&whole[..whole.len() - 5], "it ends in the middle"), (b"RIFF....", "it is not a ggml file")]
    {
        std::fs::write(folder.file("f16.bin"), content).unwrap();
        let error = folder.quantise().unwrap_err();
        assert!(error.contains("f16.bin") && error.contains(expected), "{error}");
        assert!(!folder.file("q8.bin").exists());
    }
}

#[test]
fn a_whole_file_is_told_from_a_damaged_one_without_reading_its_weights() {
    let folder = Folder::with_model(&ctranslate2_model());
    folder.convert().unwrap();
    folder.quantise().unwrap();
    for name in ["f16.bin", "q8.bin"] {
        let path = folder.file(name);
        let shape = Shape { multilingual: false, languages: 0, audio_layers: 1, text_layers: 1, mels: 80 };
        assert_eq!(inspect(&path).unwrap(), shape);
        let whole = std::fs::read(&path).unwrap();
        // The header's fifth size, and the length of the first token.
        let (layers, token) = (5 * 4, 48 + 8 + 80 * 201 * 4 + 4);
        let overwritten = |at: usize| [&whole[..at], &u32::MAX.to_le_bytes(), &whole[at + 4..]].concat();
        for (content, expected) in [
            (Vec::new(), "it ends in the middle"),
            (b"RIFF....".to_vec(), "it is not a ggml file"),
            (whole[..48].to_vec(), "it ends in the middle"),
            (whole[..whole.len() / 2].to_vec(), "it ends in the middle"),
            (whole[..whole.len() - 1].to_vec(), "it ends in the middle"),
            (overwritten(layers), "it is damaged"),
            (overwritten(token), "it is damaged"),
        ] {
            std::fs::write(&path, &content).unwrap();
            let error = inspect(&path).unwrap_err().to_string();
            assert!(error.contains(expected), "{error} for {} bytes", content.len());
        }
    }
}

/// The number at a place of a tensor, another one for every tensor and place, exact in 16 bits.
fn number(source: &str, index: usize) -> f32 {
    let seed = source.bytes().fold(7_usize, |seed, byte| (seed * 31 + usize::from(byte)) % 1009);
    (((seed + 13 * index) % 1021) as f32 - 510.0) / 1024.0
}

fn ctranslate2_model() -> Vec<u8> {
    let linear = |name: &str, inputs: u32, outputs: u32| {
        vec![(format!("{name}/weight"), vec![outputs, inputs]), (format!("{name}/bias"), vec![outputs])]
    };
    let norm = |name: &str| vec![(format!("{name}/gamma"), vec![STATE]), (format!("{name}/beta"), vec![STATE])];
    let mut tensors = vec![
        ("encoder/position_encodings/encodings".to_owned(), vec![SIZES.audio_context, STATE]),
        ("encoder/conv1/weight".to_owned(), vec![STATE, SIZES.mels, 3]),
        ("encoder/conv1/bias".to_owned(), vec![STATE]),
        ("encoder/conv2/weight".to_owned(), vec![STATE, STATE, 3]),
        ("encoder/conv2/bias".to_owned(), vec![STATE]),
        ("decoder/position_encodings/encodings".to_owned(), vec![SIZES.text_context, STATE]),
        ("decoder/embeddings/weight".to_owned(), vec![SIZES.vocabulary, STATE]),
    ];
    for side in ["encoder", "decoder"] {
        let layer = format!("{side}/layer_0");
        tensors.extend(linear(&format!("{layer}/self_attention/linear_0"), STATE, 3 * STATE));
        tensors.extend(linear(&format!("{layer}/self_attention/linear_1"), STATE, STATE));
        tensors.extend(linear(&format!("{layer}/ffn/linear_0"), STATE, 4 * STATE));
        tensors.extend(linear(&format!("{layer}/ffn/linear_1"), 4 * STATE, STATE));
        tensors.extend(
            [format!("{layer}/self_attention/layer_norm"), format!("{layer}/ffn/layer_norm")]
                .iter()
                .flat_map(|name| norm(name)),
        );
        tensors.extend(norm(&format!("{side}/layer_norm")));
    }
    tensors.extend(linear("decoder/layer_0/attention/linear_0", STATE, STATE));
    tensors.extend(linear("decoder/layer_0/attention/linear_1", STATE, 2 * STATE));
    tensors.extend(linear("decoder/layer_0/attention/linear_2", STATE, STATE));
    tensors.extend(norm("decoder/layer_0/attention/layer_norm"));

    let mut model = 6_u32.to_le_bytes().to_vec();
    push_name(&mut model, "WhisperSpec");
    model.extend(3_u32.to_le_bytes());
    model.extend((tensors.len() as u32 + 2).to_le_bytes());
    for side in ["encoder", "decoder"] {
        push_name(&mut model, &format!("{side}/num_heads"));
        model.extend([0, 2, 2, 0, 0, 0, 2, 0]);
    }
    for (name, dimensions) in tensors {
        push_name(&mut model, &name);
        model.push(dimensions.len() as u8);
        model.extend(dimensions.iter().flat_map(|size| size.to_le_bytes()));
        let elements: u32 = dimensions.iter().product();
        model.push(4);
        model.extend((elements * 2).to_le_bytes());
        model.extend((0..elements as usize).flat_map(|index| f16::from_f32(number(&name, index)).to_le_bytes()));
    }
    model
}

fn push_name(model: &mut Vec<u8>, name: &str) {
    model.extend((name.len() as u16 + 1).to_le_bytes());
    model.extend(name.as_bytes());
    model.push(0);
}

struct GgmlFile {
    header: Header,
    tokens: Vec<Vec<u8>>,
    tensors: Vec<Tensor>,
}

struct Tensor {
    head: TensorHead,
    numbers: Vec<f32>,
}

impl GgmlFile {
    fn read(path: &Path) -> Self {
        let mut file = File::open(path).unwrap();
        let header = Header::read(&mut file).unwrap();
        let (bands, bins) = (read_u32(&mut file).unwrap(), read_u32(&mut file).unwrap());
        assert_eq!((bands, bins), (80, 201));
        copy(&mut file, &mut std::io::sink(), 80 * 201 * 4).unwrap();
        let count = read_u32(&mut file).unwrap();
        let tokens = (0..count).map(|_| read_bytes(&mut file)).collect();
        let mut tensors = Vec::new();
        while let Some(head) = TensorHead::read(&mut file).unwrap() {
            let numbers = read_numbers(&mut file, &head);
            tensors.push(Tensor { head, numbers });
        }
        Self { header, tokens, tensors }
    }

    fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.iter().find(|tensor| tensor.head.name == name).unwrap()
    }
}

fn read_bytes(file: &mut File) -> Vec<u8> {
    let length = read_u32(file).unwrap();
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes).unwrap();
    bytes
}

fn read_numbers(file: &mut File, head: &TensorHead) -> Vec<f32> {
    let elements = head.elements() as usize;
    let mut read = |bytes: usize| {
        let mut buffer = vec![0; bytes];
        file.read_exact(&mut buffer).unwrap();
        buffer
    };
    match head.element {
        Element::F32 => read(elements * 4).as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        Element::F16 => {
            read(elements * 2).as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect()
        }
        Element::Q8_0 => read(elements / 32 * 34).chunks(34).flat_map(dequantise).collect(),
        other => panic!("{other:?} is not written here"),
    }
}

fn dequantise(block: &[u8]) -> impl Iterator<Item = f32> {
    let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
    block[2..].iter().map(move |byte| f32::from(byte.cast_signed()) * scale)
}
