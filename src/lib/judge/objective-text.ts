import type { CustomObjective } from './policy.js';

const NAME = /^[A-Za-z_][A-Za-z0-9_.]*/;
const OPERATOR = /^(?:<=|>=|<|>)(?![=<>])/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/;

type ObjectiveText = { ok: true; objective: CustomObjective } | { ok: false; message: string };

/** Whether this is a valid name of a scalar: one that fits in the text form `name < number`. */
export function isScalarName(name: string): boolean {
  return NAME.exec(name)?.[0].length === name.length;
}

/**
 * Reads `name op number`, as k6 thresholds are written: `ttft_p95_ms < 800`, `accuracy >= 9.2e-1`.
 * An error names its column (from 1).
 */
export function parseObjectiveText(text: string): ObjectiveText {
  const cursor = new Cursor(text);
  const name = cursor.take(NAME);
  if (name === null) return cursor.expected('a name (letters, digits, _ and .)');
  const op = cursor.take(OPERATOR);
  if (op === null) return cursor.expected('one of <, <=, >, >=');
  const number = cursor.take(NUMBER);
  if (number === null) return cursor.expected('a number');
  const value = Number(number);
  if (!Number.isFinite(value))
    return { ok: false, message: `${JSON.stringify(text)}: the number ${number} is too large` };
  if (!cursor.atEnd()) return cursor.expected('the end (one comparison, no unit)');
  return { ok: true, objective: { name, op: op as CustomObjective['op'], value } };
}

class Cursor {
  private at = 0;
  constructor(private readonly text: string) {
    this.skipSpace();
  }

  take(token: RegExp): string | null {
    const found = token.exec(this.text.slice(this.at))?.[0];
    if (found === undefined) return null;
    this.at += found.length;
    this.skipSpace();
    return found;
  }

  atEnd(): boolean {
    return this.at === this.text.length;
  }

  expected(what: string): ObjectiveText {
    const found = this.atEnd() ? 'the end' : JSON.stringify(this.text.slice(this.at));
    const column = this.at + 1;
    return {
      ok: false,
      message: `${JSON.stringify(this.text)}: expected ${what} at column ${column}, found ${found}; for example "ttft_p95_ms < 800"`,
    };
  }

  private skipSpace(): void {
    this.at += /^\s*/.exec(this.text.slice(this.at))?.[0].length ?? 0;
  }
}
