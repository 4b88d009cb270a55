import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { LukhasError } from '../lib/errors.js';
import { type Replaceable, writeOutput } from '../lib/files/index.js';
import type { Observation } from '../lib/judge/index.js';
import { type ObserveOptions, type ObserveSummary, observeRequests } from '../lib/metrics/requests/index.js';
import { printLines } from './screen.js';

export interface ObserveRun {
  /** Path; `-` is standard input. */
  input: string;
  options: ObserveOptions;
  /** Null: standard output. */
  out: string | null;
  now: number;
}

const OBSERVATIONS: Replaceable = {
  what: 'file of observations',
  isOne: (head) => head.toString().startsWith('{"v":1,'),
  force: null,
};
/** Characters that are written at once. */
const AT_ONCE = 64 * 1024;

/** Writes the observations of past requests: to a file whole or not at all. @throws LukhasError USAGE, SYSTEM */
export async function runObserve({ input, options, out, now }: ObserveRun): Promise<ObserveSummary> {
  if (out !== null && input !== '-' && resolve(out) === resolve(input))
    throw new LukhasError('USAGE', `--out ${out}: is the file of the requests; name another one`);
  const stream = input === '-' ? process.stdin : createReadStream(input);
  const { observations, summary } = observeRequests(stream, options);
  if (out === null) await printLines(lines(observations));
  else await writeOutput({ path: out, flag: '--out', kind: OBSERVATIONS }, now, (file) => fill(file, observations));
  return summary;
}

async function* lines(observations: AsyncIterable<Observation>): AsyncGenerator<string> {
  for await (const observation of observations) yield JSON.stringify(observation);
}

async function fill(file: FileHandle, observations: AsyncIterable<Observation>): Promise<void> {
  let waiting = '';
  for await (const line of lines(observations)) {
    waiting += `${line}\n`;
    if (waiting.length < AT_ONCE) continue;
    await file.appendFile(waiting);
    waiting = '';
  }
  await file.appendFile(waiting);
}
