// Prepares what 10,000 exports prepare, reads some of it to the end and some not, and drops it. V8 collects it when it
// likes, also between two turns of the event loop, where no JavaScript runs: there better-sqlite3 12 ended the process.
// Run by supported-nodes.test.ts, with --expose-gc.
const Database = require('better-sqlite3');

const EXPORTS = 10_000;
const db = new Database(':memory:');
db.exec('CREATE TABLE entries (n INTEGER PRIMARY KEY, kind TEXT, body TEXT)');
db.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
  INSERT INTO entries SELECT i, 'k' || i % 7, hex(i) FROM n`);

let statements = 0;
// Each with a text of its own: V8 has more to collect.
const prepare = (sql) => {
  statements += 1;
  return db.prepare(`${sql} -- ${statements}`);
};
let n = 0;
const turns = setInterval(() => {
  for (let i = 0; i < 1000; i++) {
    n += 1;
    prepare('SELECT count(*) FROM entries WHERE n > ?')
      .pluck()
      .get(n % 100);
    prepare('SELECT kind, group_concat(body) FROM entries WHERE n BETWEEN ? AND ? GROUP BY kind').all(1, n % 50);
    prepare('SELECT body FROM entries WHERE kind = ?').raw().iterate('k1').next();
    for (const row of prepare('SELECT * FROM entries ORDER BY n DESC').iterate()) if (row.n < 95) break;
    prepare('PRAGMA data_version');
  }
  if (n < EXPORTS) return;
  clearInterval(turns);
  globalThis.gc();
  process.stdout.write(`${statements}\n`);
}, 100);
