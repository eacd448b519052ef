#!/usr/bin/env python3
"""edges.py CORPUS RECORDING > RECORDING-edges.tsv: when each prompt of a recording begins and ends to be heard.

The corpus has no times of words, but its recordings are put together from clips: the first word of a clip begins, and
its last word ends, where the clip's sound rises above and falls below 35 dB under its loudest parts. Needs ffmpeg.
"""
import array, pathlib, subprocess, sys

RATE, FRAME = 16000, 160


def samples(path):
    command = ["ffmpeg", "-v", "error", "-i", path, "-f", "s16le", "-ac", "1", "-ar", str(RATE), "-"]
    return array.array("h", subprocess.run(command, capture_output=True, check=True).stdout)


def heard(clip):
    power = [sum(s * s for s in clip[at:at + FRAME]) for at in range(0, len(clip) - FRAME + 1, FRAME)]
    loud = sorted(power)[len(power) * 95 // 100] * 10 ** -3.5
    frames = [frame for frame, value in enumerate(power) if value > loud]
    return frames[0] * FRAME, (frames[-1] + 1) * FRAME


def find(key, recording, begin):
    at = recording.find(key, begin)
    while at % 2 and at >= 0:
        at = recording.find(key, at + 1)
    return at


corpus, name = pathlib.Path(sys.argv[1]), sys.argv[2]
recording = samples(corpus / f"{name}.flac").tobytes()
position = 0
print("# begin_s\tend_s\tclip")
for line in (corpus / "clips.tsv").read_text().splitlines():
    file = line.split("\t")[0]
    clip = samples(corpus / "clips" / file)
    middle = len(clip) // 2
    found = find(clip[middle:middle + 400].tobytes(), recording, position)
    if found < 0:
        sys.exit(f"{file} is not in {name}.flac")
    start = found // 2 - middle
    begin, end = heard(clip)
    print(f"{(start + begin) / RATE:.2f}\t{(start + end) / RATE:.2f}\t{file}")
    position = 2 * (start + len(clip)) - 2000
