import { LukhasError } from '../../errors.js';
import { Turns } from '../../turns.js';
import type { Labels } from '../labels.js';
import type { Sample } from '../signals/index.js';
import { CreatedTimes } from './created.js';
import { type Exposition, looksLikeSample, noFacts } from './facts.js';

export interface ExpositionOptions {
  /** OpenMetrics 1.0 (seconds, exemplars, `# EOF`) instead of Prometheus text 0.0.4 or 1.0 (milliseconds). */
  openMetrics: boolean;
  /** Samples of other names are skipped without a look at the rest of their line. */
  wanted?: (name: string) => boolean;
}

/**
 * Samples of a Prometheus text exposition (0.0.4; 1.0 with quoted names) or of OpenMetrics 1.0, in their order, with
 * timestamps in milliseconds. Follows Prometheus' own parser: an unknown escape stays as it is, the last line feed
 * may be missing (but not `# EOF`), and types, help and units are not needed. `NAME_created` gives the samples of its family
 * their time of creation, and is a sample itself only where it is wanted.
 *
 * An own parser, as those on npm do not serve: parse-prometheus-text-format merges histogram series that differ in
 * their labels, and none reads OpenMetrics or quoted names, skips what is not wanted, or says where a text is wrong.
 * @throws LukhasError SOURCE_INVALID with the line's number.
 */
export function parseExposition(text: string, options: ExpositionOptions): Sample[] {
  const parser = new Parser(text, options);
  while (parser.more(Number.POSITIVE_INFINITY));
  return parser.result().samples;
}

/**
 * As `parseExposition`, in slices between which everything else has its turn.
 * @throws LukhasError SOURCE_INVALID with the line's number.
 */
export async function readExposition(text: string, options: ExpositionOptions): Promise<Exposition> {
  const parser = new Parser(text, options);
  const turns = new Turns();
  while (parser.more(LINES_A_STEP)) await turns.next();
  return parser.result();
}

export const NO_EOF = 'the text ends without "# EOF": it was cut off';
const LINES_A_STEP = 500;
/** Labels are kept, compared and shown. */
const LONGEST_STRING = 1024 * 1024;

const LINE_FEED = 10;
const HASH = 35;
const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const BLANKS = /[ \t]*/y;
const TOKEN = /[^ \t\n]+/y;
/** Each digit can be read in one way alone: a long number that is none must not take quadratic time. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const DECLARATION =
  /#[ \t]*(TYPE|UNIT)[ \t]+(?:"((?:[^"\\\n]|\\[^\n])*)"|([^ \t\n"]+))[ \t]+([^ \t\r\n]+)[ \t\r]*(?:\n|$)/y;
const HELP = /#[ \t]*HELP[ \t]+(?:"((?:[^"\\\n]|\\[^\n])*)"|([^ \t\n"]+))[ \t]+([^\r\n]+)/y;

const UNNUMBERED: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '+infinity': Infinity,
  '-infinity': -Infinity,
};

class Parser {
  private readonly samples: Sample[] = [];
  private readonly facts = noFacts();
  private readonly created: CreatedTimes;
  private readonly wanted: (name: string) => boolean;
  private readonly openMetrics: boolean;
  private at = 0;
  private line = 1;
  private ended = false;
  /** Name of the sample before, wanted or not. */
  private lastName = '';

  constructor(
    private readonly text: string,
    { openMetrics, wanted = () => true }: ExpositionOptions,
  ) {
    this.openMetrics = openMetrics;
    this.wanted = wanted;
    this.created = new CreatedTimes(wanted);
  }

  /** Reads up to so many lines. @returns whether there are more. */
  more(lines: number): boolean {
    for (let i = 0; i < lines && this.at < this.text.length; i++) this.readLine();
    if (this.at < this.text.length) return true;
    if (this.openMetrics && !this.ended) throw this.wrong(NO_EOF);
    return false;
  }

  result(): Exposition {
    return { samples: this.created.given(this.samples), facts: this.facts };
  }

  private readLine(): void {
    if (this.ended) throw this.wrong('nothing may follow "# EOF"');
    this.blanks();
    const code = this.text.charCodeAt(this.at);
    if (code === HASH) this.comment();
    else if (code !== LINE_FEED && this.at < this.text.length) this.sample();
    this.endOfLine();
  }

  private comment(): void {
    const start = this.at;
    DECLARATION.lastIndex = start;
    const declared = DECLARATION.exec(this.text);
    if (declared !== null) {
      const [, what, quoted, plain, value] = declared;
      const name = quoted === undefined ? plain! : unescaped(quoted);
      if (what === 'TYPE') this.facts.types.set(name, value!.toLowerCase());
      else this.facts.units.set(name, value!);
    } else this.help(start);
    this.toLineEnd();
    if (this.openMetrics && this.text.startsWith('# EOF', start) && this.at === start + 5) this.ended = true;
  }

  /** It may say the unit, which nothing else does. */
  private help(start: number): void {
    HELP.lastIndex = start;
    const [, quoted, plain, words] = HELP.exec(this.text) ?? [];
    if (words === undefined) return;
    const name = quoted === undefined ? plain! : unescaped(quoted);
    if (this.wanted(`${name}_bucket`)) this.facts.help.set(name, words);
  }

  private sample(): void {
    let name = this.match(NAME);
    if (name !== '' && !this.wanted(name) && !this.created.wants(name)) {
      if (name !== this.lastName && looksLikeSample(this.text, this.at)) this.named(name);
      this.toLineEnd();
      return;
    }
    if (name === '' && this.text[this.at] !== '{') {
      throw this.wrong(`not an exposition: expected a metric name or "#", got ${this.shown()}`);
    }
    this.blanks();
    const labels: Labels = {};
    if (this.take('{')) name = this.labels(name, labels);
    if (name === '') throw this.wrong('the braces hold no metric name');
    this.blanks();
    const value = this.number('a value');
    const sample: Sample = { name, labels, value };
    this.blanks();
    if (!this.atLineEnd() && this.text.charCodeAt(this.at) !== HASH) sample.t = this.timestamp();
    this.exemplar();
    if (name !== this.lastName) this.named(name);
    this.created.note(sample);
    if (this.wanted(name)) this.samples.push(sample);
  }

  private named(name: string): void {
    this.lastName = name;
    this.facts.names.add(name);
  }

  /** Reads up to and with the closing brace. @returns the metric's name, which may stand quoted among the labels. */
  private labels(name: string, into: Labels): string {
    let metric = name;
    for (;;) {
      this.blanks();
      if (this.take('}')) return metric;
      const quoted = this.text[this.at] === '"';
      const label = quoted ? this.quoted() : this.match(LABEL_NAME);
      if (label === '') throw this.wrong(`expected a label name or "}", got ${this.shown()}`);
      this.blanks();
      if (this.take('=')) {
        this.blanks();
        if (this.text[this.at] !== '"')
          throw this.wrong(`label ${label}: expected a quoted value, got ${this.shown()}`);
        if (Object.hasOwn(into, label)) throw this.wrong(`label ${label} is given twice`);
        setLabel(into, label, this.quoted());
      } else if (quoted && metric === '') metric = label;
      else throw this.wrong(`label ${label}: expected "=", got ${this.shown()}`);
      this.blanks();
      if (!this.take(',') && this.text[this.at] !== '}') throw this.wrong(`expected "," or "}", got ${this.shown()}`);
    }
  }

  /** Exemplars are not needed, yet what stands in their place must be one. */
  private exemplar(): void {
    this.blanks();
    if (this.atLineEnd()) return;
    if (!this.openMetrics || !this.take('#')) throw this.wrong(`expected the end of the line, got ${this.shown()}`);
    this.blanks();
    if (!this.take('{')) throw this.wrong(`exemplar: expected "{", got ${this.shown()}`);
    this.labels(' ', {});
    this.blanks();
    this.number('the value of an exemplar');
    this.blanks();
    if (!this.atLineEnd()) this.timestamp();
    this.blanks();
    if (!this.atLineEnd()) throw this.wrong(`expected the end of the line, got ${this.shown()}`);
  }

  private timestamp(): number {
    const start = this.at;
    const value = this.number('a timestamp');
    if (!Number.isFinite(value) || (!this.openMetrics && !Number.isInteger(value))) {
      this.at = start;
      throw this.wrong(`expected a timestamp in ${this.openMetrics ? 'seconds' : 'milliseconds'}, got ${this.shown()}`);
    }
    return this.openMetrics ? Math.round(value * 1000) : value;
  }

  private number(what: string): number {
    const start = this.at;
    const token = this.match(TOKEN);
    if (DECIMAL.test(token)) return Number(token);
    const value = UNNUMBERED[token.toLowerCase()];
    if (value !== undefined) return value;
    this.at = start;
    throw this.wrong(`expected ${what}, got ${this.shown()}`);
  }

  /** A string in double quotes, from the opening one on. */
  private quoted(): string {
    const start = this.at + 1;
    let end = this.text.indexOf('"', start);
    while (end > 0 && isEscaped(this.text, start, end)) end = this.text.indexOf('"', end + 1);
    const raw = end < 0 ? '' : this.text.slice(start, end);
    if (end < 0 || raw.includes('\n')) throw this.wrong('a quoted string does not end on its line');
    if (raw.length > LONGEST_STRING)
      throw this.wrong(`a quoted string has ${raw.length} characters, at most ${LONGEST_STRING} are read`);
    this.at = end + 1;
    return unescaped(raw);
  }

  private match(token: RegExp): string {
    token.lastIndex = this.at;
    const found = token.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  private take(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }

  private blanks(): void {
    this.match(BLANKS);
  }

  private atLineEnd(): boolean {
    return this.at >= this.text.length || this.text.charCodeAt(this.at) === LINE_FEED;
  }

  private toLineEnd(): void {
    const end = this.text.indexOf('\n', this.at);
    this.at = end < 0 ? this.text.length : end;
  }

  private endOfLine(): void {
    this.at += 1;
    if (this.at < this.text.length) this.line += 1;
  }

  private shown(): string {
    if (this.atLineEnd()) return 'the end of the line';
    const end = this.text.indexOf('\n', this.at);
    return JSON.stringify(this.text.slice(this.at, Math.min(this.at + 20, end < 0 ? this.at + 20 : end)));
  }

  private wrong(what: string): LukhasError {
    return new LukhasError('SOURCE_INVALID', `line ${this.line}: ${what}`);
  }
}

function unescaped(raw: string): string {
  if (!raw.includes('\\')) return raw;
  return raw.replace(/\\([\\"n])/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

function isEscaped(text: string, start: number, quote: number): boolean {
  let backslashes = 0;
  while (quote - backslashes > start && text[quote - backslashes - 1] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

/**
 * A label without a value is the same as none: the series with it is the one without it, as Prometheus has it. Assigning
 * would lose a label called `__proto__`.
 */
function setLabel(labels: Labels, name: string, value: string): void {
  if (value === '') return;
  if (name === '__proto__') Object.defineProperty(labels, name, { value, enumerable: true, configurable: true });
  else labels[name] = value;
}
