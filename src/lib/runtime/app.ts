import { Canaries } from '../canary/canaries.js';
import { Runner, type RunnerOptions } from '../canary/runner.js';
import { type Clock, systemClock } from '../clock.js';
import type { Ledger } from '../ledger/ledger.js';
import { openLedger } from '../ledger/sqlite.js';
import { openSource } from '../metrics/open.js';
import type { SourceDescriptor } from '../metrics/source.js';
import { type Config, environment, loadConfig } from './config.js';

/** The library as one piece: what the commands and the daemon share. */
export interface App {
  config: Config;
  clock: Clock;
  ledger: Ledger;
  canaries: Canaries;
  /**
   * Refuses a source that can never work (bad expression, credentials refused); one that is only down is let pass.
   * @returns warnings, in words
   */
  checkSource(descriptor: SourceDescriptor): Promise<string[]>;
  /** A driver of canaries; close it before the app. */
  runner(options?: Pick<RunnerOptions, 'onTick' | 'onError'>): Runner;
  close(): Promise<void>;
}

export interface OpenOptions {
  config?: Config;
  clock?: Clock;
  readOnly?: boolean;
}

/**
 * Composition root. Opens (and creates, unless readOnly) the database.
 * @throws LukhasError CONFIG, LEDGER_*
 */
export async function openApp(options: OpenOptions = {}): Promise<App> {
  const config = options.config ?? (await loadConfig());
  const clock = options.clock ?? systemClock();
  const ledger = await openLedger(config.dbPath, { readOnly: options.readOnly ?? false });
  return {
    config,
    clock,
    ledger,
    canaries: new Canaries(ledger, clock),
    async checkSource(descriptor) {
      const source = await openSource(descriptor, config.sourceAuth, clock.now);
      try {
        await source.check();
      } finally {
        await source.close();
      }
      if (descriptor.kind !== 'prometheus') return [];
      const { lintPromql } = await import('../metrics/promql.js');
      return Object.entries(descriptor.queries).flatMap(([name, query]) =>
        lintPromql(query).map((w) => `${name}: ${w}`),
      );
    },
    runner: (more = {}) =>
      new Runner({
        ledger,
        clock,
        hooks: config.hooks,
        env: environment(),
        openSource: (descriptor) => openSource(descriptor, config.sourceAuth, clock.now),
        ...more,
      }),
    close: () => ledger.close(),
  };
}
