import { devNull } from 'node:os';
import { type Config, loadConfig } from '../lib/app/index.js';
import { type Init, initFrom, type Origin, refuseExisting, writeAll } from '../lib/app/init/index.js';
import { LukhasError } from '../lib/errors.js';
import { type Facts, pagesFacts, prometheusFacts, propose } from '../lib/metrics/discover/index.js';
import { SOURCE_TIMEOUT_MS } from '../lib/metrics/index.js';
import { Questions } from './ask.js';
import {
  type InitFlags,
  measureFrom,
  originFrom,
  perSecondFrom,
  prometheusAt,
  type Wishes,
  wishesFrom,
} from './init-flags.js';
import { presentFound } from './present-init.js';
import type { Styled } from './screen.js';

export interface InitRun {
  flags: InitFlags & { force: boolean; 'dry-run': boolean; db?: string | undefined; config?: string | undefined };
  /** Whether a person is there to answer. */
  asks: boolean;
  /** For progress. */
  say: (line: string) => void;
  /** For what was found. */
  show: (text: Styled) => void;
  now: () => number;
}

/** What was made, and the paths that were written: none with --dry-run, or where a person did not want it. */
export type InitDone = Init & { written: string[] };

/** @throws LukhasError of the source; USAGE for flags, and for files that are there already */
export async function runInit(run: InitRun): Promise<InitDone> {
  const questions = run.asks ? new Questions() : null;
  try {
    return await made(run, questions);
  } finally {
    questions?.close();
  }
}

async function made({ flags, say, show, now }: InitRun, questions: Questions | null): Promise<InitDone> {
  const [perSecond, measureMs, given] = [perSecondFrom(flags), measureFrom(flags), wishesFrom(flags)];
  // Credentials are in the environment; the file in this folder, if there is one, is about to be replaced.
  const config = await loadConfig({ flags: { db: flags.db ?? devNull, config: flags.config ?? devNull } });
  const dryRun = flags['dry-run'];
  if (!dryRun) await refuseExisting(config.cwd, ['lukhas.yaml', 'slo.yaml'], flags.force);
  const origin = originFrom(flags) ?? (await otherOrigin(flags, config, questions));
  const facts = await factsOf(origin, { measureMs, say, now, config });
  const wishes = questions === null ? given : await askedWishes(questions, facts, given);
  const init = await initFrom({ origin, facts, wishes, perSecond });
  show(presentFound(init));
  if (dryRun || init.next === null) return { ...init, written: [] };
  if (questions !== null && !(await questions.yes('write lukhas.yaml and slo.yaml here?')))
    return { ...init, written: [] };
  await writeAll(config.cwd, init.files, flags.force);
  return { ...init, written: init.files.map(({ name }) => name) };
}

async function otherOrigin(flags: InitFlags, config: Config, questions: Questions | null): Promise<Origin> {
  if (config.source.kind === 'prometheus') return prometheusAt(config.source.url, flags.selector ?? null, 'PROM_URL');
  if (questions === null)
    throw new LukhasError('USAGE', 'No metrics given.', {
      suggestions: ['Pass --url with a metrics page, or --prom-url with a Prometheus.'],
    });
  const kind = await questions.choice('Where are the metrics of your service?', [
    'a metrics page, e.g. http://127.0.0.1:8080/metrics',
    'a Prometheus, e.g. http://127.0.0.1:9090',
  ]);
  const address = await questions.text('address');
  if (kind === 1) return prometheusAt(address, flags.selector ?? null, '--prom-url');
  const other = await questions.text('page of the version that serves now, if it has one of its own', NO_PAGE);
  return originFrom({ url: address, ...(other === NO_PAGE ? {} : { 'baseline-url': other }) })!;
}

/** The answer of somebody whose versions are on one page, or who has one version. */
const NO_PAGE = 'none';

interface Reading {
  measureMs: number;
  say: InitRun['say'];
  now: () => number;
  config: Config;
}

async function factsOf(origin: Origin, { measureMs, say, now, config }: Reading): Promise<Facts> {
  if (origin.kind === 'prometheus') {
    const { url, selector } = origin;
    return prometheusFacts({
      url,
      selector,
      auth: config.sourceAuth.prometheus,
      timeoutMs: SOURCE_TIMEOUT_MS * 5,
      now,
    });
  }
  const urls = [origin.canaryUrl, ...(origin.baselineUrl === null ? [] : [origin.baselineUrl])];
  if (measureMs > 0) say(`measuring the traffic for ${measureMs / 1000} s`);
  return pagesFacts({ urls, auth: config.sourceAuth.scrape, timeoutMs: SOURCE_TIMEOUT_MS, measureMs, now });
}

/** Asks only where there is a choice. */
async function askedWishes(questions: Questions, facts: Facts, given: Wishes): Promise<Wishes> {
  if (given.canary !== undefined) return given;
  const { arms } = propose(facts, given);
  if (arms.found === null) return given;
  const ways = [arms.found, ...arms.others];
  const which =
    ways.length === 1 || given.by !== undefined
      ? 0
      : await questions.choice(
          'Which label tells the versions apart?',
          ways.map(({ label, seen }) => `${label}: ${seen.map(({ value }) => value || '(none)').join(', ')}`),
        );
  const { label, seen, canary } = ways[which]!;
  if (seen.length < 3 || canary.some(({ op }) => op !== '=')) return { by: label };
  const values = seen.map(({ value }) => value);
  const first = values[await questions.choice('Which one is the canary?', values)]!;
  const others = values.filter((value) => value !== first);
  const second = others[await questions.choice('Which one is the baseline?', others)]!;
  return { canary: { [label]: first }, baseline: { [label]: second } };
}
