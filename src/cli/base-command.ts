import { Command, Errors, Flags, type Interfaces } from '@oclif/core';
import type { App, OpenOptions } from '../lib/app/index.js';
import { EXIT, LukhasError } from '../lib/errors.js';
import { nearest } from '../lib/input/index.js';
import { print, printJson, type Styled, tell } from './screen.js';

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

  private opened: App | null = null;

  /** Opens the library once; it is closed when the command ends. */
  protected async app(flags: BaseFlags, options: Pick<OpenOptions, 'readOnly' | 'mayBeOlder'> = {}): Promise<App> {
    const [{ openApp }, { loadConfig }] = await Promise.all([
      import('../lib/app/app.js'),
      import('../lib/app/config.js'),
    ]);
    const config = await loadConfig({ flags: { db: flags.db, config: flags.config } });
    this.opened = await openApp({ config, ...options });
    return this.opened;
  }

  /** Nothing may be given as the empty string: a script's unset variable is a mistake, not a wish for the default. */
  protected override async parse<F extends Values, B extends Values, A extends Values>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv);
    const flags = Object.entries(parsed.flags).map(([name, value]) => [`--${name}`, value] as const);
    for (const [name, value] of [...flags, ...Object.entries(parsed.args)])
      if (value === '' || (Array.isArray(value) && value.includes('')))
        throw new LukhasError('USAGE', `${name}: must not be empty`, {
          suggestions: ['Run the command with --help to see its arguments and flags.'],
        });
    return parsed;
  }

  /** Messages and progress: never on stdout. */
  protected say(message: string): void {
    tell(message);
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
    const { code, exit, message, suggestions } = describe(
      error,
      Object.keys({ ...this.ctor.flags, ...this.ctor.baseFlags }),
    );
    process.exitCode = exit;
    if (this.jsonEnabled()) this.logJson({ error: { code, message, suggestions, exit } });
    else {
      this.say(`lukhas: ${message}`);
      for (const suggestion of suggestions) this.say(`  ${suggestion}`);
      if (code === 'INTERNAL') this.say(error.stack ?? '');
    }
    return undefined;
  }
}

interface Described {
  code: string;
  exit: number;
  message: string;
  suggestions: readonly string[];
}

function describe(error: Error & { oclif?: { exit?: number } }, flags: readonly string[]): Described {
  if (error instanceof LukhasError) return error;
  if (error instanceof Errors.CLIError) return usageError(error, flags);
  return {
    code: 'INTERNAL',
    exit: EXIT.internal,
    message: `internal error: ${error.message}`,
    suggestions: ['This is a bug: please report it with the lines below.'],
  };
}

/** oclif's parse errors come as a heading with indented lines; one line is enough. */
function usageError(error: Error & { flags?: string[] }, flags: readonly string[]): Described {
  const lines = error.message.split('\n').map((line) => line.trim());
  const said = lines.filter((line) => line !== '' && !/^(See more help|The following errors? occurred)/.test(line));
  const known = flags.map((name) => `--${name}`);
  const hints = (error.flags ?? []).flatMap((flag) => nearest(flag, known) ?? []);
  return {
    code: 'USAGE',
    exit: EXIT.usage,
    message: oneLine(said),
    suggestions: [
      ...hints.map((hint) => `Did you mean ${hint}?`),
      'Run the command with --help to see its arguments and flags.',
    ],
  };
}

/** `Missing 1 required arg:` and `Parsing --limit` are followed by lines that belong to them. */
function oneLine([first = '', ...more]: readonly string[]): string {
  const parsed = /^Parsing (--\S+)$/.exec(first)?.[1];
  if (parsed !== undefined) return `${parsed}: ${more.join('; ')}`;
  if (!first.endsWith(':')) return [first, ...more].join('; ').replace(/^Missing required flag (?=\w)/, '$&--');
  return `${first} ${more.map((line) => line.replace(/ {2,}/, ', ')).join('; ')}`;
}
