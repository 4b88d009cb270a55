import { moment, seconds } from '../../lib/explain/index.js';
import { type JobRow, jobLook } from '../../lib/view/index.js';
import { type Line, span, wrapped } from '../draw/line.js';
import { lookSpan } from '../draw/marks.js';

/** One evaluation job. */
export function jobLines(
  { id, taskId, configId, state, by, createdAt, durationMs, message, dryRun }: JobRow,
  width: number,
): Line[] {
  const facts: [string, string | null][] = [
    ['task', `${taskId}${configId === null ? '' : `, ${configId}`}${dryRun ? ' (dry run)' : ''}`],
    ['queued', createdAt === null ? null : `${moment(createdAt)}${by === null ? '' : ` by ${by}`}`],
    ['took', durationMs === null ? null : seconds(durationMs / 1000)],
    ['failed because', message],
    ['its result', state === 'completed' || state === 'failed' ? `lukhas why ${id}` : null],
  ];
  return [
    [lookSpan(jobLook(state)), span('  '), span(`job ${id}`, { bold: true })],
    ...facts.flatMap(([name, text]) =>
      text === null ? [] : wrapped(text, width, {}, `  ${name.padEnd(15)}`, ' '.repeat(17)),
    ),
  ];
}
