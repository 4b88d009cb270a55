/**
 * What audits.csv must contain for an entry, from the description of its columns in docs/evidence.md: RFC 4180, fields in
 * quotes only where they need them. Text that a spreadsheet would take for a formula begins with an apostrophe.
 */
export const CSV_COLUMNS = 'seq,ts,kind,subject,model,from_gate,to_gate,actor,decision,reason,data\r\n';

/** Some programs also take the full-width forms of = + - @ for formulas. */
const RISKY: ReadonlySet<string> = new Set([...'=+-@\t\r\n', '\uff1d', '\uff0b', '\uff0d', '\uff20']);

type Data = Readonly<Record<string, unknown>>;

/** @param data the text of the entry's data, as recorded */
export function csvRow(entry: { seq: number; ts: string; kind: string; subject: string; data: Data }, data: string) {
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
    data,
  ];
  return `${seq},${fields.map(field).join(',')}\r\n`;
}

function field(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`;
  if (typeof value !== 'string') return '';
  const safe = RISKY.has(value.charAt(0)) ? `'${value}` : value;
  return [',', '"', '\r', '\n'].some((c) => safe.includes(c)) ? `"${safe.split('"').join('""')}"` : safe;
}

function first(...values: readonly unknown[]): unknown {
  return values.find((value) => value !== null && value !== undefined);
}

function member(data: Data, name: string): Data {
  const value = data[name];
  return typeof value === 'object' && value !== null ? (value as Data) : {};
}
