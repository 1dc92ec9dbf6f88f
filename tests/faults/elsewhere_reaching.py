"""Faults 1 to 66 that are tried in tests of their own, by number."""

from __future__ import annotations

_REACHING, _HTTP, _EXCHANGE = (
    "tests/faults/test_reaching.py::",
    "tests/core/test_http.py::",
    "tests/core/test_exchange.py::",
)
_UNPACKING, _NETWORK, _BUDGET = (
    "tests/core/test_unpacking.py::",
    "tests/core/test_network.py::",
    "tests/core/test_budget.py::",
)
_PICTURES = "tests/tasks/test_image_generation.py::"

ELSEWHERE: dict[int, tuple[str, ...]] = {
    3: (_NETWORK + "test_a_silent_resolver_is_not_waited_for",),
    6: (_NETWORK + "test_a_handshake_that_is_cancelled_leaves_nothing_open",),
    8: (_NETWORK + "test_the_next_address_is_tried",),
    9: (_REACHING + "test_an_idle_connection_that_was_closed_costs_no_attempt",),
    10: (_REACHING + "test_a_full_pool_is_told", _REACHING + "test_a_full_pool_is_told_awaited"),
    11: (_REACHING + "test_a_thousand_calls_at_once",),
    37: (_HTTP + "test_the_cap_of_an_answer", _REACHING + "test_the_cap_holds_where_no_length_is_told"),
    41: (_UNPACKING + "test_a_bomb_takes_no_memory", _REACHING + "test_a_bomb_takes_no_memory_in_a_call"),
    43: (_PICTURES + "test_bad_answers",),
    58: (_BUDGET + "test_an_outage_costs_so_many_extra_calls",),
    61: (_EXCHANGE + "test_redirects_are_not_followed_for_a_client_that_would",),
    64: (_EXCHANGE + "test_a_redirect_to_no_address",),
    65: (_HTTP + "test_cookies_are_not_kept",),
}
NOT_OURS: dict[int, str] = {
    12: "HF_HUB_OFFLINE is the Hub client's switch for its downloads; a server at hand is called without a network.",
    44: "Pixels are not decoded here: bytes come back as they are, with the type that their first bytes have.",
}
