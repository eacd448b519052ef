//! The languages that Whisper knows, and what people call them.

/// A language's English name in lower case, by Whisper's code for it.
pub fn language_name(code: &str) -> Option<&'static str> {
    let position = LANGUAGES.binary_search_by_key(&code, |(known, ..)| *known).ok()?;
    Some(LANGUAGES[position].1)
}

/// Whisper's code for a language as people write it: a code of two or three letters, a tag such as `en-US` or `zh-Hant`,
/// or an English name.
pub fn language_code(written: &str) -> Option<&'static str> {
    let written = written.trim().to_lowercase();
    named(&written).or_else(|| tagged(&written)).or_else(|| named(written.split_once(" (")?.0))
}

fn named(name: &str) -> Option<&'static str> {
    let is_called = |(code, english, others): &&Row| *code == name || *english == name || others.contains(&name);
    LANGUAGES.iter().find(is_called).map(|(code, ..)| *code)
}

/// By a tag of BCP 47, or by its spelling in the names of locales. A dialect of Chinese that Whisper knows apart is its
/// own language; of all else, what follows the language makes no difference to it.
fn tagged(tag: &str) -> Option<&'static str> {
    let (language, rest) = tag.split_once(['-', '_'])?;
    let mut subtags = rest.split(['-', '_']);
    let is_subtag = |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.chars().all(|c| c.is_ascii_alphanumeric());
    if !(2..=3).contains(&language.len()) || !subtags.clone().all(is_subtag) {
        return None;
    }
    match (language, subtags.next()) {
        ("zh", Some("yue")) => Some("yue"),
        _ => named(language),
    }
}

type Row = (&'static str, &'static str, &'static [&'static str]);

/// Code, name, and what else people write: the codes of ISO 639 that are not Whisper's own, and other names. Sorted by
/// code.
const LANGUAGES: [Row; 100] = [
    ("af", "afrikaans", &["afr"]),
    ("am", "amharic", &["amh"]),
    ("ar", "arabic", &["ara"]),
    ("as", "assamese", &["asm"]),
    ("az", "azerbaijani", &["aze"]),
    ("ba", "bashkir", &["bak"]),
    ("be", "belarusian", &["bel", "belorussian"]),
    ("bg", "bulgarian", &["bul"]),
    ("bn", "bengali", &["ben"]),
    ("bo", "tibetan", &["bod", "tib"]),
    ("br", "breton", &["bre"]),
    ("bs", "bosnian", &["bos"]),
    ("ca", "catalan", &["cat", "valencian"]),
    ("cs", "czech", &["ces", "cze"]),
    ("cy", "welsh", &["cym", "wel"]),
    ("da", "danish", &["dan"]),
    ("de", "german", &["deu", "ger"]),
    ("el", "greek", &["ell", "gre", "modern greek"]),
    ("en", "english", &["eng"]),
    ("es", "spanish", &["spa", "castilian"]),
    ("et", "estonian", &["est"]),
    ("eu", "basque", &["eus", "baq"]),
    ("fa", "persian", &["fas", "per", "farsi"]),
    ("fi", "finnish", &["fin"]),
    ("fo", "faroese", &["fao"]),
    ("fr", "french", &["fra", "fre"]),
    ("gl", "galician", &["glg"]),
    ("gu", "gujarati", &["guj"]),
    ("ha", "hausa", &["hau"]),
    ("haw", "hawaiian", &[]),
    ("he", "hebrew", &["heb", "iw"]),
    ("hi", "hindi", &["hin"]),
    ("hr", "croatian", &["hrv"]),
    ("ht", "haitian creole", &["hat", "haitian"]),
    ("hu", "hungarian", &["hun"]),
    ("hy", "armenian", &["hye", "arm"]),
    ("id", "indonesian", &["ind", "in"]),
    ("is", "icelandic", &["isl", "ice"]),
    ("it", "italian", &["ita"]),
    ("ja", "japanese", &["jpn"]),
    ("jw", "javanese", &["jav", "jv"]),
    ("ka", "georgian", &["kat", "geo"]),
    ("kk", "kazakh", &["kaz"]),
    ("km", "khmer", &["khm"]),
    ("kn", "kannada", &["kan"]),
    ("ko", "korean", &["kor"]),
    ("la", "latin", &["lat"]),
    ("lb", "luxembourgish", &["ltz", "letzeburgesch"]),
    ("ln", "lingala", &["lin"]),
    ("lo", "lao", &["lao"]),
    ("lt", "lithuanian", &["lit"]),
    ("lv", "latvian", &["lav"]),
    ("mg", "malagasy", &["mlg"]),
    ("mi", "maori", &["mri", "mao", "māori"]),
    ("mk", "macedonian", &["mkd", "mac"]),
    ("ml", "malayalam", &["mal"]),
    ("mn", "mongolian", &["mon"]),
    ("mr", "marathi", &["mar"]),
    ("ms", "malay", &["msa", "may"]),
    ("mt", "maltese", &["mlt"]),
    ("my", "myanmar", &["mya", "bur", "burmese"]),
    ("ne", "nepali", &["nep"]),
    ("nl", "dutch", &["nld", "dut", "flemish"]),
    ("nn", "nynorsk", &["nno", "norwegian nynorsk"]),
    ("no", "norwegian", &["nor", "nb", "nob", "bokmål", "bokmal"]),
    ("oc", "occitan", &["oci"]),
    ("pa", "punjabi", &["pan", "panjabi"]),
    ("pl", "polish", &["pol"]),
    ("ps", "pashto", &["pus", "pushto"]),
    ("pt", "portuguese", &["por"]),
    ("ro", "romanian", &["ron", "rum", "mo", "moldavian", "moldovan"]),
    ("ru", "russian", &["rus"]),
    ("sa", "sanskrit", &["san"]),
    ("sd", "sindhi", &["snd"]),
    ("si", "sinhala", &["sin", "sinhalese"]),
    ("sk", "slovak", &["slk", "slo"]),
    ("sl", "slovenian", &["slv"]),
    ("sn", "shona", &["sna"]),
    ("so", "somali", &["som"]),
    ("sq", "albanian", &["sqi", "alb"]),
    ("sr", "serbian", &["srp"]),
    ("su", "sundanese", &["sun"]),
    ("sv", "swedish", &["swe"]),
    ("sw", "swahili", &["swa", "kiswahili"]),
    ("ta", "tamil", &["tam"]),
    ("te", "telugu", &["tel"]),
    ("tg", "tajik", &["tgk"]),
    ("th", "thai", &["tha"]),
    ("tk", "turkmen", &["tuk"]),
    ("tl", "tagalog", &["tgl", "fil", "filipino"]),
    ("tr", "turkish", &["tur"]),
    ("tt", "tatar", &["tat"]),
    ("uk", "ukrainian", &["ukr"]),
    ("ur", "urdu", &["urd"]),
    ("uz", "uzbek", &["uzb"]),
    ("vi", "vietnamese", &["vie"]),
    ("yi", "yiddish", &["yid", "ji"]),
    ("yo", "yoruba", &["yor"]),
    ("yue", "cantonese", &[]),
    ("zh", "chinese", &["zho", "chi", "cmn", "mandarin"]),
];

#[cfg(test)]
mod tests {
    use super::{LANGUAGES, language_code, language_name};

    #[test]
    fn languages_are_known_as_people_write_them() {
        for (written, code) in [
            ("en", Some("en")),
            ("EN", Some("en")),
            ("English", Some("en")),
            (" english ", Some("en")),
            ("English (United States)", Some("en")),
            ("en-US", Some("en")),
            ("en_GB", Some("en")),
            ("eng", Some("en")),
            ("pt-BR", Some("pt")),
            ("ger", Some("de")),
            ("deu", Some("de")),
            ("zh-CN", Some("zh")),
            ("zh-Hant", Some("zh")),
            ("zh-Hant-TW", Some("zh")),
            ("cmn-Hans-CN", Some("zh")),
            ("zh-yue", Some("yue")),
            ("yue-HK", Some("yue")),
            ("jv", Some("jw")),
            ("nb-NO", Some("no")),
            ("fil", Some("tl")),
            ("haw", Some("haw")),
            ("Haitian Creole", Some("ht")),
            ("Castilian", Some("es")),
            ("klingon", None),
            ("xx", None),
            ("xx-US", None),
            ("en-", None),
            ("en-United States", None),
            ("english-US", None),
            ("-en", None),
            ("e", None),
            ("", None),
            ("en,de", None),
        ] {
            assert_eq!(language_code(written), code, "{written:?}");
        }
    }

    #[test]
    fn no_two_languages_are_called_the_same() {
        assert!(LANGUAGES.is_sorted_by_key(|(code, ..)| *code));
        for (code, name, others) in LANGUAGES {
            assert_eq!(language_name(code), Some(name));
            for written in [code, name].iter().chain(others) {
                assert_eq!(language_code(written), Some(code), "{written}");
            }
        }
    }
}
