// The limit of a page that plays cameras: FFmpeg decodes the same streams, one program and one thread each, and throws the
// pictures away.
import { Program } from '../helpers/server';
import { Usage } from '../helpers/usage';

/** All have been asked what they are, and play. */
const START_MS = 10_000;

/** Cores that FFmpeg keeps busy with decoding all of the streams as they come, at `fps` pictures a second each. */
export async function decoding_cores(streams: string[], fps: number, length_ms: number): Promise<number> {
  const words = (url: string) => ['-nostdin', '-loglevel', 'error', '-progress', 'pipe:1', '-threads', '1', '-rtsp_transport', 'tcp', '-i', url, '-an', '-f', 'null', '-'];
  const decoding = streams.map((url) => new Program('ffmpeg', 'ffmpeg', words(url)));
  const pictures = () => decoding.reduce((sum, each) => sum + Number([...each.answer.matchAll(/^frame=(\d+)$/gm)].at(-1)?.[1] ?? 0), 0);
  try {
    await new Promise((resolve) => setTimeout(resolve, START_MS));
    const before = pictures();
    const usage = Usage.begin('ffmpeg');
    await new Promise((resolve) => setTimeout(resolve, length_ms));
    const cores = usage.cores('ffmpeg');
    const decoded = (pictures() - before) / (length_ms / 1_000) / streams.length;
    if (decoded < 0.9 * fps) throw new Error(`FFmpeg decoded ${decoded} pictures a second of ${fps}:\n${decoding[0]?.output}`);
    return cores;
  } finally {
    await Promise.all(decoding.map((each) => each.stop()));
  }
}
