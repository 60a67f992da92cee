"""The catalogue: every rule of the scan, in the order of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proveout.ready.scan.rules import (
    blocks_event_loop,
    debug_server,
    effect_before_check,
    effect_in_retry,
    effect_no_key,
    error_swallowed,
    global_state,
    http_no_timeout,
    model_in_handler,
    model_no_retry,
    model_no_timeout,
    model_output_eval,
    model_output_html,
    model_output_path,
    model_output_sent,
    model_output_shell,
    model_output_sql,
    model_output_unchecked,
    no_health_endpoint,
    print_only_logging,
    retry_without_end,
    secret_in_code,
    suppression_broken,
    unbounded_agent_loop,
    untrusted_prompt,
    webhook_compare,
    webhook_no_dedup,
    webhook_parsed_first,
    webhook_slow,
    webhook_swallows,
    webhook_unsigned,
)

if TYPE_CHECKING:
    from proveout.ready.scan.rule import Rule

RULES: tuple[Rule, ...] = (
    model_no_timeout.RULE,
    model_no_retry.RULE,
    model_output_unchecked.RULE,
    model_in_handler.RULE,
    unbounded_agent_loop.RULE,
    untrusted_prompt.RULE,
    model_output_eval.RULE,
    model_output_sql.RULE,
    model_output_shell.RULE,
    model_output_html.RULE,
    model_output_path.RULE,
    model_output_sent.RULE,
    effect_no_key.RULE,
    effect_in_retry.RULE,
    effect_before_check.RULE,
    webhook_unsigned.RULE,
    webhook_parsed_first.RULE,
    webhook_compare.RULE,
    webhook_slow.RULE,
    webhook_no_dedup.RULE,
    webhook_swallows.RULE,
    secret_in_code.RULE,
    http_no_timeout.RULE,
    blocks_event_loop.RULE,
    retry_without_end.RULE,
    error_swallowed.RULE,
    global_state.RULE,
    no_health_endpoint.RULE,
    print_only_logging.RULE,
    debug_server.RULE,
    suppression_broken.RULE,
)

BY_CODE = {rule.code: rule for rule in RULES}
"""Every rule by its code."""
