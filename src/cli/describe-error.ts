import { Errors } from '@oclif/core';
import { type ErrorCode, EXIT, LukhasError, systemError } from '../lib/errors.js';
import { nearest } from '../lib/input/index.js';
import { advice } from './advice.js';
import { printJson, tell } from './screen.js';

export interface Described {
  code: ErrorCode | 'INTERNAL';
  exit: number;
  message: string;
  suggestions: readonly string[];
}

/** @param flags names of the command's flags, for advice on mistyped ones */
export function describe(error: unknown, flags: readonly string[] = []): Described {
  const known = systemError(error);
  if (known instanceof LukhasError) {
    const { code, exit, message, suggestions } = known;
    return { code, exit, message, suggestions: suggestions.map(advice) };
  }
  if (error instanceof Errors.CLIError) return usageError(error, flags);
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: 'INTERNAL',
    exit: EXIT.internal,
    message: `internal error: ${message}`,
    suggestions: ['This is a bug: please report it with the lines below.'],
  };
}

/** One line that says it, lines that say what to do; with `--json` one document. */
export function showError(error: unknown, described: Described, json: boolean): void {
  const { code, message, suggestions, exit } = described;
  if (json) {
    printJson({ error: { code, message, suggestions, exit } });
    return;
  }
  tell(`lukhas: ${message}`);
  for (const suggestion of suggestions) tell(`  ${suggestion}`);
  if (code === 'INTERNAL') tell((error as Partial<Error> | null)?.stack ?? '');
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
