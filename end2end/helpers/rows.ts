// One measured number, handed to `cargo xtask bench`.
import { appendFileSync } from 'node:fs';

export interface Row {
  measure: string;
  value: number;
  unit: string;
  target: string | null;
  holds: boolean | null;
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
export function at_most(measure: string, value: number, unit: string, most: number): void {
  add_row({ measure, value, unit, target: `≤ ${most}`, holds: value <= most });
}

/** A row that only informs. */
export function plain(measure: string, value: number, unit: string): void {
  add_row({ measure, value, unit, target: null, holds: null });
}
