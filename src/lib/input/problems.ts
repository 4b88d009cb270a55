import { closest, distance } from 'fastest-levenshtein';
import type * as z from 'zod';
import { type ErrorCode, LukhasError } from '../errors.js';

/** One thing wrong with what a user wrote. `path` is as they would type it: `targets.max_error_rate`, `objectives[1]`. */
export interface Problem {
  path: string;
  message: string;
}

/**
 * Parses `input` by `schema`, or throws a LukhasError whose first line says what is wrong, where, and what to do;
 * further problems follow, one a line. Unknown keys come with the nearest known one.
 */
export function parseInput<S extends z.ZodType>(
  schema: S,
  input: unknown,
  where: string,
  code: ErrorCode,
): z.output<S> {
  const known = new WeakMap<readonly string[], readonly string[]>();
  const result = schema.safeParse(input, { error: (issue) => describe(issue, known) });
  if (result.success) return result.data;
  throw inputError(code, where, problemsOf(result.error.issues, [], known));
}

/** @throws never; returns the error to throw. `problems` holds at least one. */
export function inputError(code: ErrorCode, where: string, problems: readonly Problem[]): LukhasError {
  const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const [first = 'not valid', ...more] = lines;
  const rest = more.length === 0 ? '' : `\n${more.map((line) => `  also ${line}`).join('\n')}`;
  return new LukhasError(code, `${where}: ${first}${rest}`);
}

/** The known word that a misspelt one most likely meant, or null when none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (known.length === 0) return null;
  const plain = (text: string) => text.toLowerCase().replace(/[-_]/g, '');
  const same = known.find((candidate) => plain(candidate) === plain(word));
  if (same !== undefined) return same;
  const candidate = closest(word, known as string[]);
  const most = Math.max(2, Math.floor(candidate.length / 3));
  // Any two letters can be made of any other two: at least half of the shorter word has to stay.
  return distance(word, candidate) <= Math.min(most, Math.floor(Math.min(word.length, candidate.length) / 2))
    ? candidate
    : null;
}

/** A value as it stands in an error message: short, and never a whole document. */
export function quote(value: unknown): string {
  if (value === null) return 'nothing (null)';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

type Known = WeakMap<readonly string[], readonly string[]>;

const TYPE_WORDS: Record<string, string> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  object: 'a group of keys',
  record: 'a group of keys',
  array: 'a list',
  null: 'null',
};

function describe(issue: z.core.$ZodRawIssue, known: Known): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return describeType(issue.expected, issue.input);
    case 'invalid_value':
      return describeValue(issue.values, issue.input);
    case 'too_small':
      return describeLimit(issue.origin, issue.inclusive === false ? 'above' : 'at least', issue.minimum, issue.input);
    case 'too_big':
      return describeLimit(issue.origin, issue.inclusive === false ? 'below' : 'at most', issue.maximum, issue.input);
    case 'unrecognized_keys':
      known.set(issue.keys, keysOf(issue.inst));
      return 'unknown key';
    case 'invalid_union':
      return issue.discriminator === undefined
        ? undefined
        : describeChoice(issue.discriminator, issue.input, issue.inst);
    default:
      return undefined;
  }
}

function describeType(expected: string, input: unknown): string {
  if (input === undefined) return 'is missing';
  return `expected ${TYPE_WORDS[expected] ?? expected}, got ${quote(input)}`;
}

function describeValue(values: readonly unknown[], input: unknown): string {
  const allowed = values.map(String);
  const list = allowed.join(', ');
  if (input === undefined) return `is missing: ${allowed.length === 1 ? 'must be' : 'one of'} ${list}`;
  const meant = typeof input === 'string' && allowed.length > 1 ? nearest(input, allowed) : null;
  const hint = meant === null ? '' : `; did you mean ${meant}?`;
  return `must be ${allowed.length === 1 ? list : `one of ${list}`}, got ${quote(input)}${hint}`;
}

/** A group of keys whose form depends on one of them. */
function describeChoice(key: string, input: unknown, inst: unknown): string | undefined {
  const values = (inst as { _zod?: { propValues?: Record<string, Set<unknown>> } } | undefined)?._zod?.propValues?.[
    key
  ];
  return values === undefined ? undefined : describeValue([...values], (input as Record<string, unknown>)[key]);
}

function describeLimit(origin: string, word: string, limit: number | bigint, input: unknown): string {
  if (origin === 'string' && typeof input === 'string')
    return input === '' ? 'must not be empty' : `must have ${word} ${limit} characters, got ${input.length}`;
  if (origin === 'array') return `must have ${word} ${limit}`;
  return `must be ${word} ${limit}, got ${quote(input)}`;
}

function keysOf(inst: unknown): readonly string[] {
  const shape = (inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

function problemsOf(issues: readonly z.core.$ZodIssue[], base: readonly PropertyKey[], known: Known): Problem[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path];
    if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, path, known);
    if (issue.code === 'invalid_union') return unionProblems(issue, path, known);
    if (issue.code === 'invalid_key')
      return [{ path: pathText(path), message: issue.issues[0]?.message ?? issue.message }];
    return [{ path: pathText(path), message: issue.message }];
  });
}

function unknownKeys(keys: readonly string[], path: readonly PropertyKey[], known: Known): Problem[] {
  const candidates = known.get(keys) ?? [];
  return keys.map((key) => {
    const meant = nearest(key, candidates);
    const hint = meant === null ? `known keys: ${candidates.join(', ')}` : `did you mean ${meant}?`;
    return { path: pathText([...path, key]), message: `unknown key; ${hint}` };
  });
}

/** Of a choice of forms, tells what is wrong with the one the user most likely meant: the one of the right type. */
function unionProblems(issue: z.core.$ZodIssueInvalidUnion, path: readonly PropertyKey[], known: Known): Problem[] {
  if (issue.errors.length === 0) return [{ path: pathText(path), message: issue.message }];
  const fits = (branch: readonly z.core.$ZodIssue[]) =>
    !branch.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0);
  const meant = issue.errors.find(fits);
  if (meant !== undefined) return problemsOf(meant, path, known);
  const messages = issue.errors.flatMap((branch) => branch.slice(0, 1).map((inner) => inner.message));
  return [{ path: pathText(path), message: messages.length > 0 ? messages.join('; or ') : issue.message }];
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`),
    '',
  );
}
