import { existsSync } from 'node:fs';
import { Approvals, Canaries, Runner, type RunnerOptions } from '../canary/index.js';
import { type Clock, systemClock } from '../clock.js';
import { Promotions } from '../gates/index.js';
import { JobRunner, type JobRunnerOptions, Jobs } from '../jobs/index.js';
import type { Ledger } from '../ledger/index.js';
import { LogFollower, newHolder } from '../ledger/index.js';
import { openLedger } from '../ledger/sqlite/index.js';
import { openSource } from '../metrics/index.js';
import { Search } from '../search/index.js';
import { authOf, type Config, environment, loadConfig } from './config.js';
import { checkpointFolder } from './evidence-places.js';

/** The library as one piece: what the commands and the daemon share. */
export interface App {
  config: Config;
  clock: Clock;
  ledger: Ledger;
  /** Tells when something was committed to the log, by whichever process. */
  follower: LogFollower;
  canaries: Canaries;
  /** What people say of promotions that their policy wants approved. */
  approvals: Approvals;
  jobs: Jobs;
  /** Promotions on evidence that is there already; what they have begun ends with the app. */
  promotions: Promotions;
  /** What the log and the product's pages hold, by words, names and ids. */
  search: Search;
  /** A driver of canaries; close it before the app. */
  runner(options?: Pick<RunnerOptions, 'onTick' | 'onError'>): Runner;
  /** A driver of jobs; it has ended when its `drive` or `driveAll` has. */
  jobRunner(options?: Pick<JobRunnerOptions, 'onError'>): JobRunner;
  close(): Promise<void>;
}

export interface OpenOptions {
  config?: Config;
  clock?: Clock;
  readOnly?: boolean;
  /** Opens a log for writing that was set back to an older copy, too: for what stops, mends or reads. */
  mayBeOlder?: boolean;
  /** Opens for writing what is there: no database is created. */
  mustExist?: boolean;
}

/**
 * Composition root. Opens (and creates, unless readOnly or mustExist) the database.
 * @throws LukhasError CONFIG; LEDGER_*; VERIFICATION when it is to be written, and does not begin with what was signed of it
 */
export async function openApp(options: OpenOptions = {}): Promise<App> {
  const config = options.config ?? (await loadConfig());
  const clock = options.clock ?? systemClock();
  const ledger = await openLedger(config.dbPath, {
    readOnly: options.readOnly ?? false,
    mustExist: options.mustExist ?? false,
  });
  if (options.readOnly !== true && options.mayBeOlder !== true) await refuseToOpen(ledger, config);
  // Looked at each time: a log may be set back, and something signed, while it is open.
  const beforePromoting = () => refuseOlder(ledger, config);
  const follower = new LogFollower(ledger, clock);
  const { hooks, promotion } = config;
  const env = environment();
  const promotions = new Promotions({ ledger, clock, hooks, env, ...promotion, holder: newHolder(), beforePromoting });
  const canaries = new Canaries(ledger, clock, beforePromoting);
  return {
    config,
    clock,
    ledger,
    follower,
    promotions,
    jobs: new Jobs(ledger, clock, config.tasks),
    canaries,
    approvals: new Approvals(ledger, clock, beforePromoting),
    search: new Search(
      ledger,
      (id) => narrative({ ledger, canaries }, id),
      options.readOnly === true ? null : config.dbPath,
    ),
    runner: (more = {}) =>
      new Runner({
        ledger,
        follower,
        clock,
        hooks: config.hooks,
        env: environment(),
        openSource: (descriptor) => openSource(descriptor, authOf(config, descriptor), clock.now),
        beforePromoting,
        ...more,
      }),
    jobRunner: (more = {}) =>
      new JobRunner({
        ledger,
        follower,
        clock,
        tasks: config.tasks,
        env,
        concurrency: config.jobs.concurrency,
        builtins: {
          probe: async (context) => {
            const { probeOf } = await import('./probe.js');
            return probeOf({ ledger, path: config.dbPath, now: clock.now })(context);
          },
        },
        ...more,
      }),
    async close() {
      await promotions.close();
      await ledger.close();
    },
  };
}

/** Loaded where something was signed: most logs have no checkpoints beside them. */
async function refuseOlder(ledger: Ledger, config: Config): Promise<void> {
  const folder = checkpointFolder(config);
  if (!existsSync(folder)) return;
  const [{ refuseOlderLog }, { CheckpointFiles }] = await Promise.all([
    import('../evidence/checkpoints/kept.js'),
    import('../evidence/checkpoints/files.js'),
  ]);
  await refuseOlderLog(ledger, new CheckpointFiles(folder));
}

async function refuseToOpen(ledger: Ledger, config: Config): Promise<void> {
  try {
    await refuseOlder(ledger, config);
  } catch (error) {
    await ledger.close();
    throw error;
  }
}

/** Loaded when it is asked for: most commands tell nothing. */
async function narrative(log: Pick<App, 'ledger' | 'canaries'>, id: string): Promise<string> {
  const [{ why }, { narrativeText }] = await Promise.all([import('./explanations.js'), import('../explain/render.js')]);
  return narrativeText(await why(log, id));
}
