//! llama.cpp's server, which answers with a local language model.

use std::{env::consts::ARCH, path::PathBuf};

use super::{Asset, Pin, pin, wheel_member};
use crate::{path_program::PathProgram, source::Source};

const PACKAGE: &str = "xllamacpp";
const VERSION: &str = "2026.10.11549";

/// llama.cpp's server: a `llama-server` on PATH, which may compute on a GPU, or the library of a Python package that
/// holds the same server for the CPU. The digests were measured; the library is MIT-licensed, as llama.cpp is.
pub fn llama_server() -> Asset {
    llama_server_on(ARCH)
}

fn llama_server_on(arch: &str) -> Asset {
    let library = match arch {
        "x86_64" => Some(pin("78dcbbfcc861ee3377554325dc12864829a76ec3de6f1882886d4a82a2def7f5", 105_964_808)),
        "aarch64" => Some(pin("d217f8da7094890dffa84ce3be7c88fa021e6e6e54f64f49d165df886ec62ed8", 104_232_856)),
        _ => None,
    };
    let wheel = |pin: Pin| Source::Wheel {
        parts: vec![wheel_member(PACKAGE, VERSION, &format!("{PACKAGE}/{PACKAGE}.abi3.so"))],
        pin,
    };
    Asset {
        name: "llama.cpp's server".to_owned(),
        file: PathBuf::from(format!("lib/{PACKAGE}-{VERSION}.so")),
        executable: false,
        on_path: Some(PathProgram { name: "llama-server".to_owned(), oldest: None }),
        sources: library.map(wheel).into_iter().collect(),
        alternative: "put a `llama-server` on PATH, or name one in LONGHAND_LLM_SERVER".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{PACKAGE, VERSION, llama_server_on};
    use crate::source::Source;

    #[test]
    fn the_images_of_the_llm_worker_hold_the_same_library() {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let read = |file: &str| std::fs::read_to_string(project.join(file)).unwrap();
        let dockerfile = read("dockerfiles/Dockerfile");
        for text in [&dockerfile, &read("benches/before/llm-worker.Dockerfile")] {
            assert!(text.contains(&format!("{PACKAGE}=={VERSION}")), "{VERSION}");
        }
        for arch in ["x86_64", "aarch64"] {
            let [Source::Wheel { pin, .. }] = &llama_server_on(arch).sources[..] else { panic!("no wheel for {arch}") };
            let line = format!("{arch}) digest={} ;;", pin.sha256);
            assert!(dockerfile.contains(&line), "dockerfiles/Dockerfile lacks {line}");
        }
    }
}
