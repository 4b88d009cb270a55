import { LukhasError } from '../../errors.js';
import { escapeRegex, escapeString, type Piece, pieces, quote, unknownEscape } from './text.js';
import { firstSyntaxError, PLACEHOLDER, type PromqlNode, parsePromql } from './tree.js';

/** What the placeholders of an expression stand for. */
export interface Placeholders {
  gate: string;
  model: string;
  /** `$__window` and `$__interval`, seconds. */
  window: number;
}

interface Problem {
  at: number;
  message: string;
}

/** Where a placeholder may stand besides strings. */
const KNOWN: Record<string, 'string' | 'anywhere'> = {
  $__gate: 'string',
  $__model: 'string',
  $__window: 'anywhere',
  $__interval: 'anywhere',
};

/**
 * Checks the syntax of a PromQL expression, placeholders included; types and functions are Prometheus' own to check.
 * @throws LukhasError PROMQL whose message is one line (`where`, position, reason), then the line of the expression
 *   that is wrong and a caret under the place. Columns count characters of the user's own text from 1.
 */
export function checkPromql(expr: string, { where }: { where: string }): void {
  const parts = pieces(expr);
  if (!parts.some((p) => p.kind !== 'comment' && p.text.trim() !== ''))
    throw new LukhasError('PROMQL', `${where}: the expression is empty; give a PromQL expression or unset it`);
  const problem = problemInText(parts) ?? problemInGrammar(expr);
  if (problem) throw promqlError(where, expr, problem);
}

function problemInText(parts: readonly Piece[]): Problem | null {
  for (const piece of parts) {
    const problem = piece.kind === 'comment' ? null : (problemWithPlaceholder(piece) ?? problemWithString(piece));
    if (problem) return problem;
  }
  return null;
}

function problemWithPlaceholder(piece: Piece): Problem | null {
  for (const { 0: name, index } of piece.text.matchAll(PLACEHOLDER)) {
    const at = piece.from + index;
    const use = KNOWN[name];
    if (!use) return { at, message: `unknown placeholder ${name}; known are ${Object.keys(KNOWN).join(', ')}` };
    if (piece.kind === 'code' && use === 'string')
      return { at, message: `${name} must stand inside a string, as in gate="${name}"` };
  }
  return null;
}

function problemWithString(piece: Piece): Problem | null {
  if (piece.kind !== 'string') return null;
  if (!piece.closed) return { at: piece.from, message: 'this string is not closed' };
  const offset = unknownEscape(piece.body, piece.quote);
  return offset < 0 ? null : { at: piece.from + 1 + offset, message: 'unknown escape sequence in a string' };
}

function problemInGrammar(expr: string): Problem | null {
  const at = firstSyntaxError(expr);
  if (at === null) return null;
  return { at, message: expr.slice(at).trim() === '' ? 'the expression ends too early' : '' };
}

function promqlError(where: string, expr: string, problem: Problem): LukhasError {
  return new LukhasError('PROMQL', `${where}: ${shown(expr, problem)}`);
}

function shown(expr: string, { at, message }: Problem): string {
  const before = expr.slice(0, at).split('\n');
  const line = expr.split('\n')[before.length - 1] ?? '';
  const start = before.at(-1) ?? '';
  const caret = `${start.replace(/[^\t]/gu, ' ')}^`;
  const reason = message === '' ? '' : `: ${message}`;
  return `PromQL syntax error at ${positionOf(expr, at)}${reason}\n  ${line}\n  ${caret}`;
}

/** An offset in words: `column 7`, counted in characters from 1; with the line where there are several. */
export function positionOf(expr: string, at: number): string {
  const before = expr.slice(0, at).split('\n');
  return `${before.length > 1 ? `line ${before.length}, ` : ''}column ${[...(before.at(-1) ?? '')].length + 1}`;
}

/** What `checkPromql` says of an expression, without the place where it stands; null: it is well formed. */
export function syntaxProblem(expr: string): string | null {
  const problem = problemInText(pieces(expr)) ?? problemInGrammar(expr);
  return problem ? shown(expr, problem) : null;
}

/**
 * Puts values in place of `$__gate`, `$__model` (inside strings), `$__window` and `$__interval` (both the window, as a
 * duration). A value is escaped for the string it stands in, and for the regular expression after `=~` and `!~`, so
 * that it can neither end the string nor match anything but itself.
 * @throws LukhasError PROMQL for an unknown or misplaced placeholder.
 */
export function substitute(expr: string, values: Placeholders, where = 'query'): string {
  const parts = pieces(expr);
  const problem = problemInText(parts);
  if (problem) throw promqlError(where, expr, problem);
  const filled = parts.map((piece) => {
    if (piece.kind === 'comment') return piece.text;
    return piece.kind === 'string' ? fillString(piece, values) : fillValue(piece.text, values, (value) => value);
  });
  return filled.join('');
}

/** Puts `written(value)` in place of each placeholder of a text that is no PromQL but a bare value; others stay. */
export function fillValue(template: string, values: Placeholders, written: (value: string) => string): string {
  return template.replace(PLACEHOLDER, (name) => {
    if (name === '$__gate') return written(values.gate);
    if (name === '$__model') return written(values.model);
    return name in KNOWN ? duration(values.window) : name;
  });
}

function duration(seconds: number): string {
  const ms = Math.max(1, Math.round(seconds * 1000));
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function fillString(piece: Extract<Piece, { kind: 'string' }>, values: Placeholders): string {
  if (!piece.body.includes('$__')) return piece.text;
  const literal = (value: string): string => (piece.regex ? escapeRegex(value) : value);
  // A raw string cannot hold a backtick, so it becomes a double-quoted one.
  if (piece.quote === '`') return quote(fillValue(piece.body, values, literal));
  const escaped = (value: string): string => escapeString(literal(value), piece.quote);
  const body = piece.body.replace(/\\[\s\S]|\$__\w+/g, (found) =>
    found.startsWith('\\') ? found : fillValue(found, values, escaped),
  );
  return `${piece.quote}${body}${piece.quote}`;
}

/** Hints about an expression that is legal and misleads, in words; none for one that does not parse. */
export function lintPromql(expr: string): string[] {
  const root = parsePromql(expr);
  return root ? [...new Set(hintsIn(root))] : [];
}

function hintsIn(node: PromqlNode): string[] {
  switch (node.type) {
    case 'call':
    case 'aggregate':
      return node.args.flatMap(hintsIn);
    case 'other':
      return node.inner.flatMap(hintsIn);
    case 'binary':
      return [...hintsAtBinary(node), ...hintsIn(node.left), ...hintsIn(node.right)];
    default:
      return [];
  }
}

function hintsAtBinary({ operator, right }: Extract<PromqlNode, { type: 'binary' }>): string[] {
  if (operator === '/') return clampHint(right);
  if (operator !== 'or' || right.type !== 'call' || right.name !== 'vector') return [];
  return ['`or vector(...)` turns a missing series into a number: a misspelt metric then reads as a good one'];
}

function clampHint(node: PromqlNode): string[] {
  if (node.type !== 'call' || node.name !== 'clamp_min') return [];
  const [traffic, floor] = node.args;
  const counter = traffic ? counterFunction(traffic) : null;
  if (floor?.type !== 'number' || !(floor.value > 0) || counter === null) return [];
  const unit = counter === 'increase' ? 'in the window' : 'a second';
  return [
    `clamp_min(..., ${floor.value}) under a division hides errors while there are fewer than ${floor.value} requests ${unit}: ` +
      'leave it out, no traffic then reads as no data',
  ];
}

function counterFunction(node: PromqlNode): string | null {
  if (node.type !== 'call' && node.type !== 'aggregate') return null;
  if (node.type === 'call' && ['rate', 'irate', 'increase'].includes(node.name)) return node.name;
  return node.args.map(counterFunction).find((name) => name !== null) ?? null;
}
