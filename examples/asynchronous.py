"""Await tasks, several at a time. Here on the embedded backend; see sync.py for Hugging Face's servers."""

import asyncio

from hf_tools import AsyncHfInference

REVIEWS = ["The soup was cold.", "The waiters are friendly.", "Far too expensive."]


async def main() -> None:
    """Classify all reviews at once."""
    async with AsyncHfInference(provider="local") as hf:
        calls = [hf.zero_shot_classification(review, ["food", "staff", "price"]) for review in REVIEWS]
        for review, labels in zip(REVIEWS, await asyncio.gather(*calls), strict=True):
            print(f"{labels[0].label:<8} {review}")


asyncio.run(main())
