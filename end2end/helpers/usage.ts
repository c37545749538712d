// Processor time and memory of the programs a measurement started, by their names: what is measured, and its load.
//
// What should be here: what the kernel says of our own descendants. What should not: rows.
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Clock ticks a second and kilobytes of a page on every Linux this is measured on. */
const TICKS = 100;
const PAGE_KB = 4;

interface Process {
  id: number;
  parent: number;
  name: string;
  seconds: number;
  resident_kb: number;
}

function processes(): Process[] {
  const found: Process[] = [];
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
      // The name in brackets may hold spaces.
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
      const [user = 0, system = 0] = [fields[11], fields[12]];
      found.push({ id: Number(id), parent: fields[1] ?? 0, name, seconds: (user + system) / TICKS, resident_kb: (fields[21] ?? 0) * PAGE_KB });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Whether a process is meant: by its name, or, where that begins with `--`, by a word of its command line. */
function is(process: Process, name: string): boolean {
  if (!name.startsWith('--')) return process.name.startsWith(name);
  try {
    return readFileSync(`/proc/${process.id}/cmdline`, 'utf8').split(/[\0 ]/).includes(name);
  } catch {
    return false;
  }
}

/** Those of `name` among everything this process has started. */
function ours(name: string): Process[] {
  const all = processes();
  const ids = new Set([process.pid]);
  for (let size = 0; size !== ids.size; ) {
    size = ids.size;
    for (const { id, parent } of all) if (ids.has(parent)) ids.add(id);
  }
  return all.filter((each) => ids.has(each.id) && is(each, name));
}

/** Processor seconds of the living programs of ours that have this name. */
export function processor_seconds(name: string): number {
  return ours(name).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Resident kilobytes of them together. */
export function resident_kb(name: string): number {
  return ours(name).reduce((sum, each) => sum + each.resident_kb, 0);
}

/** Processor seconds a second, from `begin` on. */
export class Usage {
  private readonly began = Date.now();
  private readonly before: Map<string, number>;

  private constructor(names: string[]) {
    this.before = new Map(names.map((name) => [name, processor_seconds(name)]));
  }

  static begin(...names: string[]): Usage {
    return new Usage(names);
  }

  /** Cores that the programs of this name kept busy. */
  cores(name: string): number {
    const seconds = (Date.now() - this.began) / 1_000;
    return (processor_seconds(name) - (this.before.get(name) ?? 0)) / seconds;
  }

  /** Their share of the whole machine. */
  share(name: string): number {
    return this.cores(name) / availableParallelism();
  }
}
