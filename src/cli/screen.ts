import { writeSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { maskedJson, visible, visibleJson, visibleLines } from '../lib/input/index.js';

/**
 * The only way to the terminal. Names, reasons, answers of servers and contents of files reach it as text that it does not
 * obey (`visible`); escape sequences are those of `Styled`, which this file alone makes.
 */

/** Text that holds no escape sequences but our own colours. Read as a string it is without them. */
export class Styled {
  /** @param sequences as it is written to a terminal */
  private constructor(readonly sequences: string) {}

  toString(): string {
    return stripVTControlCharacters(this.sequences);
  }

  /** One line of text in colours. @param color adds the sequences around text that is fit to be shown */
  static colored(text: string, color: (visible: string) => string): Styled {
    return new Styled(color(visible(text)));
  }

  /** Parts one after another: a string is one line at most, whatever it holds. */
  static join(parts: readonly (string | Styled)[], between: string): Styled {
    return new Styled(parts.map((part) => (part instanceof Styled ? part.sequences : visible(part))).join(between));
  }
}

/** Lines below one another; a part that is styled may itself be several. What comes from outside is no more than one. */
export function block(parts: readonly (string | Styled)[]): Styled {
  return Styled.join(parts, '\n');
}

/** Parts with an empty line between them. */
export function blocks(parts: readonly (string | Styled)[]): Styled {
  return Styled.join(parts, '\n\n');
}

/** Parts of one line, side by side. */
export function beside(...parts: (string | Styled)[]): Styled {
  return Styled.join(parts, '');
}

/** As it is written to a terminal, or where one may look at it later: a file, the journal of a service. */
export function toScreen(text: string | Styled): string {
  return text instanceof Styled ? text.sequences : visibleLines(text);
}

/** A message for a person: on stderr. */
export function tell(message: string | Styled): void {
  const text = `${atMargin(toScreen(message))}\n`;
  const { stderr } = process;
  if (stderr.errored) writeAgain(stderr.fd, text);
  // Nobody reads: what cannot be shown must not fill the memory.
  else if (stderr.writableLength < MOST_UNREAD) stderr.write(text);
}

/**
 * A message with its first line alone at the margin, so that none that came from outside begins there. Where another would,
 * all lines after the first move together: a file that is quoted keeps its indentation.
 */
export function atMargin(text: string): string {
  return /\n\S/.test(text) ? text.replace(/\n(?=[^\n])/g, '\n  ') : text;
}

/** Characters that wait for the reader of standard error. */
const MOST_UNREAD = 256 * 1024;

/** After an error a stream writes nothing any more, but a disk may have space again. */
function writeAgain(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // There is nobody to tell.
  }
}

/** Data for a person, on stdout. */
export function print(message: string | Styled): void {
  process.stdout.write(`${toScreen(message)}\n`);
}

/** In place of the line where the cursor is; null: nothing. */
export function overwrite(terminal: NodeJS.WriteStream, line: string | null): void {
  const width = Math.max(20, (terminal.columns || 80) - 1);
  terminal.write(line === null ? '\r\u001b[K' : `\r\u001b[K${[...visible(line)].slice(0, width).join('')}`);
}

/** One JSON document on stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(`${visibleJson(maskedJson(value, 2))}\n`);
}

/** What is piped into a file and read by programs, such as a key or a proof: unchanged, except for eyes. */
export function printData(text: string): void {
  process.stdout.write(process.stdout.isTTY ? visibleLines(text) : text);
}

/** Lines as they come, each no more than one whatever it holds. @returns whether somebody still reads, once they were taken */
export function printNow(lines: readonly string[]): Promise<boolean> {
  return taken(lines.map((line) => `${visible(line)}\n`).join(''));
}

/** The same with a JSON document a line. */
export function printJsonNow(values: readonly object[]): Promise<boolean> {
  return taken(values.map((value) => `${visibleJson(maskedJson(value))}\n`).join(''));
}

/** Asked of each write: standard output forgets that it failed. */
function taken(text: string): Promise<boolean> {
  return new Promise((resolve) => process.stdout.write(text, (error) => resolve(error == null)));
}

/** Data that is made as it is read, a line each: no more is made than its reader takes. Ends early when the reader went away. */
export async function printLines(lines: AsyncIterable<string>): Promise<void> {
  let waiting = '';
  const flush = async (): Promise<void> => {
    const text = waiting;
    waiting = '';
    await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()));
  };
  for await (const line of lines) {
    waiting += `${line}\n`;
    if (waiting.length >= PRINTED_AT_ONCE) await flush();
    if (process.stdout.errored) return;
  }
  if (waiting !== '') await flush();
}

const PRINTED_AT_ONCE = 64 * 1024;
