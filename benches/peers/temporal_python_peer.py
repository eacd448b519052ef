"""Runs workflows of three activities that do nothing, with Temporal's Python SDK.

    TEMPORAL_ADDRESS=localhost:7233 python temporal_python_peer.py WORKFLOWS CONCURRENCY

Worker and client are one process. Prints {"seconds"}, from the first submission to the last end.
"""

import asyncio
import json
import os
import sys
import time
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

QUEUE = "python-peer"


@activity.defn
async def nothing(step: int) -> int:
    return step


@workflow.defn
class ThreeSteps:
    @workflow.run
    async def run(self) -> None:
        for step in range(3):
            await workflow.execute_activity(nothing, step, start_to_close_timeout=timedelta(seconds=60))


async def main() -> None:
    workflows, concurrency = int(sys.argv[1]), int(sys.argv[2])
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    room = asyncio.Semaphore(concurrency)

    async def one(number: int) -> None:
        async with room:
            await client.execute_workflow(ThreeSteps.run, id=f"python-peer-{number}", task_queue=QUEUE)

    async with Worker(client, task_queue=QUEUE, workflows=[ThreeSteps], activities=[nothing]):
        started = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(workflows)))
        print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)
    # The SDK's threads now and then bring the interpreter down while it ends.
    os._exit(0)


# The SDK imports this file anew for every workflow.
if __name__ == "__main__":
    asyncio.run(main())
