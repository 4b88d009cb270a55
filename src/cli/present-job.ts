import { EXIT } from '../lib/errors.js';
import type { WhyMath } from '../lib/explain/index.js';
import { clip, milliseconds, oneLine, seconds } from '../lib/explain/index.js';
import type { Job } from '../lib/readings/index.js';
import { advice } from './advice.js';
import { paint } from './present.js';
import { block, type Styled } from './screen.js';

/** Lines of the output that are shown; `--json` has up to 8 KiB of it. */
const LINES = 10;
const PAINT = { completed: 'green', failed: 'red', running: 'cyan', queued: 'cyan' } as const;

/** The exit code of a job: it completed, its program failed, it timed out, or it was cancelled. */
export function exitOfJob({ state, failure }: Job): number {
  if (state === 'completed') return EXIT.done;
  if (failure?.reason === 'cancelled') return EXIT.aborted;
  if (failure && failure.reason !== 'timeout') return EXIT.hookFailed;
  return EXIT.timeout;
}

/** The job in a few lines for a terminal or a pipe. */
export function presentJob(job: Job, noColor: boolean | undefined): Styled {
  const pen = paint(process.stdout, noColor);
  const [first = '', ...rest] = lines(job);
  return block([pen(first, PAINT[job.state], 'bold'), ...rest]);
}

function lines(job: Job): string[] {
  const { id, taskId, configId, state, dryRun, requestedBy, result, failure } = job;
  const ended = result ?? failure;
  const by = `${oneLine(requestedBy.who)} (${requestedBy.how}) at ${job.createdAt}`;
  const rows: [string, string | null][] = [
    ['by', by],
    ['config', configId],
    ['command', job.command === null ? 'built in' : clip(job.command.join(' '))],
    ['started', job.startedAt],
    ['took', ended?.durationMs == null ? null : milliseconds(ended.durationMs)],
    ['failed', failure ? `${clip(failure.message)}${failure.by ? `, by ${oneLine(failure.by.who)}` : ''}` : null],
    ...metricRows(result?.metrics ?? null),
    ...written(ended?.output?.tail ?? ''),
    ['next', state === 'running' || state === 'queued' ? advice(`lukhas job status ${id}`) : null],
  ];
  const shown = rows.flatMap(([name, value]) => (value === null ? [] : [`  ${name.padEnd(9)} ${value}`]));
  return [`${state}  ${taskId}  ${id}${dryRun ? '  (dry run)' : ''}`, ...shown];
}

function metricRows(metrics: WhyMath['metrics']): [string, string][] {
  return Object.entries(metrics ?? {}).map(([name, value]) => ['metric', `${oneLine(name)} = ${clip(String(value))}`]);
}

function written(tail: string): [string, string][] {
  const all = tail.split('\n').filter((line) => line.trim() !== '');
  return all.slice(-LINES).map((line) => ['output', clip(line)]);
}

/** What `why-math` shows of a job: it has no thresholds. */
export function presentJobMath({ id, why, time_to_action_sec: took, metrics }: WhyMath): Styled {
  const rows = metricRows(metrics).map(([, value]) => `  ${value}`);
  return block([`${why}  ${id}`, ...(took === null ? [] : [`  took ${seconds(took)}`]), ...rows]);
}
