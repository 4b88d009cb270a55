import { createHash } from 'node:crypto';
import Database from 'better-sqlite3';

const sha = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const leaf = (body: Uint8Array) => sha(Buffer.from([0]), body);

/**
 * Takes the triggers out of what this connection knows of the schema, and leaves them in the file: nobody sees that they
 * were away.
 */
export function unguard(db: Database.Database): void {
  const triggers = db.prepare("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_schema WHERE type = 'trigger'");
  db.unsafeMode();
  db.transaction((rows: { name: string }[]) => {
    for (const { name } of rows) db.exec(`DROP TRIGGER ${name}`);
    db.pragma('writable_schema = ON');
    for (const row of rows)
      db.prepare('INSERT INTO sqlite_schema VALUES (@type, @name, @tbl_name, @rootpage, @sql)').run(row);
    db.pragma('writable_schema = OFF');
  })(triggers.all() as { name: string }[]);
  db.unsafeMode(false);
}

/** The file as somebody has it who may write to it and knows its schema: without what guards it. */
export class Unguarded {
  readonly db: Database.Database;

  constructor(path: string) {
    this.db = new Database(path);
    unguard(this.db);
  }

  close(): void {
    this.db.close();
  }

  /** Numbers of the entries of a subject, or of one kind of them. */
  entries(subject: string, kind = '%'): number[] {
    const sql = 'SELECT seq FROM events WHERE subject = ? AND kind LIKE ? ORDER BY seq';
    return this.db.prepare(sql).pluck().all(subject, kind) as number[];
  }

  all(): number[] {
    return this.db.prepare('SELECT seq FROM events ORDER BY seq').pluck().all() as number[];
  }

  body(seq: number): Buffer {
    return this.db.prepare('SELECT CAST(body AS BLOB) FROM events WHERE seq = ?').pluck().get(seq) as Buffer;
  }

  /** Also what is no UTF-8. */
  write(seq: number, body: Uint8Array): void {
    this.db.prepare('UPDATE events SET body = CAST(? AS TEXT) WHERE seq = ?').run(body, seq);
  }

  /** Something else in a body. @returns the entry's number */
  replace(seq: number, what: string, by: string): number {
    const before = this.body(seq).toString();
    if (!before.includes(what)) throw new Error(`${what} is not in ${before}`);
    this.write(seq, Buffer.from(before.replace(what, by)));
    return seq;
  }

  /** Makes the hash of an entry that of its bytes, and the nodes that stand in its row those of its hash. */
  rehash(seq: number): void {
    let node = leaf(this.body(seq));
    this.db.prepare('UPDATE events SET hash = ? WHERE seq = ?').run(node, seq);
    const nodes: Buffer[] = [];
    for (let size = 1; Math.floor(seq / size) % 2 === 1; size *= 2) {
      node = sha(Buffer.from([1]), this.#root(seq - size, size), node);
      nodes.push(node);
    }
    const joined = nodes.length === 0 ? null : Buffer.concat(nodes);
    this.db.prepare('UPDATE events SET nodes = ? WHERE seq = ?').run(joined, seq);
  }

  /** As it is stored, of the perfect subtree whose last entry is `last`. */
  #root(last: number, size: number): Buffer {
    const row = this.db.prepare('SELECT hash, nodes FROM events WHERE seq = ?').get(last) as {
      hash: Buffer;
      nodes: Buffer | null;
    };
    const at = (Math.log2(size) - 1) * 32;
    return size === 1 ? row.hash : (row.nodes as Buffer).subarray(at, at + 32);
  }
}
