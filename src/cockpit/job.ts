import { moment } from '../lib/explain/index.js';
import { type JobView, jobLook, jobView } from '../lib/view/index.js';
import { facts, h, lines, replace } from './dom.js';
import { failure } from './failure.js';
import { Latest } from './latest.js';
import { entriesTable, proofLines } from './log/marks.js';
import { readLog } from './log/read.js';
import type { CheckedLog } from './log/verify.js';
import { badge } from './marks.js';

/** One job: state, who asked for it, what it found and wrote, and its entries in the log. */
export class JobPage {
  readonly element = h('div', {}, h('p', { role: 'status' }, 'Loading…'));
  readonly #reading = new Latest(
    () => readLog({ subject: this.id, limit: '200' }),
    (log) => this.#draw(log),
    (error) => replace(this.element, ...failure(error)),
  );

  constructor(readonly id: string) {
    this.#reading.again();
  }

  heard(ids: ReadonlySet<string>): void {
    if (ids.size === 0 || ids.has(this.id)) this.#reading.again();
  }

  #draw(log: CheckedLog): void {
    const view = jobView(log.entries.map(({ event }) => event).reverse());
    if (view === null) {
      replace(this.element, h('h1', {}, 'Not found'), h('p', {}, `The log knows no job ${this.id}.`));
      return;
    }
    const { job } = view;
    replace(
      this.element,
      h('p', { class: 'crumbs' }, h('a', { href: '#/' }, 'Canaries'), ' / ', job.id),
      h('h1', {}, `Job ${job.taskId}`),
      h('p', { class: 'top' }, badge(jobLook(job.state)), job.dryRun && ' dry run'),
      factsOf(view),
      view.metrics.length > 0 && [h('h2', {}, 'Metrics'), facts(view.metrics)],
      ...output(view),
      h('h2', {}, 'Entries'),
      proofLines(log),
      entriesTable(log.entries),
    );
  }
}

function factsOf({ job, duration, failed }: JobView): HTMLElement {
  const { requestedBy, configId, command, createdAt, startedAt, result, failure: failed_ } = job;
  const code = (result ?? failed_)?.exitCode ?? null;
  return facts([
    ['Failed', failed === null ? null : h('span', { class: 'bad' }, failed)],
    ['By', requestedBy.who],
    ['Configuration', configId],
    ['Command', command === null ? 'built in' : command.join(' ')],
    ['Queued', moment(Date.parse(createdAt))],
    ['Started', startedAt === null ? null : moment(Date.parse(startedAt))],
    ['Duration', duration],
    ['Exit code', code],
    ['Timeout', `${job.timeoutSeconds} s`],
  ]);
}

function output({ output: wrote }: JobView): HTMLElement[] {
  if (wrote === null) return [];
  const { tail, bytes, truncated } = wrote;
  return [
    h('h2', {}, 'Output'),
    ...(truncated ? [h('p', { class: 'quiet' }, `The newest part of ${bytes} bytes.`)] : []),
    tail === ''
      ? h('p', { class: 'quiet' }, 'It wrote nothing.')
      : lines(tail, { class: 'document', role: 'region', 'aria-label': 'output' }),
  ];
}
