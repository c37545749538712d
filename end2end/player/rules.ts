// What a page may say by the letter of `docs/video-protocol.md`.

export interface Hello {
  version: number;
  mode: string;
  h265: boolean;
}

export type Message = Record<string, Record<string, unknown>>;

const FIELDS: Record<string, Record<string, string>> = {
  hello: { version: 'number', mode: 'string', h265: 'boolean' },
  open: { tile: 'u16', camera: 'string', profile: 'string', height: 'u16' },
  resize: { tile: 'u16', height: 'u16' },
  pause: { tile: 'u16' },
  resume: { tile: 'u16' },
  close: { tile: 'u16' },
  stats: { tile: 'u16', painted: 'u32', dropped: 'u32', latency_p50_ms: 'number', latency_p95_ms: 'number' },
};
const MAX: Record<string, number> = { u16: 2 ** 16, u32: 2 ** 32 };

/** What is wrong with a message, or null. `greeted`: hello has been said; `isOpen`: whether a tile is open. */
export function fault(message: Message, greeted: boolean, isOpen: (tile: number) => boolean): string | null {
  const words = JSON.stringify(message);
  const [name, ...more] = Object.keys(message);
  const fields = FIELDS[name ?? ''];
  const body = message[name ?? ''];
  if (name === undefined || body === undefined || fields === undefined || more.length > 0) return `unknown message ${words}`;
  if (greeted === (name === 'hello')) return `hello must come first and once: ${words}`;
  if (Object.keys(body).sort().join() !== Object.keys(fields).sort().join()) return `fields of ${words}`;
  for (const [field, kind] of Object.entries(fields)) {
    const value = body[field];
    const max = MAX[kind];
    const right =
      max === undefined ? typeof value === kind : Number.isInteger(value) && Number(value) >= 0 && Number(value) < max;
    if (!right) return `${field} is not a ${kind}: ${words}`;
  }
  const open = isOpen(Number(body.tile));
  if (['resize', 'pause', 'resume', 'stats'].includes(name) && !open) return `the tile is not open: ${words}`;
  return name === 'open' && open ? `the tile is open already: ${words}` : null;
}
