//! A transcript as txt, json, verbose_json, srt or vtt.
