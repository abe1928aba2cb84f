"""Report of a chaos run, as a table and as JSON."""

from typing import Any

from verification.chaos.run import Outcome

MAX_SHOWN = 20


def as_json(outcome: Outcome) -> dict[str, Any]:
    log = outcome.log
    return {
        "seed": outcome.seed,
        "commands": len(log.commands),
        "acknowledged": log.acknowledgements,
        "kills": outcome.kills,
        "freezes": outcome.freezes,
        "starts with a jumping clock": outcome.jumping,
        "faults": outcome.faults,
        "lost": sum(len(each.lost) for each in outcome.findings),
        "duplicated": sum(len(each.duplicated) for each in outcome.findings),
        "wrong": sum(len(each.wrong) for each in outcome.findings),
        "poison": outcome.poison,
        "poison found": outcome.poison - len(outcome.finding("dead letters").lost),
        "repeats refused": len(log.repeats_refused),
        "recovery seconds": round(outcome.rest.seconds, 1),
        "findings": {
            each.name: {
                "expected": each.expected,
                "lost": len(each.lost),
                "duplicated": len(each.duplicated),
                "wrong": len(each.wrong),
            }
            for each in outcome.findings
        },
        "controls": {each.plant.value: each.shown for each in outcome.controls},
        "seconds": {name: round(value, 1) for name, value in outcome.seconds.items()},
        "problems": outcome.problems,
        "good": not outcome.problems,
    }


def as_table(outcome: Outcome) -> str:
    figures = as_json(outcome)
    lines = [
        f"{name:28} {value}"
        for name, value in figures.items()
        if not isinstance(value, (dict, list)) and name != "good"
    ]
    lines += [f"  {kind:26} {count}" for kind, count in figures["faults"].items()]
    lines += ["", f"{'promise':20} {'expected':>9} {'lost':>6} {'twice':>6} {'wrong':>6}"]
    lines += [
        f"{name:20} {each['expected']:9} {each['lost']:6} {each['duplicated']:6} {each['wrong']:6}"
        for name, each in figures["findings"].items()
    ]
    lines += ["", *(f"control, {each.text}" for each in outcome.controls)]
    lines += ["seconds: " + ", ".join(f"{name} {value}" for name, value in figures["seconds"].items())]
    problems = outcome.problems
    lines += [""] + [f"BROKEN {problem}" for problem in problems[:MAX_SHOWN]]
    lines += [f"... and {len(problems) - MAX_SHOWN} more"] if len(problems) > MAX_SHOWN else []
    lines += [f"every promise kept (seed {outcome.seed})" if not problems else f"seed {outcome.seed}"]
    return "\n".join(lines)
