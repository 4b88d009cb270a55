import { resolve } from 'node:path';
import { startWitness } from '../daemon/index.js';
import { openWitness } from '../lib/app/evidence/index.js';
import { systemClock } from '../lib/clock.js';
import { LukhasError } from '../lib/errors.js';
import { interruptible } from './interrupt.js';
import { readVkeys } from './publication-flags.js';

interface WitnessRun {
  folder: string;
  /** Files of vkeys. */
  logs: readonly string[];
  /** `HOST:PORT`. */
  listen: string;
  allowedHosts: readonly string[];
  say(line: string): void;
}

const GRACE_MS = 5_000;

/** Runs a witness until a signal. @returns the exit code. @throws LukhasError USAGE, CONFIG, LISTEN */
export async function runWitness({ folder, logs, listen, allowedHosts, say }: WitnessRun): Promise<number> {
  const { host, port } = addressOf(listen);
  const keys = (await Promise.all(logs.map((file) => readVkeys(resolve(file), '--log', 'note')))).flat();
  const { now } = systemClock();
  // Prints the note itself: with the log's signature, it may prove a second history.
  const onRefused = (note: string, message: string): void =>
    say(`lukhas: refused to cosign: ${message}; the checkpoint was ${JSON.stringify(note)}`);
  const { witness, identity } = await openWitness(resolve(folder), { logs: keys, now, onRefused });
  const onError = (error: unknown): void => say(`lukhas: ${error instanceof Error ? error.message : String(error)}`);
  return interruptible(async (interrupt) => {
    const server = await startWitness({ witness, name: identity.name, host, port, allowedHosts, say, onError });
    say(
      `lukhas: witness ${identity.name} listening on ${server.url}; watches ${keys.map(({ name }) => name).join(', ')}`,
    );
    const code = await interrupt.asked();
    await server.close(GRACE_MS);
    return code;
  });
}

function addressOf(listen: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(listen) ?? [];
  if (host !== '' && Number(port) <= 65_535) return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  throw new LukhasError('USAGE', `--listen ${JSON.stringify(listen)}: must be HOST:PORT`, {
    suggestions: ['--listen 127.0.0.1:8780'],
  });
}
