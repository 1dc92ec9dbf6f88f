"""Faults of lifecycles, requests, jobs and media that are tried in tests of their own, by number."""

from __future__ import annotations

_CANCEL, _THREADS = "tests/faults/test_lifecycle_cancel.py::", "tests/faults/test_lifecycle_threads.py::"
_PROCESS, _REQUESTS = "tests/faults/test_lifecycle_process.py::", "tests/faults/test_lifecycle_requests.py::"
_JOBS, _ROOTS = "tests/providers/test_jobs.py::", "tests/media/test_root_files.py::"
_HANGS = "tests/faults/test_misbehaviours_hangs.py::"
_GUARD, _LOADS = "tests/core/test_guarded_network.py::", "tests/core/test_guarded_downloads.py::"

ELSEWHERE: dict[int, tuple[str, ...]] = {
    105: (
        _CANCEL + "test_cancelled_at_any_suspension",
        _CANCEL + "test_a_server_that_is_silent_and_a_call_that_is_given_up",
    ),
    106: (_CANCEL + "test_a_wait_between_attempts_ends_at_once",),
    107: (
        _CANCEL + "test_nested_timeouts",
        _CANCEL + "test_the_time_of_the_call_within_a_longer_one_of_the_caller",
        _CANCEL + "test_no_timeout_is_held_while_the_reader_works",
        _CANCEL + "test_anyio_scopes",
    ),
    108: (
        _THREADS + "test_one_awaiting_client_in_event_loops_one_after_the_other_and_side_by_side",
        "tests/core/test_http.py::test_a_loop_closed_without_ceremony_is_forgotten",
        "tests/core/test_http.py::test_a_loop_that_ends_leaves_nothing_behind",
    ),
    109: (_THREADS + "test_a_blocking_client_in_a_running_event_loop",),
    110: (_THREADS + "test_a_tool_is_invoked_in_a_thread_beside_the_loop_and_awaited_in_it",),
    111: (
        _THREADS + "test_one_client_in_64_threads_gives_everyone_the_own_answer",
        _THREADS + "test_a_closed_client_says_so",
    ),
    112: (
        _PROCESS + "test_no_answer_crosses_into_another_process",
        "tests/faults/test_misbehaviours.py::test_m09_no_answer_of_a_forked_process_reaches_another_one",
    ),
    113: (
        _THREADS + "test_a_copy_works_by_connections_of_its_own",
        _THREADS + "test_a_token_that_was_found_is_in_no_pickle_and_is_found_anew",
        _THREADS + "test_a_client_of_the_callers_own_is_not_copied",
        "tests/langchain/test_connection.py::test_a_pickle_holds_a_passed_key_but_never_a_found_one",
    ),
    114: (_THREADS + "test_a_client_that_is_dropped_closes_its_connections_without_a_word",),
    115: (_PROCESS + "test_the_interpreter_ends_at_once_and_without_a_word",),
    116: (_PROCESS + "test_ctrl_c_ends_what_blocks_within_a_second_and_closes_the_connection",),
    117: (_THREADS + "test_a_closed_client_says_so",),
    118: (
        _PROCESS + "test_a_token_that_has_changed_is_found_by_the_next_client",
        "tests/core/test_exchange.py::test_a_401_says_which_token_it_was",
    ),
    119: (_PROCESS + "test_a_clock_that_is_put_back_or_forward_changes_no_wait",),
    120: (
        _PROCESS + "test_memory_stays_flat",
        "tests/faults/test_soak.py::test_every_answer_is_its_own_calls_and_nothing_is_left",
    ),
    121: (
        _REQUESTS + "test_a_header_cannot_be_smuggled_in",
        _REQUESTS + "test_a_model_cannot_change_the_request",
        _REQUESTS + "test_an_address_cannot_change_the_request",
    ),
    122: (
        "tests/core/test_auth.py::test_an_hf_token_crosses_no_network_in_the_clear",
        "tests/core/test_auth.py::test_an_ambient_token_goes_to_hugging_face_only",
    ),
    123: (
        "tests/langchain/test_tools_named.py::test_a_model_is_named_by_its_id_alone",
        "tests/core/test_routes.py::test_model_ids_that_are_refused",
    ),
    124: (
        "tests/core/test_exchange.py::test_a_file_object_is_read_once_and_sent_again",
        _REQUESTS + "test_what_is_sent_again_is_whole",
    ),
    125: (_REQUESTS + "test_an_upload_that_stalls_ends",),
    126: (
        _JOBS + "test_a_job_that_fails_or_is_in_a_state_that_nobody_knows",
        _HANGS + "test_m11_a_job_that_has_failed_ends_the_call_and_waiting_blocks_no_event_loop",
    ),
    127: (
        _JOBS + "test_when_the_time_is_used_up_the_job_can_be_taken_up_again",
        _JOBS + "test_a_question_that_outlasts_the_deadline_leaves_the_job",
    ),
    128: (
        _JOBS + "test_two_failures_in_a_row_are_borne",
        _JOBS + "test_the_third_is_raised_with_the_handle",
        _JOBS + "test_who_asks_too_often_waits_as_long_as_the_provider_says",
    ),
    129: (
        _JOBS + "test_an_address_of_another_origin_is_not_asked",
        _JOBS + "test_an_address_stays_below_the_base_that_took_the_job",
        "tests/providers/test_tokens.py::test_a_poll_that_is_glued_to_a_host_is_not_asked_there",
    ),
    130: (_JOBS + "test_a_result_that_cannot_be_had", _JOBS + "test_the_time_for_a_download"),
    131: ("tests/providers/test_novita.py::test_a_job_that_made_nothing",),
    134: (
        "tests/tasks/test_classification.py::test_wrong_shapes",
        "tests/tasks/test_classification.py::test_case_9_a_score_that_is_null_or_nan",
        "tests/tasks/test_image.py::test_boxes",
    ),
    135: (
        _ROOTS + "test_links_pipes_and_directories_are_refused",
        _ROOTS + "test_a_link_that_takes_the_place_of_a_directory_is_not_followed",
        _ROOTS + "test_a_file_that_may_not_be_read",
        _ROOTS + "test_names_that_are_refused",
        "tests/media/test_policy.py::test_a_file_is_read_up_to_its_cap",
        "tests/media/test_sources.py::test_a_pipe_is_refused_and_not_waited_for",
    ),
    136: (
        _GUARD + "test_the_connection_goes_to_the_address_that_was_checked",
        _GUARD + "test_the_next_request_is_checked_again",
        _LOADS + "test_redirects_are_followed_and_each_is_checked",
        _LOADS + "test_answers_that_are_refused",
        _LOADS + "test_an_endless_body_ends_at_the_cap",
        _LOADS + "test_a_packed_body_is_refused_before_it_is_unpacked",
        "tests/langchain/test_tools_media_urls.py::test_redirects_to_elsewhere_are_not_followed",
    ),
    137: (
        _JOBS + "test_what_on_progress_raises_is_logged_once",
        "tests/langchain/test_embeddings_fields.py::test_a_progress_hook_that_fails_loses_no_vectors",
    ),
    138: (
        "tests/media/test_directory_store.py::test_what_cannot_be_written_leaves_nothing",
        "tests/media/test_directory_store.py::test_damaged_bytes_are_noticed_and_mended_by_the_next_put",
        "tests/local/test_local_weights.py::test_a_cache_that_cannot_be_written_is_no_error",
    ),
}  # fmt: skip
"""132 and 133 are in the table. Scores beyond 0 and 1 are given as they are (134): some models answer with logits."""
NOT_OURS: dict[int, str] = {}
"""All of them concern us."""
