import type { Database, Statement } from 'better-sqlite3';
import type { EventKind } from '../events.js';
import { LapseWatch, type LeaseClock, type LeaseTerm, momentOf } from '../lapse.js';
import type { Lease } from '../ledger.js';

interface Row {
  holder: string;
  expiresAt: number;
  clockId: string | null;
  until: number | null;
  ttlMs: number | null;
}

/** Terms count only beside the very lease they were written with: a version that knows none may have taken it since. */
const LEASE = `
  SELECT l.holder, l.expires_at AS expiresAt, t.clock AS clockId, t.until, t.ttl AS ttlMs FROM leases l
  LEFT JOIN lease_terms t ON t.subject = l.subject AND t.holder = l.holder AND t.expires_at = l.expires_at
  WHERE l.subject = ?`;
const OF_THE_LOG = `
  SELECT l.subject, l.holder FROM leases l
  JOIN events e ON e.seq = (SELECT max(seq) FROM events WHERE subject = l.subject)
  WHERE e.kind NOT IN (SELECT value FROM json_each(?))`;

/** The leases of one connection. What changes them runs inside a transaction that the caller began. */
export class Leases {
  readonly #db: Database;
  readonly #watch = new LapseWatch();
  #statements: ReturnType<typeof statements> | null = null;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Prepared when first needed: an older ledger that is only read lacks a table. */
  get #sql(): ReturnType<typeof statements> {
    this.#statements ??= statements(this.#db);
    return this.#statements;
  }

  /** False when another holder has it, which is not `dead`, and it has not lapsed. */
  take(subject: string, holder: string, clock: LeaseClock, ttlMs: number, dead?: string): boolean {
    const held = this.at(subject, clock);
    const isFree = held === null || held.holder === holder || held.holder === dead || held.leftMs <= 0;
    if (isFree) this.#write(subject, holder, clock, ttlMs);
    return isFree;
  }

  /** False when it is no longer this holder's. */
  renew(subject: string, holder: string, clock: LeaseClock, ttlMs: number): boolean {
    const isOwn = this.#sql.one.get(subject)?.holder === holder;
    if (isOwn) this.#write(subject, holder, clock, ttlMs);
    return isOwn;
  }

  drop(subject: string, holder: string): void {
    if (this.#sql.drop.run(subject, holder).changes === 1) this.#sql.dropTerm.run(subject);
  }

  at(subject: string, clock: LeaseClock): Lease | null {
    const before = momentOf(clock);
    const row = this.#sql.one.get(subject);
    if (row === undefined) return null;
    const { holder, expiresAt } = row;
    const leftMs = this.#watch.leftMs(subject, { holder, expiresAt, term: termOf(row) }, before, clock);
    return { holder, leftMs };
  }

  /** Those that have not lapsed, of subjects whose newest entry is of no such kind. */
  ofTheLog(clock: LeaseClock, except: readonly EventKind[]): { subject: string; holder: string }[] {
    const held = this.#sql.ofTheLog.all(JSON.stringify(except));
    return held.filter(({ subject }) => (this.at(subject, clock)?.leftMs ?? 0) > 0);
  }

  #write(subject: string, holder: string, clock: LeaseClock, ttlMs: number): void {
    const { wall, monotonic, clockId } = momentOf(clock);
    this.#sql.put.run(subject, holder, wall + ttlMs);
    if (monotonic === null) this.#sql.dropTerm.run(subject);
    else this.#sql.putTerm.run(subject, holder, wall + ttlMs, clockId, monotonic + ttlMs, ttlMs);
  }
}

function termOf({ clockId, until, ttlMs }: Row): LeaseTerm | null {
  return until === null || ttlMs === null ? null : { clockId, until, ttlMs };
}

function statements(db: Database) {
  return {
    one: db.prepare(LEASE) as Statement<[string], Row>,
    ofTheLog: db.prepare(OF_THE_LOG) as Statement<[string], { subject: string; holder: string }>,
    put: db.prepare(`
      INSERT INTO leases (subject, holder, expires_at) VALUES (?, ?, ?)
      ON CONFLICT DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at`),
    putTerm: db.prepare(`
      INSERT INTO lease_terms (subject, holder, expires_at, clock, until, ttl) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at, clock = excluded.clock,
        until = excluded.until, ttl = excluded.ttl`),
    drop: db.prepare('DELETE FROM leases WHERE subject = ? AND holder = ?'),
    dropTerm: db.prepare('DELETE FROM lease_terms WHERE subject = ?'),
  };
}
