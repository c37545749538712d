// One measured number, handed to `cargo xtask bench`.
import { appendFileSync } from 'node:fs';

export interface Row {
  measure: string;
  value: number;
  unit: string;
  target: string | null;
  holds: boolean | null;
  /** What this machine can do of the same kind, measured in the same run; then `holds` speaks of the share of it. */
  limit?: { what: string; value: number; share: string };
  /** Share of the whole machine that the load took for itself meanwhile, 0 to 1. */
  generators?: number;
}

export function add_row(row: Row): void {
  const file = process.env.GRIDHALL_BENCH_ROWS;
  if (file === undefined) console.log(row);
  else appendFileSync(file, `${JSON.stringify(row)}\n`);
}

/** The value below which `share` of the sorted or unsorted numbers lie. */
export function percentile(numbers: number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A row that holds when the value is at most `most`. */
export function at_most(measure: string, value: number, unit: string, most: number, generators?: number): void {
  add_row({ measure, value, unit, target: `≤ ${most}`, holds: value <= most, generators });
}

/** A row that holds when the value is at most `most` times what the machine needs for the bare work. */
export function at_most_times(measure: string, value: number, unit: string, limit: { what: string; value: number }, most: number, generators?: number): void {
  const holds = value <= most * limit.value;
  add_row({ measure, value, unit, target: null, holds, limit: { ...limit, share: `≤ ${most}` }, generators });
}

/** A row that only informs. */
export function plain(measure: string, value: number, unit: string): void {
  add_row({ measure, value, unit, target: null, holds: null });
}
