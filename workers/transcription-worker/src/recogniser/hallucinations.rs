//! Phrases that Whisper often hallucinates where nobody speaks: captions end with them.
//!
//! People say some of them, too, so a phrase counts only where little speech was heard.

/// Letters and digits only, in lower case.
const COMMON_HALLUCINATIONS: [&str; 28] = [
    "you",
    "thankyou",
    "thanks",
    "thankyouverymuch",
    "thankyouforwatching",
    "thankyousomuchforwatching",
    "thanksforwatching",
    "thankyouforlistening",
    "pleasesubscribe",
    "likeandsubscribe",
    "bye",
    "byebye",
    "okay",
    "oh",
    "so",
    "theend",
    "subtitlesbytheamaraorgcommunity",
    "untertitelderamaraorgcommunity",
    "untertitelimauftragdeszdffürfunk2017",
    "vielendank",
    "soustitresréalisésparalacommunautédamaraorg",
    "merci",
    "gracias",
    "продолжениеследует",
    "спасибозапросмотр",
    "ご視聴ありがとうございました",
    "谢谢观看",
    "시청해주셔서감사합니다",
];

pub(super) fn is_common_hallucination(text: &str) -> bool {
    let letters: String = text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    COMMON_HALLUCINATIONS.contains(&letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_common_hallucination;

    #[test]
    fn case_and_punctuation_do_not_hide_a_phrase() {
        for (text, expected) in [
            (" Thank you.", true),
            ("Untertitel der Amara.org-Community", true),
            ("Продолжение следует...", true),
            (" Thank you for calling.", false),
            ("", false),
        ] {
            assert_eq!(is_common_hallucination(text), expected, "{text}");
        }
    }
}
