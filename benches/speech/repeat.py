#!/usr/bin/env python3
"""repeat.py SECONDS OUTPUT.wav RECORDING...: the recordings one after the other, over and over, for so long.

They have one channel and the same rate. Needs soundfile.
"""
import itertools, sys

import soundfile

seconds, output, recordings = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
sounds = [soundfile.read(recording, dtype="int16") for recording in recordings]
rates = {rate for _, rate in sounds}
if len(rates) != 1:
    sys.exit(f"the recordings have different rates: {rates}")
rate = rates.pop()
left = int(seconds * rate)
with soundfile.SoundFile(output, "w", samplerate=rate, channels=1, subtype="PCM_16") as file:
    for samples, _ in itertools.cycle(sounds):
        if left <= 0:
            break
        file.write(samples[:left])
        left -= len(samples)
