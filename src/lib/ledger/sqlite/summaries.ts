import { LukhasError } from '../../errors.js';
import type { SubjectSummary, SummaryFilter } from '../ledger.js';
import { Conditions, type Queries } from './queries.js';

/** A row of the table `heads`. */
interface SummaryRow {
  subject: string;
  type: SubjectSummary['type'];
  state: string;
  model: string;
  open: number;
  first_seq: number;
  last_seq: number;
  created_at: string;
  updated_at: string;
  data: string;
}

/** States of a row, by its type, in which something goes on whatever its column `open` says. Of a promotion: until it has a result. */
const OPEN_STATES: Readonly<Record<SubjectSummary['type'], readonly string[]>> = {
  canary: ['PENDING', 'RUNNING'],
  promotion: ['requested'],
  job: ['queued', 'running'],
  gate: [],
};

/** Reads the rows that listings show; nothing is decided by them. */
export class SummaryReader {
  readonly #query: Queries;

  constructor(query: Queries) {
    this.#query = query;
  }

  list(filter: SummaryFilter = {}): SubjectSummary[] {
    const query = whereOf(filter);
    const sql = `SELECT * FROM heads ${query.where} ORDER BY first_seq DESC LIMIT ?`;
    return this.#query.all<SummaryRow>(sql, [...query.values, filter.limit ?? -1]).map(toSummary);
  }

  /** Subjects of the rows that are open, or whose state says so. */
  open(type: SubjectSummary['type']): { subject: string; seq: number }[] {
    // Few are open; left to itself, SQLite goes through all that there are.
    const sql = 'SELECT subject, first_seq AS seq FROM heads INDEXED BY heads_open WHERE type = ? AND open = 1';
    return [...this.#query.all<{ subject: string; seq: number }>(sql, [type]), ...this.#closedWrongly(type)];
  }

  #closedWrongly(type: SubjectSummary['type']): { subject: string; seq: number }[] {
    const query = new Conditions();
    query.add('type = ?', type);
    query.addAnyOf('state', OPEN_STATES[type]);
    query.add('open <> 1');
    const sql = `SELECT subject, first_seq AS seq FROM heads INDEXED BY heads_by_state ${query.where}`;
    return this.#query.all(sql, query.values);
  }

  count(filter: SummaryFilter = {}): number {
    const query = whereOf(filter);
    return this.#query.value<number>(`SELECT count(*) FROM heads ${query.where}`, ...query.values) as number;
  }

  states(type: SubjectSummary['type']): Record<string, number> {
    // Answered from the index of states alone.
    const sql = 'SELECT state, count(*) AS count FROM heads WHERE type = ? GROUP BY state';
    const rows = this.#query.all<{ state: string; count: number }>(sql, [type]);
    return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
  }

  /** Whether the rows are as many, by state, as were written, and open where their state says so. */
  statesAgree(type: SubjectSummary['type']): boolean {
    if (this.#closedWrongly(type).length > 0) return false;
    const counted = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'row_counts'";
    if (this.#query.value<number>(counted) === 0) return true;
    const sql = 'SELECT substr(name, ?) AS state, count FROM row_counts WHERE name >= ? AND name < ?';
    const names = [type.length + 2, `${type} `, `${type}!`];
    const written = this.#query.all<{ state: string; count: number }>(sql, names);
    const found = this.states(type);
    return written.length === Object.keys(found).length && written.every(({ state, count }) => found[state] === count);
  }

  one(subject: string): SubjectSummary | null {
    const [row] = this.#query.all<SummaryRow>('SELECT * FROM heads WHERE subject = ?', [subject]);
    return row === undefined ? null : toSummary(row);
  }
}

function whereOf({ type, states, open, modelId }: SummaryFilter): Conditions {
  const query = new Conditions();
  if (type !== undefined) query.add('type = ?', type);
  if (states !== undefined) query.addAnyOf('state', states);
  // In words, as the index of open heads has it.
  if (open !== undefined) query.add(open ? 'open = 1' : 'open = 0');
  if (modelId !== undefined) query.add('model = ?', modelId);
  return query;
}

function toSummary(row: SummaryRow): SubjectSummary {
  return {
    subject: row.subject,
    type: row.type,
    state: row.state,
    modelId: row.model,
    open: row.open === 1,
    firstSeq: row.first_seq,
    lastSeq: row.last_seq,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    data: dataOf(row),
  };
}

function dataOf({ subject, data }: SummaryRow): Record<string, unknown> {
  try {
    return JSON.parse(data) as Record<string, unknown>;
  } catch (cause) {
    throw new LukhasError('LEDGER_CORRUPT', `The listing row of ${subject} is not JSON: ${data.slice(0, 80)}`, {
      suggestions: ['Rebuild the listings from the log: lukhas db rebuild'],
      cause,
    });
  }
}
