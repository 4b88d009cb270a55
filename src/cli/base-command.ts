import { Command, Errors, Flags, type Interfaces } from '@oclif/core';
import { EXIT, LukhasError } from '../lib/errors.js';
import type { App } from '../lib/runtime/app.js';

type BaseFlags = Interfaces.InferredFlags<typeof BaseCommand.baseFlags>;

/**
 * What every command shares: the flags, one way to say an error, and the exit codes, the same with and without
 * `--json`. Data goes to stdout, everything else to stderr.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    db: Flags.string({ description: 'the database file (default: .lukhas/lukhas.db)', helpValue: 'PATH', helpGroup: 'GLOBAL' }),
    config: Flags.string({ description: 'configuration file (default: lukhas.yaml)', helpValue: 'PATH', helpGroup: 'GLOBAL' }),
    'no-color': Flags.boolean({ description: 'plain text; NO_COLOR does the same', helpGroup: 'GLOBAL' }),
  };

  private opened: App | null = null;

  /** Opens the library once; it is closed when the command ends. */
  protected async app(flags: BaseFlags, options: { readOnly?: boolean } = {}): Promise<App> {
    const [{ openApp }, { loadConfig }] = await Promise.all([
      import('../lib/runtime/app.js'),
      import('../lib/runtime/config.js'),
    ]);
    const config = await loadConfig({ flags: { db: flags.db, config: flags.config } });
    this.opened = await openApp({ config, ...options });
    return this.opened;
  }

  /** Messages and progress: never on stdout. */
  protected say(message: string): void {
    process.stderr.write(`${message}\n`);
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
    const { code, exit, message, suggestions } = describe(error);
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

function describe(error: Error & { oclif?: { exit?: number } }): Described {
  if (error instanceof LukhasError) return error;
  if (error instanceof Errors.CLIError) {
    const [first = '', ...rest] = error.message.split('\n').filter((line) => line.trim() !== '');
    const more = rest.filter((line) => !line.startsWith('See more help'));
    const message = [first.replace(/:$/, ''), ...more.map((l) => l.trim())].join(more.length > 0 && /following error/.test(first) ? ': ' : '; ');
    return { code: 'USAGE', exit: EXIT.usage, message, suggestions: ['Add --help to see what it takes.'] };
  }
  return {
    code: 'INTERNAL',
    exit: EXIT.internal,
    message: `internal error: ${error.message}`,
    suggestions: ['This is a bug: please report it with the lines below.'],
  };
}
