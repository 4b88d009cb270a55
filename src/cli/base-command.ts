import { Command, Errors, Flags, type Interfaces } from '@oclif/core';
import type { App, OpenOptions } from '../lib/app/index.js';
import { EXIT, LukhasError } from '../lib/errors.js';
import { advice, adviseOn, CONFIG_FILE } from './advice.js';
import { describe, showError } from './describe-error.js';
import { resultSeenWith } from './output.js';
import { print, printJson, type Styled, tell } from './screen.js';
import { withdrawStandIns } from './surroundings.js';

type Values = Record<string, unknown>;
type BaseFlags = Interfaces.InferredFlags<typeof BaseCommand.baseFlags>;

/**
 * What every command shares: the flags, one way to say an error, and the exit codes, the same with and without
 * `--json`. Data goes to stdout, everything else to stderr.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    db: Flags.string({
      description: 'database file (default: .lukhas/lukhas.db)',
      helpValue: 'PATH',
      helpGroup: 'GLOBAL',
    }),
    config: Flags.string({
      description: 'configuration file (default: lukhas.yaml)',
      helpValue: 'PATH',
      helpGroup: 'GLOBAL',
    }),
    'no-color': Flags.boolean({ description: 'plain text, as with NO_COLOR', helpGroup: 'GLOBAL' }),
  };

  /** Of a command that acts: what shows the result, where its own output was lost. */
  static seeResult: string | null = null;

  private opened: App | null = null;

  /** Opens the library once; it is closed when the command ends. */
  protected async app(
    flags: BaseFlags,
    options: Pick<OpenOptions, 'readOnly' | 'mayBeOlder' | 'mustExist'> = {},
  ): Promise<App> {
    const [{ openApp }, { loadConfig }] = await Promise.all([
      import('../lib/app/app.js'),
      import('../lib/app/config.js'),
    ]);
    const config = await loadConfig({
      flags: { db: flags.db, config: flags.config },
      ...('config-file' in this.ctor.baseFlags ? { configFlag: '--config-file' } : {}),
    });
    this.opened = await openApp({ config, ...options });
    return this.opened;
  }

  /** Nothing may be given as the empty string: a script's unset variable is a mistake, not a wish for the default. */
  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv);
    adviseOn(placeOf(parsed.flags, CONFIG_FILE in this.ctor.baseFlags), this.config);
    const flags = Object.entries(parsed.flags).map(([name, value]) => [`--${name}`, value] as const);
    for (const [name, value] of [...flags, ...Object.entries(parsed.args)])
      if (value === '' || (Array.isArray(value) && value.includes('')))
        throw new LukhasError('USAGE', `${name}: must not be empty`, {
          suggestions: ['Run the command with --help to see its arguments and flags.'],
        });
    return parsed;
  }

  protected override async init(): Promise<void> {
    withdrawStandIns();
    adviseOn({}, this.config);
    const { seeResult } = this.constructor as typeof BaseCommand;
    if (seeResult !== null) resultSeenWith(seeResult);
    await super.init();
  }

  /** Messages and progress: never on stdout. */
  protected say(message: string): void {
    tell(advice(message));
  }

  /** Data for a person, on stdout; nothing with `--json`. */
  override log(message: string | Styled = ''): void {
    if (!this.jsonEnabled()) print(message);
  }

  override logJson(json: unknown): void {
    printJson(json);
  }

  protected override async finally(error: Error | undefined): Promise<unknown> {
    const app = this.opened;
    this.opened = null;
    await app?.close();
    return super.finally(error);
  }

  protected override async catch(error: Error & { exitCode?: number; oclif?: { exit?: number } }): Promise<unknown> {
    if (error instanceof Errors.ExitError) {
      process.exitCode = error.oclif.exit ?? EXIT.internal;
      return undefined;
    }
    const described = describe(error, Object.keys({ ...this.ctor.flags, ...this.ctor.baseFlags }));
    process.exitCode = described.exit;
    showError(error, described, this.jsonEnabled());
    return undefined;
  }
}

/** @param hasOwnConfig of a command whose --config is something else: its configuration file is named by --config-file */
function placeOf(flags: Values, hasOwnConfig: boolean): { db?: string; config?: string } {
  const { db } = flags;
  const config = flags[hasOwnConfig ? CONFIG_FILE : 'config'];
  return { ...(typeof db === 'string' ? { db } : {}), ...(typeof config === 'string' ? { config } : {}) };
}
