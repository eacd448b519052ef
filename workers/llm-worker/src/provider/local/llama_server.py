"""llama.cpp's HTTP server out of the library of the Python package xllamacpp, with the options of `llama-server` that
the LLM worker gives. It runs until it is killed."""

import argparse
import importlib.machinery
import importlib.util
import signal


def load(library):
    loader = importlib.machinery.ExtensionFileLoader("xllamacpp", library)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("xllamacpp", loader))
    loader.exec_module(module)
    return module


parser = argparse.ArgumentParser()
parser.add_argument("library")
parser.add_argument("--model")
parser.add_argument("--host")
for number in ("--ctx-size", "--parallel", "--threads"):
    parser.add_argument(number, type=int)
options = parser.parse_args()

xllamacpp = load(options.library)
params = xllamacpp.CommonParams()
params.model.path = options.model
params.hostnames = [options.host]
params.n_ctx = options.ctx_size
params.n_parallel = options.parallel
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
# Prompts that were answered would be kept, in up to 8 GB.
params.cache_ram_mib = 0
# It computes on the CPU: there is no device whose memory the model has to fit.
params.fit_params = False
params.warmup = False
params.ui = False
server = xllamacpp.Server(params)
signal.pause()
