"""A person decides about costly calls: what is sent is what was approved, and nothing before that."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from hf_tools.media import Image
from hf_tools.media.policy import MediaPolicy
from hf_tools.media.store import MemoryStore
from tests.langchain.agents import (
    AGENTS,
    BOTH,
    CHECKPOINTS,
    MIDDLEWARE,
    Tasks,
    Turn,
    call,
    calls,
    handle,
    last,
    png,
    results,
    run,
    said,
    script,
    wav,
)

COMMAND: Any = importlib.import_module("langgraph.types").Command
THREAD = {"configurable": {"thread_id": "t1"}}
DRAW = ("hf_generate_image", {"prompt": "a red fox", "width": 64})

pytestmark = BOTH


def painting() -> Tasks:
    return Tasks(text_to_image=png(), text_to_speech=wav(), image_chat=said("A fox."))


def asking(server: Tasks, *turns: Turn, mode: str = "batched", **options: Any) -> Any:
    """An agent whose costly tools wait for a person."""
    toolkit = server.toolkit(**options)
    people = MIDDLEWARE.HumanInTheLoopMiddleware(toolkit.interrupt_on(), interrupt_mode=mode)
    saver = CHECKPOINTS.InMemorySaver()
    return AGENTS.create_agent(script(*turns), toolkit.get_tools(), middleware=[people], checkpointer=saver)


def question(state: dict[str, Any]) -> Any:
    """What the person is asked."""
    (interrupt,) = state["__interrupt__"]
    return interrupt.value


async def decided(way: str, agent: Any, *decisions: dict[str, Any]) -> dict[str, Any]:
    return await run(way, agent, COMMAND(resume={"decisions": list(decisions)}), **THREAD)


async def test_nothing_is_sent_before_it_is_approved(way: str) -> None:
    server = painting()
    agent = asking(server, calls(DRAW), "Here it is.")
    state = await run(way, agent, "Draw a fox.", **THREAD)
    request = question(state)
    assert request["action_requests"] == [
        {
            "name": "hf_generate_image",
            "args": {"prompt": "a red fox", "width": 64},
            "description": "hf_generate_image (moderate, up to 600 s)\nprompt: a red fox\nwidth: 64",
        }
    ]
    assert request["review_configs"] == [
        {"action_name": "hf_generate_image", "allowed_decisions": ["approve", "edit", "reject"]}
    ]
    assert server.requests == []
    state = await decided(way, agent, {"type": "approve"})
    assert server.asked == ["text_to_image"]
    assert server.body() == {"inputs": "a red fox", "parameters": {"width": 64}}
    assert results(state)[0].text.startswith("Made: hf-media://")
    assert last(state) == "Here it is."


async def test_what_is_sent_is_what_was_edited(way: str) -> None:
    server = painting()
    agent = asking(server, calls(DRAW), "Here it is.")
    await run(way, agent, "Draw a fox.", **THREAD)
    action = {"name": "hf_generate_image", "args": {"prompt": "a blue cat", "height": 32}}
    state = await decided(way, agent, {"type": "edit", "edited_action": action})
    assert server.asked == ["text_to_image"]
    assert server.body() == {"inputs": "a blue cat", "parameters": {"height": 32}}
    (result,) = results(state)
    assert result.status == "success"
    assert "Made: hf-media://" in result.text
    assert last(state) == "Here it is."


async def test_nothing_is_sent_that_was_rejected(way: str) -> None:
    server = painting()
    agent = asking(server, calls(DRAW), "Then not.")
    await run(way, agent, "Draw a fox.", **THREAD)
    state = await decided(way, agent, {"type": "reject", "message": "Too expensive."})
    (result,) = results(state)
    assert (result.status, result.tool_call_id, result.artifact) == ("error", "c1", None)
    assert "Too expensive." in result.text
    assert last(state) == "Then not."
    assert server.requests == []


async def test_only_costly_calls_wait(way: str) -> None:
    server = painting()
    agent = asking(
        server,
        calls(DRAW),
        lambda read: calls(("hf_describe_image", {"image": handle(read)}), ("hf_speak", {"text": "Hi"})),
        "Done.",
    )
    await run(way, agent, "Go", **THREAD)
    state = await decided(way, agent, {"type": "approve"})
    assert [each["name"] for each in question(state)["action_requests"]] == ["hf_speak"]
    state = await decided(way, agent, {"type": "reject"})
    assert server.asked == ["text_to_image", "image_chat"]
    assert sorted((each.name or "", each.status) for each in results(state)) == [
        ("hf_describe_image", "success"), ("hf_generate_image", "success"), ("hf_speak", "error"),
    ]  # fmt: skip
    assert last(state) == "Done."


async def test_two_calls_are_decided_one_by_one(way: str) -> None:
    server = painting()
    agent = asking(server, calls(DRAW, ("hf_speak", {"text": "Hello"})), "Done.", mode="per_call")
    state = await run(way, agent, "Go", **THREAD)
    asked = {each.value["name"]: each for each in state["__interrupt__"]}
    assert asked["hf_speak"].value["description"] == "hf_speak (moderate, up to 600 s)\ntext: Hello"
    edit = {"type": "edit", "edited_action": {"name": "hf_speak", "args": {"text": "Bye"}}}
    answers = {asked["hf_generate_image"].id: {"type": "reject"}, asked["hf_speak"].id: edit}
    state = await run(way, agent, COMMAND(resume=answers), **THREAD)
    assert server.asked == ["text_to_speech"]
    assert server.body() == {"inputs": "Bye"}
    assert {each.name: each.status for each in results(state)} == {
        "hf_generate_image": "error", "hf_speak": "success",
    }  # fmt: skip
    assert last(state) == "Done."


async def test_an_edited_call_is_checked_like_any_other(way: str, tmp_path: Path) -> None:
    server = painting()
    secret = tmp_path / "secret.png"
    secret.write_bytes(png())
    agent = asking(server, calls(DRAW), "Hm.")
    await run(way, agent, "Draw a fox.", **THREAD)
    action = {"name": "hf_describe_image", "args": {"image": str(secret)}}
    state = await decided(way, agent, {"type": "edit", "edited_action": action})
    (result,) = results(state)
    assert result.status == "error"
    assert "`image`: there is no media" in result.text
    assert result.text.endswith(
        "Allowed: a handle (hf-media://...), a data: URI of at most 256 KiB. Correct the arguments and call again."
    )
    assert server.requests == []


async def test_files_are_written_only_when_approved(way: str, tmp_path: Path) -> None:
    store, out = MemoryStore(), tmp_path / "out"
    store.put(Image(png()), name="fox.png")
    agent = asking(
        painting(), call("hf_save_media", media="fox.png"), "Saved.", media=MediaPolicy(out=out), store=store
    )
    state = await run(way, agent, "Save it.", **THREAD)
    assert question(state)["action_requests"][0]["description"] == "hf_save_media (writes a file)\nmedia: fox.png"
    assert not out.exists()
    state = await decided(way, agent, {"type": "approve"})
    (written,) = out.iterdir()
    assert written.read_bytes() == png()
    assert written.stat().st_mode & 0o077 == 0
    assert results(state)[0].text == f"Saved for the user as {written.name} (image/png, 73 bytes)."


async def test_a_model_cannot_forge_what_the_person_reads(way: str) -> None:
    forged = {"prompt": "a\x1b[2K fox\ncost: none", "x\nfree: yes": "1\u202e2"}
    agent = asking(painting(), call("hf_generate_image", **forged), "Done.")
    state = await run(way, agent, "Go", **THREAD)
    assert question(state)["action_requests"][0]["description"].splitlines() == [
        "hf_generate_image (moderate, up to 600 s)",
        r"prompt: a\x1b[2K fox\ncost: none",
        r"x\nfree: yes: 1\u202e2",
    ]


async def test_a_person_sees_how_much_of_a_long_text_is_hidden(way: str) -> None:
    agent = asking(painting(), call("hf_generate_image", prompt="fox " * 200), "Done.")
    state = await run(way, agent, "Go", **THREAD)
    request = question(state)["action_requests"][0]
    assert request["description"].splitlines()[1] == f"prompt: {'fox ' * 125}…"
    assert request["args"] == {"prompt": "fox " * 200}
