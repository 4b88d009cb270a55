import { expect } from 'chai';
import { EXIT } from '../../../src/lib/errors.js';
import type { Verdict } from '../../../src/lib/judge/verdict.js';
import { onlyDocument, Workspace } from '../lukhas.js';
import { type Page, serve } from '../metrics-page.js';

/** Requests that all workers serve together between two answers of the page. */
const BETWEEN = 400;

interface Worker {
  requests: number;
  errors: number;
}

/**
 * The metrics page of a service in Node's cluster, as prom-client's AggregatorRegistry makes it: sums over the workers that answer, without
 * a start time. What happens does so at numbered answers of the page, so that no machine is too slow for it.
 */
class Cluster {
  private answers = 0;
  private readonly workers: Worker[];

  constructor(
    private readonly failing: number,
    private readonly history: readonly Worker[],
    private readonly happens: (answer: number, workers: Worker[]) => { silent?: number } = () => ({}),
  ) {
    this.workers = history.map((worker) => ({ ...worker }));
  }

  page(): string {
    this.answers += 1;
    const { silent } = this.happens(this.answers, this.workers);
    for (const worker of this.workers) {
      const served = BETWEEN / this.history.length;
      worker.requests += served;
      worker.errors += served * this.failing;
    }
    const answering = this.workers.filter((_, i) => i !== silent);
    const sum = (key: keyof Worker) => Math.floor(answering.reduce((all, worker) => all + worker[key], 0));
    return [
      '# HELP model_requests_total requests',
      '# TYPE model_requests_total counter',
      `model_requests_total ${sum('requests')}`,
      '# TYPE model_errors_total counter',
      `model_errors_total ${sum('errors')}`,
      '',
    ].join('\n');
  }
}

/** The answers before are those of the preflight check and of the first check. */
const FIRST_COUNTED = 4;
/** Failed often long ago. */
const OLD: Worker = { requests: 300_000, errors: 30_000 };
const YOUNG: Worker = { requests: 500, errors: 50 };

describe('a service in a cluster of Node.js, whose page sums its workers', () => {
  const places: Workspace[] = [];
  const pages: Page[] = [];
  afterEach(async () => {
    await Promise.all(places.splice(0).map((place) => place.remove()));
    await Promise.all(pages.splice(0).map((page) => page.close()));
  });

  async function canary(cluster: Cluster) {
    const place = new Workspace();
    places.push(place);
    const page = await serve((_, response) => {
      response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8').end(cluster.page());
    });
    pages.push(page);
    // How many checks a busy machine gets to is not what is tested.
    const policy = { windowSeconds: 12, intervalSeconds: 1, minCoverage: 0.1, targets: { max_error_rate: 0.02 } };
    const start = ['canary', 'start', '--model', 'm-v2', '--from', 'stage', '--to', 'production', '--json'];
    const from = ['--policy', place.file('slo.yaml', JSON.stringify(policy)), '--canary-url', page.url];
    const run = await place.run([...start, ...from]);
    const { verdict } = onlyDocument(run) as { verdict: Verdict };
    return { code: run.code, verdict };
  }

  const dies = (which: number) => (answer: number, workers: Worker[]) => {
    if (answer === FIRST_COUNTED) workers[which] = { requests: 0, errors: 0 };
    return {};
  };
  const silent = (which: number) => (answer: number) => (answer === FIRST_COUNTED ? { silent: which } : {});
  const EVENTS = {
    'nothing happens': () => ({}),
    'one that served little dies': dies(0),
    'one that served long dies': dies(1),
    'one that served little is silent once': silent(0),
    'one that served long is silent once': silent(1),
  };

  /** A canary of such a service for each of the events, side by side. */
  async function canaries(failing: number) {
    const runs = Object.entries(EVENTS).map(async ([name, happens]) => {
      const { code, verdict } = await canary(new Cluster(failing, [YOUNG, OLD, OLD, OLD], happens));
      return [name, { code, certainty: verdict.certainty }] as const;
    });
    return Object.fromEntries(await Promise.all(runs));
  }

  const all = (expected: { code: number; certainty: string }) =>
    Object.fromEntries(Object.keys(EVENTS).map((name) => [name, expected]));

  it('is promoted when healthy, whatever its workers served before and become of', async () => {
    expect(await canaries(0.0025)).to.deep.equal(all({ code: EXIT.done, certainty: 'certified' }));
  });

  it('is rolled back when it fails, whatever its workers become of', async () => {
    expect(await canaries(0.08)).to.deep.equal(all({ code: EXIT.rolledBack, certainty: 'certified' }));
  });
});
