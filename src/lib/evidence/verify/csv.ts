/**
 * What audits.csv must contain for an entry, from the description of its columns in docs/evidence.md: RFC 4180, fields in
 * quotes only where they need them. Text that a spreadsheet would take for a formula begins with an apostrophe.
 */
const COLUMNS = 'seq,ts,kind,subject,model,from_gate,to_gate,actor,decision,reason,data\r\n';

/** What meta.json says of audits.csv; null: nothing, as in packs of versions before it did. */
export type CsvForm = { readonly form: 2; readonly bom: boolean } | null;

/** Some programs also take the full-width forms of = + - @ for formulas. */
const RISKY: ReadonlySet<string> = new Set([...'=+-@\t\r', '\uff1d', '\uff0b', '\uff0d', '\uff20']);
/** Besides tabs and line breaks; spreadsheets may drop it before a formula. */
const DROPPED = /^["\p{Z}\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]$/u;
const BREAKS = '\t\r\n';

type Data = Readonly<Record<string, unknown>>;

/** What stands before the first row. */
export function csvHeader(form: CsvForm): string {
  return form?.bom === true ? `\ufeff${COLUMNS}` : COLUMNS;
}

/** @param data the text of the entry's data, as recorded */
export function csvRow(
  entry: { seq: number; ts: string; kind: string; subject: string; data: Data },
  data: string,
  form: CsvForm,
): string {
  const { seq, ts, kind, subject } = entry;
  const verdict = member(entry.data, 'verdict');
  const fields = [
    ts,
    kind,
    subject,
    entry.data['modelId'],
    entry.data['fromGate'],
    first(entry.data['toGate'], entry.data['gate']),
    first(member(entry.data, 'by')['who'], member(entry.data, 'requestedBy')['who']),
    first(verdict['decision'], entry.data['action']),
    first(verdict['reason'], entry.data['reason']),
  ];
  const cells = form === null ? [...fields, data].map(oldField) : [...fields.map(field), quoted(harmless(data))];
  return `${seq},${cells.join(',')}\r\n`;
}

/** As versions wrote it that did not say so: safe where a comma separates. */
function oldField(value: unknown): string {
  if (typeof value !== 'string') return scalar(value);
  const safe = RISKY.has(value.charAt(0)) || value.startsWith('\n') ? `'${value}` : value;
  return [',', '"', '\r', '\n'].some((c) => safe.includes(c)) ? quoted(safe) : safe;
}

function field(value: unknown): string {
  if (typeof value !== 'string') return scalar(value);
  const characters = [...value];
  let safe = '';
  for (const [i, character] of characters.entries()) {
    if (isStart(characters, i) && isRisky(characters, i)) safe += "'";
    safe += character;
  }
  return [',', ';', '"', ...BREAKS].some((c) => safe.includes(c)) ? quoted(safe) : safe;
}

/** Whether some reader begins a cell here: one that separates with other characters, or knows no quotes. */
function isStart(characters: readonly string[], i: number): boolean {
  const before = characters[i - 1];
  if (before === undefined || before === '\n' || before === ',' || before === ';' || before === '\t') return true;
  return before === '\r' && characters[i] !== '\n';
}

function isRisky(characters: readonly string[], start: number): boolean {
  if (characters[start] === "'") return true;
  let i = start;
  while (isDropped(characters[i])) i++;
  const character = characters[i] ?? '';
  return RISKY.has(character) || (start === 0 && character === '\n');
}

function isDropped(character: string | undefined): boolean {
  return character !== undefined && DROPPED.test(character) && !BREAKS.includes(character);
}

const STRING = /"(?:[^"\\]|\\.)*"/g;

/** JSON that says the same, and holds no separator before what could be a formula. */
function harmless(json: string): string {
  const [out, end] = [[] as string[], { at: 0 }];
  for (const { 0: string, index } of json.matchAll(STRING)) {
    out.push(json.slice(end.at, index).replaceAll(',-', ', -'));
    out.push(string.replaceAll(';', '\\u003b').replace(/,(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g, '\\u002c'));
    end.at = index + string.length;
  }
  return out.join('') + json.slice(end.at).replaceAll(',-', ', -');
}

function quoted(text: string): string {
  return `"${text.split('"').join('""')}"`;
}

function scalar(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? `${value}` : '';
}

function first(...values: readonly unknown[]): unknown {
  return values.find((value) => value !== null && value !== undefined);
}

function member(data: Data, name: string): Data {
  const value = data[name];
  return typeof value === 'object' && value !== null ? (value as Data) : {};
}
