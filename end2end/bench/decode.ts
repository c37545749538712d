// The limit of a page that plays cameras: FFmpeg decodes the same streams, one thread each, and throws the pictures away.
import { Program } from '../helpers/server';
import { Usage } from '../helpers/usage';

/** Streams are probed, and all play. */
const START_MS = 6_000;

/** Cores that FFmpeg keeps busy with decoding all of them as they come. */
export async function decoding_cores(streams: string[], length_ms: number): Promise<number> {
  const inputs = streams.flatMap((url) => ['-threads', '1', '-rtsp_transport', 'tcp', '-i', url]);
  const all = streams.flatMap((_, index) => ['-map', `${index}:v`]);
  const words = ['-nostdin', '-hide_banner', '-loglevel', 'error', ...inputs, ...all, '-f', 'null', '-'];
  const ffmpeg = new Program('ffmpeg', 'ffmpeg', words);
  try {
    await new Promise((resolve) => setTimeout(resolve, START_MS));
    const usage = Usage.begin('ffmpeg');
    await new Promise((resolve) => setTimeout(resolve, length_ms));
    if (ffmpeg.has_ended) throw new Error(`ffmpeg ended: ${ffmpeg.output}`);
    return usage.cores('ffmpeg');
  } finally {
    await ffmpeg.stop();
  }
}
