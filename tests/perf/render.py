"""Results as a table: docs/performance.md is made of docs/performance.json and nothing else."""

import math
import statistics


def spread(values):
    """Lowest and highest in percent of the median."""
    middle = statistics.median(values) or 1
    return f"{(min(values) / middle - 1) * 100:+.0f} {(max(values) / middle - 1) * 100:+.0f} %"


def summary(metric):
    """One line of the table, from the raw values of a metric."""
    ours, theirs = metric["ours"], metric["theirs"]
    ratio = statistics.median(one / other for one, other in zip(ours, theirs)) if all(theirs) else math.nan
    goal = metric["goal"]
    reached = goal is None or reaches(goal, metric["limit"], statistics.median(ours), ratio)
    return {
        "metric": f"{metric['name']}, {metric['unit']}",
        "ours": f"{statistics.median(ours):.3g}",
        "ours spread": spread(ours),
        "theirs": f"{statistics.median(theirs):.3g}",
        "theirs spread": spread(theirs),
        "ratio": "" if math.isnan(ratio) else f"{ratio:.2f}",
        "goal": described(goal, metric),
        "reached": "" if goal is None else "yes" if reached else "no",
    }


def reaches(goal, limit, ours, ratio):
    return {"": ratio >= goal, "at most": ours <= goal, "at least": ours >= goal}[limit]


def described(goal, metric):
    if goal is None:
        return ""
    return f"{metric['limit']} {goal:g} {metric['unit']}" if metric["limit"] else f"{goal:g}"


COLUMNS = ("metric", "ours", "ours spread", "theirs", "theirs spread", "ratio", "goal", "reached")


def comparison_section(comparison):
    lines = [
        f"## {comparison['id']}",
        "",
        comparison["title"] + ".",
        "",
        f"- ours: `{comparison['ours']}`",
        f"- theirs: `{comparison['theirs']}`",
        conditions(comparison["run"]),
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    for metric in comparison["metrics"]:
        found = summary(metric)
        lines.append("| " + " | ".join(found[column] for column in COLUMNS) + " |")
    return lines


def conditions(run):
    machine = run["machine"]
    return (
        f"- run: {run['date']}, {run['rounds']} rounds, T = {run['seconds']} s; source {machine['source']};"
        f" {machine['processor']}, {machine['processors']} processors, {machine['memory']} of memory;"
        f" {machine['system']}, Linux {machine['kernel']}, DPDK {machine['dpdk']}, {machine['iperf3']},"
        f" {machine['compiler']}"
    )


def markdown(results):
    lines = [
        "# Performance",
        "",
        "Written by `scripts/bench render` from `docs/performance.json`. Do not edit.",
        "",
        "Ours and theirs by turns. Ours and theirs are medians; spread is the lowest and the highest value;"
        " ratio is the median of the ratios of each pair.",
        "",
    ]
    for comparison in results["comparisons"]:
        lines += [*comparison_section(comparison), ""]
    return "\n".join(lines)
