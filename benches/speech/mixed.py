"""A recording that changes its language every 20 to 60 s, and how well it was understood.

    python mixed.py make CORPUS FOLDER SECONDS SEED
    python mixed.py peer MODEL FOLDER THREADS
    python mixed.py score FOLDER < RESULTS

CORPUS has dense.flac and dense.txt of English, and of other languages in folders named by their codes; prompts lie one
to a line, and at least 0.18 s of digital silence follows each. `make` writes mixed.wav, the stretches of one language
as recordings of their own (00.wav and on), and stretches.json, which tells where each lies, its language and its text.

`score` reads {"mixed": RESULT, "pieces": [RESULT, ...]}, where a RESULT has `text` and `segments` with `start`, `end`
and `language`, and prints one JSON object: the share of speech whose language is right, and both word error rates.
`peer` prints such results of faster-whisper's, batched, with its `multilingual`; its segments tell no language.
"""

import json
import pathlib
import random
import re
import sys
import unicodedata

RATE = 16_000
SHORTEST_SILENCE = 3_000
NUMBERS = dict(zip("zero oh one two three four five six seven eight nine ten".split(), "0 0 1 2 3 4 5 6 7 8 9 10".split()))


def prompts(folder):
    import numpy
    import soundfile

    sound, rate = soundfile.read(folder / "dense.flac", dtype="int16")
    assert rate == RATE
    texts = (folder / "dense.txt").read_text().splitlines()
    edges = numpy.diff(numpy.concatenate([[0], sound == 0, [0]]).astype(int))
    silences = zip(numpy.where(edges == 1)[0], numpy.where(edges == -1)[0])
    silences = [(start, end) for start, end in silences if end - start >= SHORTEST_SILENCE]
    assert len(silences) == len(texts), f"{folder}: {len(silences)} silences, {len(texts)} texts"
    starts = [0] + [end for _, end in silences[:-1]]
    return [(sound[start:end], text) for start, (end, _), text in zip(starts, silences, texts)]


def make(corpus, out, seconds, seed):
    import numpy
    import soundfile

    chance = random.Random(seed)
    folders = {"en": corpus} | {f.parent.name: f.parent for f in sorted(corpus.glob("*/dense.flac"))}
    pools = {code: chance.sample(found, len(found)) for code, found in ((c, prompts(f)) for c, f in folders.items())}
    used = dict.fromkeys(pools, 0)
    stretches, sounds, at, language = [], [], 0, None
    while at < seconds * RATE:
        language = chance.choice([code for code in pools if code != language])
        goal = chance.uniform(20, 60) * RATE
        pieces, texts, spoken, length = [], [], [], 0
        while length < goal:
            sound, text = pools[language][used[language] % len(pools[language])]
            used[language] += 1
            silence = int(chance.uniform(0.3, 0.8) * RATE)
            spoken.append([(at + length) / RATE, (at + length + len(sound)) / RATE])
            pieces += [sound, numpy.zeros(silence, numpy.int16)]
            texts.append(text)
            length += len(sound) + silence
        stretch = numpy.concatenate(pieces)
        soundfile.write(out / f"{len(stretches):02}.wav", stretch, RATE)
        stretches.append({"language": language, "spoken": spoken, "text": " ".join(texts)})
        sounds.append(stretch)
        at += length
    soundfile.write(out / "mixed.wav", numpy.concatenate(sounds), RATE)
    (out / "stretches.json").write_text(json.dumps(stretches))


def words(text):
    text = unicodedata.normalize("NFKD", text.lower())
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = text.replace("-", " ").replace("\u2019", "'").replace("&", " and ")
    text = re.sub(r"[^\w' ]|_", " ", re.sub(r"\[[^\]]*\]|\([^)]*\)", " ", text))
    return [NUMBERS.get(word, word).replace("'", "") for word in text.split()]


def errors(said, heard):
    said, heard = words(said), words(heard)
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1]


def right_share(stretches, segments):
    """Of moments in which somebody speaks and a segment says so."""
    right = heard = 0
    for stretch in stretches:
        for start, end in stretch["spoken"]:
            for tenth in range(int(start * 10), int(end * 10)):
                here = [s.get("language") for s in segments if s["start"] <= tenth / 10 < s["end"]]
                heard += bool(here)
                right += stretch["language"] in here
    return right / max(heard, 1)


def score(folder):
    stretches = json.loads((folder / "stretches.json").read_text())
    results = json.load(sys.stdin)
    said = " ".join(stretch["text"] for stretch in stretches)
    total = len(words(said))
    alone = sum(errors(s["text"], piece["text"]) for s, piece in zip(stretches, results["pieces"]))
    mixed = results["mixed"]
    has_languages = any("language" in segment for segment in mixed["segments"])
    print(json.dumps({
        "language_right": round(right_share(stretches, mixed["segments"]), 4) if has_languages else None,
        "wer": round(errors(said, mixed["text"]) / total, 4),
        "wer_alone": round(alone / total, 4),
    }))


def peer(model, folder, threads):
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    pipeline = BatchedInferencePipeline(WhisperModel(model, device="cpu", compute_type="int8", cpu_threads=threads))

    def result(name, **options):
        segments, _ = pipeline.transcribe(str(folder / name), batch_size=8, **options)
        segments = [{"start": one.start, "end": one.end, "text": one.text} for one in segments]
        return {"text": "".join(one["text"] for one in segments), "segments": segments}

    stretches = json.loads((folder / "stretches.json").read_text())
    pieces = [result(f"{index:02}.wav", language=one["language"]) for index, one in enumerate(stretches)]
    print(json.dumps({"mixed": result("mixed.wav", multilingual=True), "pieces": pieces}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", corpus, out, seconds, seed]:
            make(pathlib.Path(corpus), pathlib.Path(out), float(seconds), int(seed))
        case ["peer", model, folder, threads]:
            peer(model, pathlib.Path(folder), int(threads))
        case ["score", folder]:
            score(pathlib.Path(folder))
