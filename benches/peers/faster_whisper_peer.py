"""Transcribes one file with faster-whisper, batched, int8, with its own speech detection.

    python faster_whisper_peer.py MODEL_FOLDER AUDIO THREADS RUNS

Loads the model once, then prints one JSON line per run: {"seconds", "text"}. Loading is not part
of the seconds, as a Longhand worker has its model in memory, too.
"""

import json
import sys
import time

from faster_whisper import BatchedInferencePipeline, WhisperModel

folder, audio, threads, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
model = BatchedInferencePipeline(WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads))
for _ in range(runs):
    started = time.perf_counter()
    segments, _ = model.transcribe(audio, language="en", beam_size=1, batch_size=8)
    text = " ".join(segment.text.strip() for segment in segments)
    print(json.dumps({"seconds": time.perf_counter() - started, "text": text}), flush=True)
