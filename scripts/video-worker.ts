// The page's video worker: one WebSocket, a WebCodecs decoder per tile, one OffscreenCanvas. This file wires them and
// speaks with `player-canvas.ts` on the main thread.
//
// What should be here: orders and reports. What should not: what each part does (`video-tile.ts`, `video-link.ts`,
// `video-painter.ts`), which state a tile is in (the page's).

import { Link, nowUs } from './video-link.ts';
import { Painter, sizeOf } from './video-painter.ts';
import { WorkerTile, type Around } from './video-tile.ts';
import type { Meta, Orders, Reports } from './video-types.ts';

const TICK_MS = 250;
const STATS_EVERY_MS = 5000;

const H265_PROBE = { codec: 'hvc1.1.6.L93.B0', codedWidth: 640, codedHeight: 360 };

/** The worker's own end, which the types of pages do not know. */
const page = self as unknown as {
  postMessage: (report: Reports, given?: Transferable[]) => void;
  onmessage: ((event: MessageEvent<Partial<Orders> & { start?: Start }>) => void) | null;
};

interface Start {
  url: string;
  canvas: OffscreenCanvas;
}

const tiles = new Map<number, WorkerTile>();

/** Runs what concerns one tile: what goes wrong there costs that tile a new beginning and no other anything. */
function guarded(tile: WorkerTile | undefined, act: (tile: WorkerTile) => void): void {
  if (tile === undefined) return;
  try {
    act(tile);
  } catch (error) {
    tile.trouble(String(error));
  }
}

/** When the picture no longer stands as it is, the page shows the last one itself: grey, hatched, dimmed. */
async function handOver({ painter }: Around, tile: number): Promise<void> {
  const newest = painter.take(tile);
  if (newest === null) return;
  try {
    const bitmap = await createImageBitmap(newest, { resizeWidth: Math.min(sizeOf(newest).width, 960), resizeQuality: 'low' });
    page.postMessage({ last: { tile, bitmap } }, [bitmap]);
  } finally {
    newest.close();
  }
}

async function grab({ painter }: Around, { id, tile, what }: Orders['grab']): Promise<void> {
  const newest = painter.newest(tile);
  const bitmap = what === 'canvas' ? await painter.read(tile) : newest && (await createImageBitmap(newest));
  page.postMessage({ answer: { id, bitmap } }, bitmap === null ? [] : [bitmap]);
}

/** What the page may order; each acts at once. */
function ordersOf(around: Around): { [Name in keyof Orders]: (order: Orders[Name]) => void } {
  const { link, painter } = around;
  return {
    open({ tile: id, camera, profile, height }) {
      // A tile that is open already begins anew: nothing of the first stays behind.
      tiles.get(id)?.close();
      const tile = new WorkerTile(around, id, camera);
      tiles.set(id, tile);
      link.open(id, camera, profile, height);
      tile.tell();
    },
    close({ tile }) {
      tiles.get(tile)?.close();
      tiles.delete(tile);
    },
    rule({ tile: id, show, standing_after_ms }) {
      const tile = tiles.get(id);
      if (tile === undefined) return;
      tile.gathered.obey({ show, standing_after_ms });
      painter.setHidden(id, !show);
      if (!show) void handOver(around, id);
      tile.tell();
    },
    resize({ tile, height }) {
      link.resize(tile, height);
    },
    pause({ tile, paused }) {
      tiles.get(tile)?.pause(paused);
    },
    layout({ width, height, tiles: places, generation }) {
      painter.layout(width, height, places);
      const seen = new Set(places.map(({ tile }) => tile));
      for (const tile of tiles.values()) if (!seen.has(tile.id)) tile.comparable = false;
      requestAnimationFrame(() => { page.postMessage({ laidOut: generation }); });
    },
    serverTime({ us }) {
      link.serverTime(us);
    },
    grab(order) {
      void grab(around, order);
    },
    stats({ id }) {
      const stats = {
        link: link.status,
        offset_us: link.offsetUs,
        paint: { frames: painter.frames, ms: painter.paintMs },
        tiles: [...tiles.values()].map((tile) => tile.stats()),
      };
      page.postMessage({ answer: { id, stats } });
    },
  };
}

function tick(): void {
  for (const tile of tiles.values()) guarded(tile, () => { tile.look(); });
}

function linkTo(url: string, h265: boolean): Link {
  const link: Link = new Link(
    url,
    { mode: 'webcodecs', h265 },
    {
      media: (media) => { guarded(tiles.get(media.tile), (tile) => { tile.media(media); }); },
      state: (says) => { guarded(tiles.get(says.tile), (tile) => { tile.says(says); }); },
      dropped: ({ tile, frames }) => { guarded(tiles.get(tile), (known) => { known.serverDropped += frames; }); },
      refusal: (refusal) => { guarded(tiles.get(refusal.tile ?? 0), (tile) => { tile.gathered.refused(refusal); }); },
      up: () => { for (const tile of tiles.values()) tile.again(); },
      down: tick,
    },
  );
  return link;
}

async function start({ url, canvas }: Start): Promise<void> {
  const painter = new Painter(canvas, (tile: number, meta: Meta) => { guarded(tiles.get(tile), (known) => { known.hasPainted(meta, nowUs()); }); });
  let h265 = false;
  try {
    h265 = (await VideoDecoder.isConfigSupported(H265_PROBE)).supported === true;
  } catch {
    h265 = false;
  }
  const link = linkTo(url, h265);
  const isOpen = (tile: WorkerTile): boolean => tiles.get(tile.id) === tile;
  const orders = ordersOf({ link, painter, isOpen, report: (report) => { page.postMessage(report); } });
  setInterval(tick, TICK_MS);
  let reportedAt = performance.now();
  setInterval(() => {
    const seconds = (performance.now() - reportedAt) / 1000;
    reportedAt = performance.now();
    for (const tile of tiles.values()) tile.count(seconds);
    page.postMessage({ alive: true });
  }, STATS_EVERY_MS);
  page.onmessage = ({ data }) => { obey(orders, data); };
  page.postMessage({ ready: true });
}

function obey(orders: ReturnType<typeof ordersOf>, given: Partial<Orders>): void {
  if (given.open !== undefined) orders.open(given.open);
  if (given.close !== undefined) orders.close(given.close);
  if (given.rule !== undefined) orders.rule(given.rule);
  if (given.resize !== undefined) orders.resize(given.resize);
  if (given.pause !== undefined) orders.pause(given.pause);
  if (given.layout !== undefined) orders.layout(given.layout);
  if (given.serverTime !== undefined) orders.serverTime(given.serverTime);
  if (given.grab !== undefined) orders.grab(given.grab);
  if (given.stats !== undefined) orders.stats(given.stats);
}

page.onmessage = ({ data }) => {
  if (data.start === undefined) return;
  // A beginning that fails is an error of the worker, which its page hears; it starts another.
  start(data.start).catch((error: unknown) => {
    setTimeout(() => { throw error; });
  });
};
