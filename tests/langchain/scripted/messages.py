"""The messages of a request, read as OpenAI and vLLM read them.

Parts are those of OpenAI (`text`, `image_url`, `input_audio`, `file`, `refusal`) and vLLM (`video_url`, `audio_url`);
a part of any other type, such as the blocks of LangChain or Anthropic, is refused as there.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from typing import Any

from tests.langchain.scripted.refusals import Refused, is_list, need, need_list, need_object, need_one_of, need_text

ROLES = ("system", "developer", "user", "assistant", "tool")
FIELDS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "refusal", "reasoning_content", "reasoning"},
    "tool": {"role", "content", "tool_call_id", "name"},
}
"""`name` of a tool message and the reasoning of an assistant's are vLLM's; OpenAI ignores the former."""
MEDIA = ("image_url", "input_audio", "file", "video_url", "audio_url")
NAME = re.compile(r"[^\s<|\\/>]{1,64}")
FUNCTION = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def check_messages(messages: list[Any], *, tool_media: bool) -> None:
    """Refuse what a server refuses; `tool_media` says whether tool messages may hold media (vLLM) or not (OpenAI)."""
    open_calls: set[str] = set()
    for place, given in enumerate(messages):
        where = f"messages[{place}]"
        message = need_object(given, where)
        role = need_text(message.get("role"), f"{where}.role")
        need_one_of(role, f"{where}.role", ROLES)
        extra = sorted(set(message) - FIELDS[role])
        need(not extra, f"Unknown parameter: '{where}.{extra[0] if extra else ''}'.")
        if role != "tool":
            need(not open_calls, f"{CALLS_FIRST} The following tool_call_ids had none: {', '.join(open_calls)}")
        check_content(message, where, allowed_parts(role, tool_media))
        if "name" in message:
            name = need_text(message["name"], f"{where}.name")
            need(NAME.fullmatch(name) is not None, f"Invalid '{where}.name': string does not match pattern.")
        if role == "tool":
            answer_call(message, where, open_calls)
        elif "tool_calls" in message:
            open_calls = check_calls(message["tool_calls"], f"{where}.tool_calls")
    need(not open_calls, f"{CALLS_FIRST} The following tool_call_ids had none: {', '.join(open_calls)}")


CALLS_FIRST = "An assistant message with 'tool_calls' must be followed by tool messages responding to each call."


def answer_call(message: dict[str, Any], where: str, open_calls: set[str]) -> None:
    number = need_text(message.get("tool_call_id"), f"{where}.tool_call_id")
    about = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"
    need(number in open_calls, f"Invalid parameter: {about}.")
    open_calls.remove(number)


def check_calls(given: Any, where: str) -> set[str]:
    """The ids of the calls."""
    numbers: set[str] = set()
    for place, value in enumerate(need_list(given, where)):
        call = need_object(value, f"{where}[{place}]")
        need_one_of(call.get("type"), f"{where}[{place}].type", ("function",))
        need(set(call) <= {"id", "type", "function", "index"}, f"Unknown parameter in '{where}[{place}]'.")
        numbers.add(need_text(call.get("id"), f"{where}[{place}].id"))
        function = need_object(call.get("function"), f"{where}[{place}].function")
        name = need_text(function.get("name"), f"{where}[{place}].function.name")
        need(FUNCTION.fullmatch(name) is not None, f"Invalid '{where}[{place}].function.name'.")
        check_arguments(need_text(function.get("arguments"), f"{where}[{place}].function.arguments"))
    return numbers


def check_arguments(text: str) -> None:
    """vLLM reads the arguments of earlier calls as JSON for its template."""
    try:
        json.loads(text)
    except ValueError as error:
        raise Refused(f"the arguments of a tool call are not JSON: {error}") from None


def allowed_parts(role: str, tool_media: bool) -> tuple[str, ...]:
    if role == "user" or (role == "tool" and tool_media):
        return ("text", *MEDIA)
    return ("text", "refusal") if role == "assistant" else ("text",)


def check_content(message: dict[str, Any], where: str, allowed: tuple[str, ...]) -> None:
    content = message.get("content")
    if content is None:
        may = message["role"] == "assistant" and bool(message.get("tool_calls"))
        need(may, f"Invalid value for '{where}.content': expected a string, got null.")
    elif is_list(content):
        for place, value in enumerate(need_list(content, f"{where}.content")):
            check_part(need_object(value, f"{where}.content[{place}]"), f"{where}.content[{place}]", allowed)
    else:
        need_text(content, f"{where}.content")


def check_part(part: dict[str, Any], where: str, allowed: tuple[str, ...]) -> None:
    kind = need_text(part.get("type"), f"{where}.type")
    need_one_of(kind, f"{where}.type", allowed)
    extra = set(part) - {"type", kind, "uuid", "cache_control"}  # OpenAI and vLLM ignore these two
    need(not extra, f"Unknown parameter in '{where}': {sorted(extra)}.")
    PARTS[kind](part.get(kind), f"{where}.{kind}")


def check_url(kind: str) -> Callable[[Any, str], None]:
    """An http(s) address or a data URI of this kind of media."""

    def check(given: Any, where: str) -> None:
        value = need_object(given, where)
        need(set(value) <= {"url", "detail"}, f"Unknown parameter in '{where}'.")
        need_one_of(value.get("detail", "auto"), f"{where}.detail", ("auto", "low", "high"))
        url = need_text(value.get("url"), f"{where}.url")
        if not url.startswith(("http://", "https://")):
            check_data_uri(url, f"{where}.url", kind)

    return check


def check_data_uri(url: str, where: str, kind: str) -> None:
    found = re.fullmatch(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", url, re.DOTALL)
    if found is None or not found[1].startswith(kind):
        raise Refused(f"Invalid '{where}': expected a URL or a base64-encoded data URL with the MIME type of {kind}.")
    check_base64(found[2], where)


def check_base64(text: str, where: str) -> None:
    try:
        need(len(base64.b64decode(text, validate=True)) > 0, f"Invalid '{where}': no data.")
    except binascii.Error:
        raise Refused(f"Invalid '{where}': expected base64-encoded data.") from None


def check_audio(given: Any, where: str) -> None:
    audio = need_object(given, where)
    need_one_of(audio.get("format"), f"{where}.format", ("wav", "mp3"))
    check_base64(need_text(audio.get("data"), f"{where}.data"), f"{where}.data")


def check_file(given: Any, where: str) -> None:
    """OpenAI takes an uploaded file's id, or data with a name."""
    file = need_object(given, where)
    need(set(file) <= {"file_id", "file_data", "filename"}, f"Unknown parameter in '{where}'.")
    if "file_id" in file:
        need_text(file["file_id"], f"{where}.file_id")
        return
    need_text(file.get("filename"), f"{where}.filename")
    check_data_uri(need_text(file.get("file_data"), f"{where}.file_data"), f"{where}.file_data", "application/")


PARTS: dict[str, Callable[[Any, str], object]] = {
    "text": need_text,
    "refusal": need_text,
    "image_url": check_url("image/"),
    "video_url": check_url("video/"),
    "audio_url": check_url("audio/"),
    "input_audio": check_audio,
    "file": check_file,
}
