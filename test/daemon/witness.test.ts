import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { HttpServer } from '../../src/daemon/http/server.js';
import { startWitness } from '../../src/daemon/witness.js';
import { initWitness, openWitness } from '../../src/lib/app/evidence/witness.js';
import { Checkpoints } from '../../src/lib/evidence/checkpoints/checkpoints.js';
import { CheckpointFiles } from '../../src/lib/evidence/checkpoints/files.js';
import { verifyCheckpoint } from '../../src/lib/evidence/formats/checkpoint.js';
import { cosignatureVerifier } from '../../src/lib/evidence/formats/cosignature.js';
import { noteVerifier } from '../../src/lib/evidence/formats/note.js';
import { parseVkey, type VerifierKey } from '../../src/lib/evidence/formats/vkey.js';
import { type Publication, publish } from '../../src/lib/evidence/publish/publish.js';
import type { EventDraft } from '../../src/lib/ledger/events.js';
import type { Ledger } from '../../src/lib/ledger/ledger.js';
import { openLedger } from '../../src/lib/ledger/sqlite/ledger.js';
import { ALICE, BOB } from '../lib/evidence/signers.js';
import { GrownLog } from '../lib/evidence/tree/grown-log.js';
import { finished } from '../lib/ledger/examples.js';

const ORIGIN = 'example.com/canaries';

describe('a witness over HTTP', () => {
  let dir: string;
  let servers: HttpServer[] = [];
  let other: Server | null = null;
  let log: GrownLog;
  let ledgers: Ledger[] = [];
  let faults: unknown[];
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lukhas-witness-'));
    log = new GrownLog(ORIGIN, ALICE).grow(3);
    faults = [];
  });
  afterEach(async () => {
    expect(faults).to.deep.equal([]);
    await Promise.all(ledgers.map((ledger) => ledger.close()));
    ledgers = [];
    await Promise.all(servers.map((server) => server.close(0)));
    servers = [];
    other?.closeAllConnections();
    other?.close();
    other = null;
    await rm(dir, { recursive: true, force: true });
  });

  async function start(name: string, host = '127.0.0.1'): Promise<{ url: string; key: VerifierKey }> {
    const folder = join(dir, name);
    const { vkey } = await initWitness(folder, name);
    const { witness } = await openWitness(folder, { logs: [log.vkey], now: Date.now });
    const server = await startWitness({
      witness,
      name,
      host,
      port: 0,
      allowedHosts: [],
      onError: (error) => faults.push(error),
    });
    servers.push(server);
    return { url: server.url, key: parseVkey(vkey) };
  }
  /** Something else that answers. */
  const answering = async (listener: RequestListener): Promise<string> => {
    other = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((done) => other?.once('listening', done));
    return `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  };
  const add = (url: string, body: Buffer) =>
    fetch(`${url}/add-checkpoint`, { method: 'POST', body: new Uint8Array(body) });
  const checkpoints = (of: GrownLog, folder = 'checkpoints') =>
    new Checkpoints({ log: of, files: new CheckpointFiles(join(dir, folder)), origin: ORIGIN, key: ALICE });
  const tell = async (of: GrownLog, to: Partial<Publication>, folder?: string) => {
    const kept = checkpoints(of, folder);
    return publish(kept, await kept.make(), { witnesses: [], anchors: [], ...to }, { now: Date.now, env: process.env });
  };

  it('answers as specified', async () => {
    const { url, key } = await start('w.example.com');
    const cosigned = await add(url, log.request(0));
    expect(cosigned.status).to.equal(200);
    const text = await cosigned.text();
    expect(text).to.match(/^\u2014 w\.example\.com [A-Za-z0-9+/=]+\n$/);
    verifyCheckpoint(log.note() + text, {
      origin: ORIGIN,
      log: [noteVerifier(log.vkey)],
      witnesses: [cosignatureVerifier(key)],
    });
    const conflict = await add(url, log.grow(1).request(2));
    expect(conflict.status).to.equal(409);
    expect(conflict.headers.get('content-type')).to.equal('text/x.tlog.size');
    expect(await conflict.text()).to.equal('3\n');
    const statuses = async (body: Buffer) => (await add(url, body)).status;
    expect(await statuses(Buffer.from('x'))).to.equal(400);
    expect(await statuses(new GrownLog(ORIGIN, BOB).grow(4).request(3))).to.equal(403);
    expect(await statuses(new GrownLog('example.com/x', ALICE).grow(4).request(3))).to.equal(404);
    expect(await statuses(new GrownLog(ORIGIN, ALICE).grow(4, 'forged').request(3))).to.equal(422);
    expect(await statuses(Buffer.alloc(100_000, 'x'))).to.equal(413);
    expect((await fetch(`${url}/add-checkpoint`)).status).to.equal(405);
    expect((await fetch(`${url}/other`)).status).to.equal(404);
  });

  it('tells auditors the last head that it has cosigned', async () => {
    const { url, key } = await start('w');
    const asked = `${url}/checkpoint?origin=${encodeURIComponent(ORIGIN)}`;
    expect((await fetch(asked)).status).to.equal(404);
    await add(url, log.request(0));
    const trust = { origin: ORIGIN, log: [noteVerifier(log.vkey)], witnesses: [cosignatureVerifier(key)] };
    const { size, witnesses } = verifyCheckpoint(await (await fetch(asked)).text(), trust);
    expect([size, witnesses.length]).to.deep.equal([3, 1]);
    expect((await fetch(`${url}/checkpoint`)).status).to.equal(400);
    expect(await (await fetch(`${url}/healthz`)).json()).to.deep.equal({ status: 'ok', witness: 'w' });
  });

  it('needs no key to be asked, wherever it listens', async () => {
    const { url } = await start('w', '0.0.0.0');
    const reached = url.replace('0.0.0.0', '127.0.0.1');
    expect((await add(reached, log.request(0))).status).to.equal(200);
  });

  it('is asked by the log: its cosignature stands on the checkpoint, with those of others', async () => {
    const [one, two] = [await start('one'), await start('two')];
    const first = await tell(log, { witnesses: [one, two] });
    expect(first.results.map(({ kind, place, error }) => [kind, place, error])).to.deep.equal([
      ['witness', one.url, null],
      ['witness', two.url, null],
    ]);
    const trust = {
      origin: ORIGIN,
      log: [noteVerifier(log.vkey)],
      witnesses: [one, two].map(({ key }) => cosignatureVerifier(key)),
    };
    expect(verifyCheckpoint(first.checkpoint.note, trust).witnesses).to.have.length(2);
    // The next one is proved from the last, also by a log that has lost its notes of it.
    log.grow(5);
    expect(verifyCheckpoint((await tell(log, { witnesses: [one] })).checkpoint.note, trust).witnesses).to.have.length(
      1,
    );
    log.grow(5);
    const again = await tell(log, { witnesses: [one, two] }, 'elsewhere');
    expect(verifyCheckpoint(again.checkpoint.note, trust).witnesses).to.have.length(2);
    const kept = new CheckpointFiles(join(dir, 'elsewhere'));
    expect(await kept.read(13)).to.equal(again.checkpoint.note);
  });

  it('is not fooled by a log that was written anew: the log learns that it is another history', async () => {
    const peer = await start('w');
    await tell(log.grow(5), { witnesses: [peer] });
    // That it knows more than it was sent is no other history yet: another process may have told it meanwhile.
    for (const [size, message, kept] of [
      [8, 'its first 8 entries are different', '8.refused'],
      [12, 'its first 8 entries are different', '12.refused'],
      [6, 'has already cosigned 8 entries of this log, which now has 6', '6'],
    ] as const) {
      const forged = new GrownLog(ORIGIN, ALICE).grow(size, 'forged');
      const { results, checkpoint } = await tell(forged, { witnesses: [peer] }, `forged-${size}`);
      expect(results[0]?.error?.code).to.equal('VERIFICATION');
      expect(results[0]?.error?.message).to.include(message);
      expect(checkpoint.note).to.equal(forged.note());
      expect((await readdir(join(dir, `forged-${size}`))).filter((name) => name !== 'checkpoint')).to.deep.equal([
        kept,
      ]);
    }
  });

  it('catches an operator with all keys who makes the database anew, whatever the edit', async () => {
    const peer = await start('w');
    const honest = Array.from({ length: 9 }, (_, n) => finished(`s${n}`, n));
    const ledgerOf = async (name: string, events: EventDraft[]) => {
      const ledger = await openLedger(join(dir, name));
      ledgers.push(ledger);
      await ledger.commit({ events });
      return ledger;
    };
    const published = async (ledger: Ledger, folder: string) => {
      const files = new CheckpointFiles(join(dir, folder));
      const kept = new Checkpoints({ log: ledger, files, origin: ORIGIN, key: ALICE });
      const to = { witnesses: [peer], anchors: [] };
      return (
        (await publish(kept, await kept.make(), to, { now: Date.now, env: process.env })).results[0]?.error ?? null
      );
    };
    expect(await published(await ledgerOf('true.db', honest), 'true')).to.equal(null);
    const edits: Record<string, EventDraft[]> = {
      alter: honest.with(4, finished('s4', 44)),
      delete: honest.slice(0, -1),
      insert: honest.toSpliced(3, 0, finished('x')),
      reorder: honest.with(2, honest[6]!).with(6, honest[2]!),
    };
    for (const [what, events] of Object.entries(edits)) {
      for (const more of [0, 1, 8]) {
        const grown = [...events, ...Array.from({ length: more }, (_, n) => finished('new', n))];
        const error = await published(await ledgerOf(`${what}-${more}.db`, grown), `${what}-${more}`);
        expect(error?.code, `${what}, ${more} more`).to.equal('VERIFICATION');
      }
    }
  });

  it('keeps nothing back when one of several cannot be reached', async () => {
    const peer = await start('w');
    const gone = await start('gone');
    await servers.pop()?.close(0);
    const { results, checkpoint } = await tell(log, { witnesses: [gone, peer] });
    expect(results.map(({ error }) => error?.code ?? null)).to.deep.equal(['ANCHOR_FAILED', null]);
    expect(results[0]?.error?.message).to.include(gone.url).and.include('ECONNREFUSED');
    expect(checkpoint.note.split('\n\n')[1]?.trimEnd().split('\n')).to.have.length(2);
  });

  it('is believed only for a cosignature that verifies', async () => {
    const peer = await start('w');
    const answers: Record<string, [number, string, string]> = {
      'no cosignature': [200, 'text/plain', log.note().split('\n\n')[1]!],
      'cannot be read': [200, 'text/plain', 'hello\n'],
      'does not verify': [200, 'text/plain', await (await add(peer.url, log.request(0))).text()],
      'without its size': [409, 'text/plain', '3\n'],
      'refused to cosign: 403': [403, 'text/plain', 'no\n'],
      'refused to cosign: 409': [409, 'text/x.tlog.size', '1\n'],
      'not a decimal number': [409, 'text/x.tlog.size', 'many\n'],
    };
    log.grow(2);
    for (const [message, [status, type, body]] of Object.entries(answers)) {
      const url = await answering((_, response) => response.writeHead(status, { 'content-type': type }).end(body));
      const { results, checkpoint } = await tell(log, { witnesses: [{ url, key: peer.key }] });
      expect(results[0]?.error?.message).to.include(message);
      expect(checkpoint.note).to.equal(log.note());
      other?.closeAllConnections();
      other?.close();
    }
  });

  it('has one name for one key, and is not started without it', async () => {
    const folder = join(dir, 'w');
    const made = await initWitness(folder, null);
    expect(made.name).to.match(/^lukhas-witness\/[0-9a-f]{16}$/);
    expect(await initWitness(folder, null)).to.deep.equal({ ...made, created: false });
    await fails(initWitness(folder, 'another'), 'cannot be renamed');
    await rm(join(folder, 'witness.pem'));
    await fails(openWitness(folder, { logs: [], now: Date.now }), 'key not found');
  });
});

async function fails(work: Promise<unknown>, message: string): Promise<void> {
  const outcome = await work.then(
    () => 'nothing',
    (error: Error) => error.message,
  );
  expect(outcome).to.include(message);
}
