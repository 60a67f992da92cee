"""Every probe, in the order of its id."""

from __future__ import annotations

from proveout.ready.probes import (
    acceptance,
    content,
    events,
    moment,
    pressure,
    repeats,
    signature,
)

PROBES = (
    acceptance.P01,
    pressure.P02,
    signature.P03,
    signature.P04,
    signature.P05,
    signature.P06,
    content.P07,
    content.P08,
    moment.P09,
    moment.P10,
    signature.P11,
    signature.P12,
    content.P13,
    acceptance.P14,
    repeats.P15,
    repeats.P16,
    repeats.P17,
    pressure.P18,
    repeats.P19,
    events.P20,
    events.P21,
    acceptance.P22,
    repeats.P23,
)
