"""Faults of streams that are tried in tests of their own, by number: leaving early is no answer and no error."""

from __future__ import annotations

_EXITS, _AWAITED = "tests/faults/test_streaming_exits.py::", "tests/faults/test_streaming_exits_awaited.py::"
_OBJECTS, _IDLE = "tests/streaming/test_stream_objects.py::", "tests/streaming/test_stream_idle.py::"
_BOUNDS = "tests/streaming/test_stream_bounds.py::"

ELSEWHERE: dict[int, tuple[str, ...]] = {
    80: (_OBJECTS + "test_silence_ends_a_stream",),
    82: (
        _IDLE + "test_a_stream_that_is_only_kept_alive_ends",
        _IDLE + "test_a_stream_that_is_only_kept_alive_ends_awaited",
        _IDLE + "test_comments_keep_a_stream_alive_that_is_silent_for_longer",
        _IDLE + "test_the_chat_model_has_the_same_patience",
    ),
    83: (_BOUNDS + "test_a_stream_has_a_limit",),
    84: (
        _BOUNDS + "test_an_event_in_small_pieces_takes_linear_time",
        _BOUNDS + "test_a_line_without_an_end_is_held_up_to_the_limit",
    ),
    101: (
        _EXITS + "test_a_stream_that_is_left_is_closed",
        _EXITS + "test_a_stream_of_the_chat_model_that_is_left_is_closed",
        _EXITS + "test_a_block_that_is_left_closes_the_stream_at_once",
        _EXITS + "test_the_pool_has_its_connections_back",
        _AWAITED + "test_a_stream_that_is_left_is_closed",
        _AWAITED + "test_a_stream_of_the_chat_model_that_is_left_is_closed",
        _AWAITED + "test_a_block_that_is_left_closes_the_stream_at_once",
        _AWAITED + "test_the_pool_has_its_connections_back",
        _AWAITED + "test_the_end_of_the_event_loop_closes_what_is_left",
    ),
    102: (
        _EXITS + "test_streams_that_are_never_read_send_nothing",
        _AWAITED + "test_streams_that_are_never_read_send_nothing",
    ),
    103: (
        _EXITS + "test_temporary_clients_stay_while_their_stream_is_read",
        _AWAITED + "test_temporary_clients_stay_while_their_stream_is_read",
    ),
    104: (
        _OBJECTS + "test_a_stream_is_read_once",
        _OBJECTS + "test_a_stream_is_awaited_once",
        _OBJECTS + "test_two_threads_at_once",
        _OBJECTS + "test_two_tasks_at_once",
    ),
}
NOT_OURS: dict[int, str] = {}
"""All faults of streams concern us."""
