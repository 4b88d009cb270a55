import type { Interfaces } from '@oclif/core';
import type { Narrative } from '../lib/explain/index.js';
import { withAdvice } from '../lib/input/index.js';

/** Flags of the running command that decide which log a command is about. */
interface Place {
  db?: string | undefined;
  config?: string | undefined;
}

/** What a command accepts, as far as it takes to find the end of its command line in a sentence. */
interface Shape {
  /** Number of arguments. */
  args: number;
  /** Names of its flags: whether a value follows. */
  flags: ReadonlyMap<string, boolean>;
}

/** By its words: `canary retry`. */
type Commands = ReadonlyMap<string, Shape>;

/** The flag for the configuration file where a command has another `--config`. */
export const CONFIG_FILE = 'config-file';

/** These read no log. */
const WITHOUT_LOG = /^(witness |smoke$)/;
/** Where a command line begins, and not a sentence about a command. */
const START = /(?<=^\s*|[`(]|[:,;] +|\b(?:run|with) )lukhas (?=[a-z])/gm;
const WORD = / +("[^"\n]*"|'[^'\n]*'|[^\s`]+)/y;

let rewrite: (text: string) => string = (text) => text;

/** Advice of this process is about the log that these flags name, until the next call. */
export function adviseOn(place: Place, { commands }: Pick<Interfaces.Config, 'commands'>): void {
  if (place.db === undefined && place.config === undefined) rewrite = (text) => text;
  else {
    let known: Commands | null = null;
    rewrite = (text) => {
      known ??= shapesOf(commands);
      return placed(text, place, known);
    };
  }
}

/** Text with the command lines in it completed by the `--db` and `--config` that were typed: followed literally, it is about the same log. */
export function advice(text: string): string {
  return rewrite(text);
}

/** The narrative with its advice completed in the same way; what the log holds stays as it is. */
export function advised(narrative: Narrative): Narrative {
  return withAdvice(narrative, advice);
}

/** `advice` with everything it depends on; pure. */
export function placed(text: string, place: Place, commands: Commands): string {
  let result = '';
  let from = 0;
  for (const { index } of text.matchAll(START)) {
    const found = commandAt(text, index + 'lukhas '.length, commands);
    if (found === null || index < from) continue;
    result += text.slice(from, index) + completed(text.slice(index, found.end), place, found.shape);
    from = found.end;
  }
  return result + text.slice(from);
}

/** A path as it can be pasted into a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function completed(line: string, { db, config }: Place, { flags }: Shape): string {
  const withDb = db === undefined ? line : withFlag(line, '--db', db);
  return config === undefined
    ? withDb
    : withFlag(withDb, flags.has(CONFIG_FILE) ? `--${CONFIG_FILE}` : '--config', config);
}

/** A value that the line has stays; a placeholder (`--db FILE`) is filled in. */
function withFlag(line: string, flag: string, value: string): string {
  const given = `${flag} ${shellWord(value)}`;
  const open = new RegExp(` ${flag}(?: (?:FILE|PATH))?(?= --|$)`);
  if (open.test(line)) return line.replace(open, () => ` ${given}`);
  return line.includes(` ${flag} `) || line.includes(` ${flag}=`) ? line : `${line} ${given}`;
}

/** The command whose words begin at `start`, and where its command line ends; null when it is none that reads a log. */
function commandAt(text: string, start: number, commands: Commands): { shape: Shape; end: number } | null {
  const words = /^[a-z-]+(?: [a-z-]+)?/.exec(text.slice(start))?.[0] ?? '';
  const name = [words, words.split(' ')[0] ?? ''].find((each) => commands.has(each));
  const shape = name === undefined ? undefined : commands.get(name);
  if (name === undefined || shape === undefined || WITHOUT_LOG.test(name)) return null;
  return { shape, end: endOf(text, start + name.length, shape) };
}

/** @param from end of the command's words */
function endOf(text: string, from: number, { args, flags }: Shape): number {
  let end = from;
  let left = args;
  let isValue = false;
  for (;;) {
    WORD.lastIndex = end;
    const [found, word = ''] = WORD.exec(text) ?? [];
    if (found === undefined) return end;
    const bare = /^["']/.test(word) ? word : word.replace(/[.,;:)?]+$/, '');
    const takesValue = flags.get(bare.replace(/^--|=.*$/g, ''));
    if (isValue) isValue = false;
    else if (bare.startsWith('--')) {
      if (takesValue === undefined) return end;
      isValue = takesValue && !bare.includes('=');
    } else if (bare === '' || bare.startsWith('(') || left-- === 0) return end;
    end += found.length - (word.length - bare.length);
    if (bare !== word) return end;
  }
}

function shapesOf(commands: Interfaces.Config['commands']): Commands {
  return new Map(
    commands.map(({ id, args, flags }) => [
      id.replaceAll(':', ' '),
      {
        args: Object.keys(args).length,
        flags: new Map(Object.entries(flags).map(([name, { type }]) => [name, type === 'option'])),
      },
    ]),
  );
}
