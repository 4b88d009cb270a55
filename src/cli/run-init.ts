import { devNull } from 'node:os';
import { type Config, loadConfig } from '../lib/app/index.js';
import { existingFiles, type Init, initFrom, type Origin, refuseExisting, writeAll } from '../lib/app/init/index.js';
import { LukhasError } from '../lib/errors.js';
import { nearest } from '../lib/input/index.js';
import {
  type Facts,
  judgedSeries,
  type PrometheusInput,
  pagesFacts,
  prometheusFacts,
  prometheusServices,
  propose,
  type Service,
  scrapeSeconds,
  servicesNamed,
} from '../lib/metrics/discover/index.js';
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
import { presentFound, presentPlanned } from './present-init.js';
import { blocks, type Styled } from './screen.js';

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

/** What was made, and the names of the files that were written: none with --dry-run, or where a person did not want it. */
export type InitDone = Init & { written: string[] };

const FILES = ['lukhas.yaml', 'slo.yaml'];

/** @throws LukhasError of the source; USAGE for flags, and for files that exist where nobody can be asked */
export async function runInit(run: InitRun): Promise<InitDone> {
  const { flags, show } = run;
  const questions = run.asks ? new Questions() : null;
  const perSecond = perSecondFrom(flags);
  // Credentials are in the environment; the file in this folder, if there is one, is about to be replaced.
  const config = await loadConfig({ flags: { db: flags.db ?? devNull, config: flags.config ?? devNull } });
  const dryRun = flags['dry-run'];
  const existing = dryRun ? [] : await existingFiles(config.cwd, FILES);
  if (existing.length > 0 && questions === null && !flags.force) await refuseExisting(config.cwd, FILES);
  const asked = originFrom(flags) ?? (await otherOrigin(flags, config, questions));
  const reading: Reading = { ...run, measureMs: measureFrom(flags), questions, ...credentialsOf(asked, flags, config) };
  const found = asked.kind === 'prometheus' ? await ofPrometheus(asked, reading) : await ofPages(asked, reading);
  const init = await initFrom({ ...found, perSecond });
  show(blocks([presentFound(init), presentPlanned(init)]));
  // The file of the flag is another one than the one that is written.
  const next = init.next === null || flags.config === undefined ? init.next : `${init.next} --config lukhas.yaml`;
  const done = { ...init, next };
  if (dryRun || next === null) return { ...done, written: [] };
  const replaces = existing.length > 0 && !flags.force;
  const wanted =
    questions === null ||
    (replaces
      ? await questions.yes(`overwrite ${existing.join(' and ')}?`, false)
      : await questions.yes('write lukhas.yaml and slo.yaml here?'));
  if (!wanted) return { ...done, written: [] };
  await writeAll(config.cwd, init.files, flags.force || replaces);
  return { ...done, written: init.files.map(({ name }) => name) };
}

async function otherOrigin(flags: InitFlags, config: Config, questions: Questions | null): Promise<Origin> {
  if (config.source.kind === 'prometheus') return prometheusAt(config.source.url, flags.selector ?? null, 'PROM_URL');
  if (questions === null)
    throw new LukhasError('USAGE', 'No metrics given.', {
      suggestions: ['Pass --url with a metrics page, or --prom-url with a Prometheus.'],
    });
  const isPrometheus =
    flags.selector !== undefined ||
    flags.service !== undefined ||
    (await questions.choice('Where are the metrics of your service?', [
      'a metrics page, e.g. http://127.0.0.1:8080/metrics',
      'a Prometheus, e.g. http://127.0.0.1:9090',
    ])) === 1;
  if (isPrometheus)
    return questions.valid('address of Prometheus', (text) => prometheusAt(text, flags.selector ?? null, 'address'));
  const url = await questions.valid('address of the page', (text) => originFrom({ url: text }, 'address')!);
  return questions.valid(
    'page of the version that serves now, if it has one of its own',
    (text) => (text === NO_PAGE ? url : originFrom({ url: addressOf(url), 'baseline-url': text }, 'address')!),
    NO_PAGE,
  );
}

/** The answer of somebody whose versions are on one page, or who has one version. */
const NO_PAGE = 'none';

function addressOf(origin: Origin): string {
  return origin.kind === 'scrape' ? origin.canaryUrl : origin.url;
}

interface Reading extends Pick<InitRun, 'flags' | 'say' | 'now'> {
  measureMs: number;
  questions: Questions | null;
  auth: PrometheusInput['auth'];
  credentials: NonNullable<Origin['credentials']>;
}

/** Secrets for this run, and the names of what holds them for the file. */
function credentialsOf({ kind }: Origin, flags: InitFlags, config: Config): Pick<Reading, 'auth' | 'credentials'> {
  const variable = flags['bearer-env'];
  if (variable === undefined) return { auth: config.sourceAuth[kind], credentials: config.credentialNames[kind] };
  const bearer = process.env[variable];
  if (bearer === undefined || bearer === '')
    throw new LukhasError('USAGE', `--bearer-env ${variable}: is not set in the environment`);
  const { basic: _, ...auth } = config.sourceAuth[kind];
  const { basic: __, ...credentials } = config.credentialNames[kind];
  return { auth: { ...auth, bearer }, credentials: { ...credentials, bearerEnv: variable } };
}

interface Ground {
  origin: Origin;
  facts: Facts;
  wishes: Wishes;
}

async function ofPages(origin: Origin & { kind: 'scrape' }, reading: Reading): Promise<Ground> {
  const { flags, measureMs, say, now, auth, credentials } = reading;
  const given = wishesFrom(flags);
  const urls = [origin.canaryUrl, ...(origin.baselineUrl === null ? [] : [origin.baselineUrl])];
  if (measureMs > 0) say(`measuring the traffic for ${measureMs / 1000} s`);
  const facts = await pagesFacts({ urls, auth, timeoutMs: SOURCE_TIMEOUT_MS, measureMs, now });
  return { origin: { ...origin, credentials }, facts, wishes: await wishesOf(reading, facts, given) };
}

async function ofPrometheus(origin: Origin & { kind: 'prometheus' }, reading: Reading): Promise<Ground> {
  const { flags, now, auth, credentials } = reading;
  const given = wishesFrom(flags);
  const { url, selector } = origin;
  const input: PrometheusInput = { url, selector, auth, timeoutMs: SOURCE_TIMEOUT_MS * 5, now };
  const service = await chosenService(await prometheusServices(input, given), flags.service, reading.questions);
  const facts = await prometheusFacts(input, service);
  const wishes = await wishesOf(reading, facts, given);
  const seconds = await scrapeSeconds(input, judgedSeries(facts, propose(facts, wishes)));
  return {
    origin: { ...origin, service: service.matchers, credentials },
    facts: { ...facts, scrapeSeconds: seconds },
    wishes,
  };
}

const MOST_LISTED = 20;

/** Two services are never judged as one: somebody has to choose. @throws LukhasError USAGE */
async function chosenService(
  services: readonly Service[],
  wanted: string | undefined,
  questions: Questions | null,
): Promise<Service> {
  const fitting = wanted === undefined ? services : servicesNamed(services, wanted);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const listed = fitting.length === 0 ? services : fitting;
  if (questions !== null && fitting.length > 0) {
    const shown = listed.map(({ name, metric }) => `${name} (${metric})`);
    return listed[await questions.choice('Which service?', shown)]!;
  }
  const names = listed.map(({ name }) => name);
  const more = names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : '';
  const all = names.slice(0, MOST_LISTED).join(', ') + more;
  const near = wanted === undefined ? null : nearest(wanted, names);
  throw new LukhasError(
    'USAGE',
    wanted === undefined
      ? `Prometheus holds ${services.length} services that count requests; choose one`
      : `--service ${wanted}: ${fitting.length === 0 ? 'no such service' : `${fitting.length} services have this name`}`,
    {
      suggestions: [near === null ? `Pass --service with one of: ${all}.` : `Did you mean ${near}? There are: ${all}.`],
    },
  );
}

/** Asks only where there is a choice. */
async function wishesOf({ questions }: Reading, facts: Facts, given: Wishes): Promise<Wishes> {
  if (questions === null || given.canary !== undefined) return given;
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
